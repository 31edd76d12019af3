"""Signals that end a command: Ctrl-C, and what `kill` and a terminal that closes send."""

import atexit
import contextlib
import os
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator
from types import FrameType
from typing import Any

INTERRUPTED = 130

_TIDYING_SECONDS = 1.0
_USUAL_HANDLERS = {
    "SIGINT": signal.default_int_handler,
    "SIGTERM": signal.SIG_DFL,
    "SIGHUP": signal.SIG_DFL,
}


@contextlib.contextmanager
def leaving_at_once() -> Iterator[None]:
    """End the process at Ctrl-C without a traceback, while there is nothing to tidy up.

    An exception would not do: libraries that are being imported turn it into others.
    """
    with _handling(signal.SIGINT, signal.default_int_handler, lambda *_: os._exit(INTERRUPTED)):
        yield


@contextlib.contextmanager
def tidying_up() -> Iterator[None]:
    """Let the first signal raise an exception: output is flushed, unfinished files are removed.

    Ctrl-C raises KeyboardInterrupt. SIGTERM and SIGHUP raise SystemExit with the exit code of a
    shell, 128 and the signal's number.
    """
    ending = _Ending()
    with contextlib.ExitStack() as stack:
        for name, usual in _USUAL_HANDLERS.items():
            if hasattr(signal, name):  # Windows has no SIGHUP
                stack.enter_context(_handling(getattr(signal, name), usual, ending.handle))
        try:
            yield
        finally:
            if ending.has_begun:  # later signals must not disturb Python's exit
                stack.pop_all()


class _Ending:
    """Raises an exception at the first signal. Later ones are ignored.

    If the process takes long to end, as when it writes to a pipe that nobody reads, they kill it.
    """

    def __init__(self) -> None:
        self._start: float | None = None

    @property
    def has_begun(self) -> bool:
        return self._start is not None

    def handle(self, number: int, frame: FrameType | None) -> None:
        if self._start is None:
            self._start = time.monotonic()
            atexit.register(signal.signal, number, signal.SIG_IGN)
            if number == signal.SIGINT:
                raise KeyboardInterrupt
            sys.exit(128 + number)
        if time.monotonic() - self._start > _TIDYING_SECONDS:
            os._exit(128 + number)


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
