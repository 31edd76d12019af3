"""Standard streams: closed ones, messages on stderr, and what libraries print there."""

import contextlib
import io
import os
import sys
from collections.abc import Iterator

from speechgru.cli import status_line
from speechgru.errors import escape


def open_standard_streams() -> None:
    """Open the null device in place of closed streams, so that no file gets their number.

    Streams that another program has made non-blocking become blocking. Characters that the encoding
    of stdout does not have are escaped.
    """
    for descriptor in range(3):
        try:
            os.fstat(descriptor)
        except OSError:
            os.open(os.devnull, os.O_RDWR)  # gets the lowest free number
        with contextlib.suppress(AttributeError, OSError):  # Windows
            os.set_blocking(descriptor, True)
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="backslashreplace")


def flush_output() -> None:
    """Write what stdout still buffers."""
    if sys.stdout is not None:
        sys.stdout.flush()


def print_result(text: str) -> None:
    """Print a line on stdout."""
    if sys.stdout is not None and sys.stdout.isatty():
        status_line.hide()
    print(text)


def discard(descriptor: int) -> None:
    """Drop what a stream still buffers, so that Python does not fail to write it at exit."""
    sink = os.open(os.devnull, os.O_WRONLY)
    os.dup2(sink, descriptor)
    os.close(sink)


def message(error: Exception) -> str:
    """The text of an error; that of a system error begins with the file's name."""
    if isinstance(error, OSError) and error.filename is not None:
        return f"{escape(str(error.filename)) or repr('')}: {error.strerror}"
    return str(error)


def complain(text: str) -> None:
    """Print a message on stderr, in one line."""
    status_line.hide()
    if sys.stderr is None:
        return
    try:
        print(f"speechgru: {escape(' '.join(text.split()))}", file=sys.stderr)
    except OSError:  # stderr is closed or full
        discard(2)


def show(text: str, end: str = "\n") -> None:
    """Print what a user who is recording is to do or to know, on stderr."""
    status_line.hide()
    if sys.stderr is None:
        return
    try:
        print(text, end=end, file=sys.stderr, flush=True)
    except OSError:  # stderr is closed or full
        discard(2)


@contextlib.contextmanager
def silent_libraries(debug: bool) -> Iterator[None]:
    """Keep what libraries such as LiteRT and libmpg123 print off stderr, but not our messages."""
    if debug:
        yield
        return
    copy, sink = os.dup(2), os.open(os.devnull, os.O_WRONLY)
    try:
        with _messages_to(copy):
            os.dup2(sink, 2)
            yield
    finally:
        os.dup2(copy, 2)
        os.close(copy)
        os.close(sink)


@contextlib.contextmanager
def _messages_to(descriptor: int) -> Iterator[None]:
    """Let `sys.stderr` write to a descriptor, if it writes to descriptor 2."""
    stream = sys.stderr
    try:
        redirect = stream is not None and stream.fileno() == 2
    except (OSError, ValueError):  # not a file
        redirect = False
    if not redirect:
        yield
        return
    # No `with`: an error of close() is ignored, one of the block is not.
    messages = open(  # noqa: SIM115
        descriptor, "w", buffering=1, errors="backslashreplace", closefd=False
    )
    try:
        with contextlib.redirect_stderr(messages):
            yield
    finally:
        with contextlib.suppress(OSError):  # of messages that could not be written
            messages.close()
