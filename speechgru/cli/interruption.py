"""Signals that end a command: Ctrl-C, and what `kill` and a terminal that closes send."""

import contextlib
import os
import signal
import sys
import threading
from collections.abc import Callable, Iterator
from types import FrameType
from typing import Any

INTERRUPTED = 130


@contextlib.contextmanager
def leaving_at_once() -> Iterator[None]:
    """End the process at Ctrl-C without a traceback, while there is nothing to tidy up.

    An exception would not do: libraries that are being imported turn it into others.
    """
    with _handling(signal.SIGINT, signal.default_int_handler, lambda *_: os._exit(INTERRUPTED)):
        yield


@contextlib.contextmanager
def tidying_up() -> Iterator[None]:
    """Let SIGTERM and SIGHUP raise SystemExit: output is flushed and unfinished files are removed.

    The exit code is that of a shell, 128 and the signal's number.
    """
    with contextlib.ExitStack() as stack:
        for name in ("SIGTERM", "SIGHUP"):
            if hasattr(signal, name):  # Windows has no SIGHUP
                number = getattr(signal, name)
                stack.enter_context(_handling(number, signal.SIG_DFL, _exit))
        yield


def _exit(number: int, frame: FrameType | None) -> None:
    sys.exit(128 + number)


@contextlib.contextmanager
def _handling(
    number: int, usual: Any, handler: Callable[[int, FrameType | None], Any]
) -> Iterator[None]:
    """Handle a signal in the `with` block, unless it is ignored or handled already."""
    is_main = threading.current_thread() is threading.main_thread()  # others cannot handle signals
    if not is_main or signal.getsignal(number) is not usual:
        yield
        return
    signal.signal(number, handler)
    try:
        yield
    finally:
        signal.signal(number, usual)
