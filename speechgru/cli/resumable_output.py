"""A file of results to which an interrupted run of a command goes on to write."""

import contextlib
import csv
import errno
import json
from collections.abc import Iterator
from pathlib import Path
from typing import IO

from speechgru import atomic_files
from speechgru.errors import SpeechGRUError, escape, shorten

_JSON_START = b'{"file": "'


class ResumableOutput:
    """Results in lines of JSON, or of CSV under a header, that begin with a file's name."""

    def __init__(self, path: Path, file: IO[bytes], names: set[str]) -> None:
        self._path = path
        self._file = file
        self._names = names

    def __contains__(self, name: str) -> bool:
        """Whether there was a result for a file when the output was opened."""
        return name in self._names or escape(name) in self._names

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
        SpeechGRUError: the file holds something else. It is not changed.
        OSError: the file cannot be read or written. The error names it.
    """
    if path.exists() and not path.is_file():
        kind = errno.EISDIR if path.is_dir() else errno.EINVAL
        raise OSError(kind, "expected a file or nothing, found something else", str(path))
    with atomic_files.naming_file(path):
        file = path.open("ab+")
        try:
            file.seek(0)
            names, end = _read(file, path, header)
            file.truncate(end)
            file.seek(end)
            if header is not None and end == 0:
                file.write(header.encode() + b"\n")
            yield ResumableOutput(path, file, names)
        finally:
            file.close()


def _read(file: IO[bytes], path: Path, header: str | None) -> tuple[set[str], int]:
    """The names in a file of results, and the position behind its last complete line."""
    names: set[str] = set()
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
            raise SpeechGRUError(f"{path}: expected results as {kind}, found the line: {found}")
        names.add(name)
        end += len(line)
    return names, end


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
