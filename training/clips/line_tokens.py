"""Find names of words and files in a line of any form."""

import re
import unicodedata
import urllib.parse

from training.clips.names import comparable

_OTHER = re.compile(r"[^a-z0-9_.\-]")


def readable(line: str) -> str:
    """Return a line without %-escapes."""
    return urllib.parse.unquote(line) if "%" in line else line


def line_tokens(line: str) -> list[str]:
    """Return the names in a line, in comparable form: letters, digits, `_`, `-` and `.`.

    Example:
        >>> line_tokens("1. yes/a_0.wav|No")
        ['1', 'yes', 'a_0.wav', 'no']
    """
    text = comparable(readable(line))
    text = _OTHER.sub(_blank_if_no_letter, text)
    return [token for found in text.split() if (token := found.rstrip("."))]


def _blank_if_no_letter(match: re.Match[str]) -> str:
    character = match.group()
    return character if unicodedata.category(character)[0] in "LMN" else " "
