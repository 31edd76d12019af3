"""C source text of numbers, arrays and strings."""

import re
import textwrap
from collections.abc import Iterable
from typing import Any

import numpy as np
import numpy.typing as npt

WIDTH = 100


def number(value: Any) -> str:
    """Return a C constant: of a float, one that reads back as the same float32."""
    if isinstance(value, float | np.floating):
        text = str(np.float32(value))
        return f"{text}f" if set(".e") & set(text) else f"{text}.0f"
    return str(int(value))


def array(c_type: str, name: str, values: npt.NDArray[Any], comment: str) -> str:
    """Return the definition of a constant array with one or two dimensions."""
    dimensions = "".join(f"[{size}]" for size in values.shape)
    if values.ndim == 1:
        body = _lines(map(number, values))
    else:
        body = ",\n".join("    {\n" + _lines(map(number, row), 8) + "\n    }" for row in values)
    return f"/* {comment} */\nstatic const {c_type} {name}{dimensions} = {{\n{body}\n}};\n"


def struct(c_type: str, name: str, members: dict[str, str]) -> str:
    """Return the definition of a constant struct."""
    return f"static const {c_type} {name} = {braces(members)};\n"


def braces(members: dict[str, str]) -> str:
    """Return the initialiser of a struct."""
    return "{\n" + "".join(f"    .{key} = {value},\n" for key, value in members.items()) + "}"


def string(text: str) -> str:
    """Return a string literal: printable ASCII as it is, other bytes of UTF-8 as octal escapes."""
    plain = {ord(character) for character in map(chr, range(32, 127))} - set(b'"\\?')
    return '"' + "".join(chr(b) if b in plain else f"\\{b:03o}" for b in text.encode()) + '"'


def define(name: str, value: Any) -> str:
    """Return a macro of a number."""
    text = value if isinstance(value, str) else number(value)
    return f"#define {name} {f'({text})' if text.startswith('-') else text}\n"


def comment_text(text: str) -> str:
    """Return text that neither ends nor begins a comment, in ASCII."""
    text = re.sub(r"\*(?=/)|/(?=\*)", r"\g<0> ", text)
    return text.encode("ascii", "replace").decode()


def _lines(numbers: Iterable[str], indent: int = 4) -> str:
    prefix = " " * indent
    return textwrap.fill(", ".join(numbers), WIDTH, initial_indent=prefix, subsequent_indent=prefix)
