"""A line at the bottom of the terminal that shows how far a command is."""

import os
import sys
import time

_SECONDS_BETWEEN = 0.1
_BAR_CHARACTERS = 20
_drawn: set["StatusLine"] = set()  # the one that is on the terminal now


class StatusLine:
    """One line on stderr that is drawn over and over; nothing if stderr is not a terminal."""

    def __init__(self) -> None:
        stream = sys.stderr
        try:
            self.visible = stream is not None and stream.isatty()
        except ValueError:  # a closed file
            self.visible = False
        self._length = 0
        self._time = float("-inf")

    def due(self) -> bool:
        """Whether the line is to be drawn now: at most ten times a second."""
        return self.visible and time.monotonic() - self._time >= _SECONDS_BETWEEN

    def draw(self, text: str) -> None:
        """Replace the line."""
        if not self.visible:
            return
        text = text[: _columns() - 1]
        self._write("\r" + text.ljust(self._length))
        self._length = len(text)
        self._time = time.monotonic()
        _drawn.add(self)

    def hide(self) -> None:
        """Remove the line, before something else is printed."""
        if self._length:
            self._write("\r" + " " * self._length + "\r")
            self._length = 0
        _drawn.discard(self)

    def _write(self, text: str) -> None:
        try:
            sys.stderr.write(text)
            sys.stderr.flush()
        except OSError:  # the terminal is gone
            self.visible = False


def hide() -> None:
    """Remove the status line that is drawn now, if any."""
    for line in list(_drawn):
        line.hide()


def bar(share: float) -> str:
    """A bar of which a share in [0, 1] is filled."""
    filled = round(min(max(share, 0.0), 1.0) * _BAR_CHARACTERS)
    return "[" + "#" * filled + "." * (_BAR_CHARACTERS - filled) + "]"


def _columns() -> int:
    try:
        return os.get_terminal_size(sys.stderr.fileno()).columns or 80
    except (OSError, ValueError):
        return 80
