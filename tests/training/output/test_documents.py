"""Documents as Markdown and as one HTML file."""

import base64
from html.parser import HTMLParser

import pytest

from training.output.documents import Heading, Items, Picture, Table, Text, to_html, to_markdown

DOCUMENT = [
    Heading("A <title> & more", 1),
    Text("One `a<b` paragraph.\n\nAnother."),
    Items(["first", "`second`"]),
    Table([["label", "<n>"], ["yes & no", "3"]]),
    Picture("picture.png", 'A "picture"'),
]


@pytest.fixture
def page(tmp_path):
    (tmp_path / "picture.png").write_bytes(b"\x89PNG data")
    return to_html(DOCUMENT, tmp_path)


class Reader(HTMLParser):
    """Collects tags, attributes and text, and checks that tags are closed in order."""

    def __init__(self):
        super().__init__()
        self.open, self.tags, self.texts = [], [], []

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))
        if tag not in ("meta", "img"):
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.texts.append(data)


def test_markdown_has_all_blocks():
    assert to_markdown(DOCUMENT).split("\n\n") == [
        "# A <title> & more",
        "One `a<b` paragraph.",
        "Another.",
        "- first\n- `second`",
        "| label    | <n> |\n| -------- | --- |\n| yes & no | 3   |",
        '![A "picture"](picture.png)\n',
    ]


def test_html_is_well_formed_and_keeps_every_text(page):
    reader = Reader()
    reader.feed(page)
    assert reader.open == []
    for text in ("A <title> & more", "a<b", "Another.", "second", "<n>", "yes & no"):
        assert text in reader.texts, text


def test_html_holds_its_pictures_and_loads_nothing(page):
    reader = Reader()
    reader.feed(page)
    (picture,) = [attributes for tag, attributes in reader.tags if tag == "img"]
    kind, data = picture["src"].split(",")
    assert kind == "data:image/png;base64"
    assert base64.b64decode(data) == b"\x89PNG data"
    assert picture["alt"] == 'A "picture"'
    assert not {"link", "script", "iframe"} & {tag for tag, _ in reader.tags}


def test_a_missing_picture_is_an_error(tmp_path):
    with pytest.raises(FileNotFoundError):
        to_html(DOCUMENT, tmp_path)
