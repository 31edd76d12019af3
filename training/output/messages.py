"""Warnings on stderr, and names that are safe to print."""

import sys
from collections.abc import Sequence
from pathlib import Path

from speechgru.errors import escape


def warn(message: str) -> None:
    """Print a warning as one line on stderr; control characters in it are escaped."""
    print(f"warning: {escape(message)}", file=sys.stderr)


def printable(path: Path | str) -> str:
    """Return a path as text for files and messages: one line, other characters escaped."""
    return escape(str(path))


def some(names: Sequence[str], shown: int = 10) -> str:
    """Return the first names, separated by commas, and how many more there are.

    Example:
        >>> some(["a", "b", "c"], shown=2)
        'a, b and 1 more'
    """
    more = f" and {len(names) - shown} more" if len(names) > shown else ""
    return ", ".join(names[:shown]) + more
