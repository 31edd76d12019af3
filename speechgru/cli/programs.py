"""Programs that run at each detection."""

import re
import shlex
import subprocess
import sys
import time
from types import TracebackType

from speechgru.cli.standard_streams import complain, message
from speechgru.detection import Detection
from speechgru.errors import SpeechGRUError, escape

_MOST_RUNNING = 32
_LAST_SECONDS = 2.0  # that programs get to end when the sound has ended
_FIELD = re.compile(r"\{(label|time|confidence)\}")


class Programs:
    """Runs a program at each detection, without a shell and without waiting for it.

    Use it as a context manager: at the end of the context, programs get some time to end.

    Args:
        template: the program and its arguments, split into words as a shell does. In each word,
            {label}, {time} and {confidence} are replaced.

    Attributes:
        write_to_stderr: whether what programs write to stdout goes to stderr. Default False.

    Raises:
        ValueError: the template holds no words, or quotation marks are not closed.
    """

    def __init__(self, template: str) -> None:
        self._words = shlex.split(template)
        if not self._words:
            raise ValueError("No words")
        self.write_to_stderr = False
        self._running: list[subprocess.Popen[bytes]] = []

    def __enter__(self) -> "Programs":
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if kind is None or issubclass(kind, SpeechGRUError):  # not after Ctrl-C
            self.finish()

    def run(self, detection: Detection) -> None:
        """Start the program. What goes wrong is a message on stderr."""
        self.check()
        values = {
            "label": detection.label,
            "time": f"{detection.time:.3f}",
            "confidence": f"{detection.confidence:.6f}",
        }
        command = [_FIELD.sub(lambda field: values[field[1]], word) for word in self._words]
        if len(self._running) >= _MOST_RUNNING:
            complain(f"{escape(command[0])}: not started, as {_MOST_RUNNING} of them still run")
            return
        errors = _standard_error()
        output = None
        if self.write_to_stderr:
            output = subprocess.DEVNULL if errors is None else errors
        try:
            self._running.append(
                subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=output, stderr=errors)
            )
        except OSError as error:
            complain(message(error))
        except ValueError as error:  # a NUL
            complain(f"{escape(command[0])}: {error}")

    def check(self) -> None:
        """Report the programs that have failed since the last call."""
        running = []
        for process in self._running:
            code = process.poll()
            if code is None:
                running.append(process)
            elif code:
                end = f"signal {-code}" if code < 0 else f"exit code {code}"
                complain(f"{escape(str(process.args[0]))}: ended with {end}")  # type: ignore[index]
        self._running = running

    def finish(self) -> None:
        """Give the programs some time to end, and report those that fail or do not end."""
        deadline = time.monotonic() + _LAST_SECONDS
        self.check()
        while self._running and time.monotonic() < deadline:
            time.sleep(0.02)
            self.check()
        if self._running:
            names = {escape(str(process.args[0])) for process in self._running}  # type: ignore[index]
            complain(f"{', '.join(sorted(names))}: {len(self._running)} still running")


def _standard_error() -> int | None:
    """What is stderr for messages; descriptor 2 may be closed to libraries."""
    try:
        return sys.stderr.fileno()
    except (AttributeError, OSError, ValueError):  # there is none, or it is not a file
        return None
