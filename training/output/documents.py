"""Documents of headings, text, tables and pictures, as Markdown and as one HTML file."""

import base64
import html
import re
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from training.output.tables import Row, markdown_table

STYLE = """\
:root { color-scheme: light dark; }
body { font: 16px/1.5 system-ui, sans-serif; max-width: 72rem; margin: 2rem auto; padding: 0 1rem;
  color: #1c1c1c; background: #fff; }
h1, h2 { line-height: 1.25; }
h2 { margin-top: 2.5rem; }
.table { overflow-x: auto; }
table { border-collapse: collapse; font-variant-numeric: tabular-nums; }
th, td { padding: .3rem .7rem; border-bottom: 1px solid #ccc; text-align: left; }
code { font-size: .9em; overflow-wrap: anywhere; }
img { max-width: 100%; height: auto; padding: .5rem; background: #fff; box-sizing: border-box; }
@media (prefers-color-scheme: dark) {
  body { color: #e4e4e4; background: #161616; }
  th, td { border-color: #444; }
}
@media print { body { max-width: none; } }
"""


class Heading(NamedTuple):
    """A heading; level 1 is the title."""

    text: str
    level: int = 2


class Text(NamedTuple):
    """Paragraphs, separated by empty lines; `code` is between backticks."""

    text: str


class Items(NamedTuple):
    """A list."""

    items: Sequence[str]


class Table(NamedTuple):
    """Rows of equal length, the header first."""

    rows: Sequence[Row]


class Picture(NamedTuple):
    """A PNG file beside the document."""

    name: str
    description: str


Block = Heading | Text | Items | Table | Picture


def to_markdown(blocks: Sequence[Block]) -> str:
    """Return a document as Markdown; pictures are links to their files."""
    return "\n\n".join(map(_markdown, blocks)) + "\n"


def to_html(blocks: Sequence[Block], folder: Path) -> str:
    """Return a document as one HTML page that holds its pictures and needs nothing else.

    Args:
        blocks: the document; its first heading is the page's title.
        folder: where the pictures are.

    Raises:
        OSError: a picture cannot be read.
    """
    title = next((block.text for block in blocks if isinstance(block, Heading)), "")
    body = "\n".join(_html(block, folder) for block in blocks)
    return (
        '<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>{html.escape(title)}</title>\n<style>\n{STYLE}</style>\n</head>\n"
        f"<body>\n{body}\n</body>\n</html>\n"
    )


def _markdown(block: Block) -> str:
    match block:
        case Heading(text, level):
            return f"{'#' * level} {text}"
        case Text(text):
            return text
        case Items(items):
            return "\n".join(f"- {item}" for item in items)
        case Table(rows):
            return markdown_table(rows)
        case Picture(name, description):
            return f"![{description}]({name})"


def _html(block: Block, folder: Path) -> str:
    match block:
        case Heading(text, level):
            return f"<h{level}>{_inline(text)}</h{level}>"
        case Text(text):
            return "\n".join(f"<p>{_inline(part)}</p>" for part in text.split("\n\n"))
        case Items(items):
            lines = "".join(f"<li>{_inline(item)}</li>\n" for item in items)
            return f"<ul>\n{lines}</ul>"
        case Table(rows):
            return _html_table(rows)
        case Picture(name, description):
            data = base64.b64encode((folder / name).read_bytes()).decode()
            return (
                f'<p><img alt="{html.escape(description)}" src="data:image/png;base64,{data}"></p>'
            )


def _html_table(rows: Sequence[Row]) -> str:
    def line(row: Row, tag: str) -> str:
        return "<tr>" + "".join(f"<{tag}>{html.escape(cell)}</{tag}>" for cell in row) + "</tr>\n"

    head, body = line(rows[0], "th"), "".join(line(row, "td") for row in rows[1:])
    table = f"<table>\n<thead>\n{head}</thead>\n<tbody>\n{body}</tbody>\n</table>"
    return f'<div class="table">\n{table}\n</div>'


def _inline(text: str) -> str:
    return re.sub(r"`([^`]*)`", r"<code>\1</code>", html.escape(text))
