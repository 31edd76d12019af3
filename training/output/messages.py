"""TODO: messages."""

import sys
from collections.abc import Sequence
from pathlib import Path


def warn(message: str) -> None:
    """One plain line on stderr."""
    print(f"warning: {message}", file=sys.stderr)


def printable(path: Path | str) -> str:
    """A path that any text file can hold, whatever bytes are in its name."""
    return str(path).encode("utf-8", "backslashreplace").decode("utf-8")


def some(names: Sequence[str], shown: int = 10) -> str:
    more = f" and {len(names) - shown} more" if len(names) > shown else ""
    return ", ".join(names[:shown]) + more
