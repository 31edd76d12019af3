"""Write files whole or not at all: beside their place first, then renamed."""

import contextlib
import os
from collections.abc import Iterator
from pathlib import Path


@contextlib.contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """Give a path beside `path` to write to; it replaces `path` when the block succeeds.

    Raises:
        OSError: the file cannot be written; the message names `path`.
    """
    unfinished = path.with_name(f".{path.stem}.part{path.suffix}")
    try:
        with naming_file(path):
            yield unfinished
            _flush_to_disk(unfinished)  # or a power cut could leave the name without the content
            unfinished.replace(path)
            _flush_to_disk(path.parent)
    finally:
        unfinished.unlink(missing_ok=True)


def write_text(path: Path, text: str) -> None:
    """Write a text file as UTF-8, with a line feed at each line's end on every system."""
    with replacing(path) as unfinished:
        unfinished.write_text(text, encoding="utf-8", newline="\n")


@contextlib.contextmanager
def naming_file(path: Path) -> Iterator[None]:
    """Add `path` to errors of the system that name no file, such as those of a full disk."""
    try:
        yield
    except OSError as error:
        if error.errno is None or error.filename is not None:
            raise
        raise OSError(error.errno, error.strerror, str(path)) from error


def _flush_to_disk(path: Path) -> None:
    if os.name == "nt":  # Windows flushes no folder, and no file that is open for reading
        return
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
