"""A file of results that is continued after an interruption."""

import collections
import contextlib
import csv
import errno
import json
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import IO

from speechgru import atomic_files
from speechgru.errors import SpeechGRUError, escape, shorten

_JSON_START = b'{"file": "'
_LAST_LINES = 16


class ResumableOutput:
    """Results in lines of JSON, or of CSV under a header, that begin with a file's name.

    Attributes:
        last: the last complete lines when the output was opened, at most 16.
    """

    def __init__(
        self, path: Path, file: IO[bytes], names: list[str], last: Iterable[bytes], is_csv: bool
    ) -> None:
        self.last = [line.decode().rstrip("\r\n") for line in last]
        self._path = path
        self._file = file
        self._counts = collections.Counter(names)
        self._is_csv = is_csv

    def missing(self, names: Iterable[str]) -> list[str]:
        """The files for which there was no result when the output was opened.

        A file that is named twice has two results. CSV escapes names, so that two files may have
        the same name there.
        """
        counts = self._counts.copy()
        missing = []
        for name in names:
            saved = escape(name) if self._is_csv else name
            if counts[saved] > 0:
                counts[saved] -= 1
            else:
                missing.append(name)
        return missing

    def write(self, line: str) -> None:
        """Append a line."""
        with atomic_files.naming_file(self._path):
            self._file.write(line.encode() + b"\n")


@contextlib.contextmanager
def open_resumable(path: Path, header: str | None) -> Iterator[ResumableOutput]:
    """Open a file to append results, and remove the line that an interruption has cut.

    Args:
        path: the file; it is created if there is none.
        header: first line of a file in CSV; None: the file holds JSON.

    Raises:
        SpeechGRUError: the file holds something else, or another process writes results to it. It
            is not changed.
        OSError: the file cannot be read or written. The error names it.
    """
    if path.exists() and not path.is_file():
        kind = errno.EISDIR if path.is_dir() else errno.EINVAL
        raise OSError(kind, "expected a file or nothing, found something else", str(path))
    with atomic_files.naming_file(path):
        file = path.open("ab+")
        try:
            _lock(file, path)
            file.seek(0)
            names, last, end = _read(file, path, header)
            file.truncate(end)
            file.seek(end)
            if header is not None and end == 0:
                file.write(header.encode() + b"\n")
            yield ResumableOutput(path, file, names, last, is_csv=header is not None)
        finally:
            file.close()


def _lock(file: IO[bytes], path: Path) -> None:
    """Keep other processes from opening the file in this way, until it is closed."""
    if sys.platform == "win32":
        return
    import fcntl

    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        raise SpeechGRUError(
            f"{escape(str(path))}: expected a file that no other process writes results to, "
            "found that one does"
        ) from None
    except OSError:  # some network file systems have no locks
        pass


def _read(
    file: IO[bytes], path: Path, header: str | None
) -> tuple[list[str], Iterable[bytes], int]:
    """The names in a file of results, its last complete lines, and the position behind them."""
    names: list[str] = []
    last: collections.deque[bytes] = collections.deque(maxlen=_LAST_LINES)
    end = 0
    for line in file:
        if line.endswith(b"\n"):
            name = _json_name(line) if header is None else _csv_name(line, header, is_first=not end)
        else:  # what an interruption, or a power cut that leaves zeros, has left
            start = _JSON_START if header is None else header.encode() if not end else b""
            tail = line.rstrip(b"\0")
            name = "" if tail[: len(start)] == start[: len(tail)] else None
            if name is not None:
                break
        if name is None:
            kind = "JSON" if header is None else "CSV"
            found = escape(shorten(line.decode(errors="replace").rstrip("\n"), 80))
            raise SpeechGRUError(
                f"{escape(str(path))}: expected results as {kind}, found the line: {found}"
            )
        if header is None or end:
            names.append(name)
            last.append(line)
        end += len(line)
    return names, last, end


def _json_name(line: bytes) -> str | None:
    try:
        name = json.loads(line)["file"]
    except (ValueError, TypeError, KeyError, RecursionError):
        return None
    return name if isinstance(name, str) else None


def _csv_name(line: bytes, header: str, *, is_first: bool) -> str | None:
    try:
        text = line.decode().rstrip("\n")
        (row,) = csv.reader([text], strict=True)
    except (ValueError, csv.Error):
        return None
    if is_first:
        return "" if text == header else None
    return row[0] if len(row) == len(header.split(",")) else None
