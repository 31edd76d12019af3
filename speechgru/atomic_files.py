"""Write files so that a crash or a full disk never leaves half of one."""

import contextlib
import errno
import os
import secrets
from collections.abc import Iterator
from pathlib import Path

TOKEN_BYTES = 8  # of a temporary name


@contextlib.contextmanager
def replacing(path: Path, *, durable: bool = True) -> Iterator[Path]:
    """Yield a new path beside `path` to write to, and rename it to `path` at the end of the block.

    If the block raises, `path` stays as it was and the new file is removed. If the process is
    killed, the new file stays; see `remove_unfinished`.

    Args:
        path: the file to create or to replace.
        durable: whether to wait until the disk has the content. If False, which is faster for many
            small files, a power cut may leave an empty file. Default True.

    Yields:
        A path in the same folder with the same suffix.

    Raises:
        OSError: the file cannot be written, or `path` is not a file. The error names `path`.
    """
    if path.exists() and not path.is_file():  # renaming would replace a device such as /dev/null
        kind = errno.EISDIR if path.is_dir() else errno.EINVAL
        raise OSError(kind, "expected a file or nothing, found something else", str(path))
    unfinished = path.with_name(f".{secrets.token_hex(TOKEN_BYTES)}.part{path.suffix}")
    try:
        with naming_file(path, unfinished):
            yield unfinished
            if durable:
                _sync(unfinished)  # else a power cut may leave the name without the content
            os.replace(unfinished, path)
            if durable:
                _sync_folder(path.parent)
    finally:
        with contextlib.suppress(OSError):  # the first error is the one to report
            unfinished.unlink(missing_ok=True)


def remove_unfinished(folder: Path) -> None:
    """Remove what killed processes have left of the files that `replacing` writes in a folder.

    Raises:
        OSError: a file cannot be removed.
    """
    for path in folder.glob(f".{'?' * 2 * TOKEN_BYTES}.part*"):
        path.unlink(missing_ok=True)


def write_text(path: Path, text: str) -> None:
    """Write a text file as UTF-8 with line feeds, all of it or nothing.

    Args:
        path: the file to create or to replace.
        text: its content.

    Raises:
        OSError: the file cannot be written. The error names `path`.
    """
    with replacing(path) as unfinished:
        unfinished.write_text(text, encoding="utf-8", newline="\n")


@contextlib.contextmanager
def naming_file(path: Path, unfinished: Path | None = None) -> Iterator[None]:
    """Add `path` to errors of the system that name no file, such as those of a full disk.

    Args:
        path: the file that the block writes.
        unfinished: its temporary name, which errors are not to show. Default None.
    """
    try:
        yield
    except OSError as error:
        if error.errno is not None and error.filename in (None, str(unfinished), unfinished):
            error.filename, error.filename2 = str(path), None
        raise


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDWR)  # Windows syncs no file that is open for reading only
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _sync_folder(folder: Path) -> None:
    if os.name == "nt":  # Windows opens no folders
        return
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        with contextlib.suppress(OSError):  # some network file systems sync no folders
            os.fsync(descriptor)
    finally:
        os.close(descriptor)
