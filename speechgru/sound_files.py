"""Encoded sound: from a path, bytes or a file object to blocks of samples, by libsndfile."""

from __future__ import annotations

import contextlib
import errno
import io
import os
import stat
import time
from collections.abc import Iterator
from types import TracebackType
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from speechgru.errors import AudioError, show
from speechgru.fork_lock import not_forking

BLOCK_BYTES = 1 << 20
_MAX_STREAM_BYTES = 1 << 31
_WRITER_SECONDS = 1.0  # what a named pipe without a writer is given to get one

# What can hold any number of samples in a byte; its decoders stop where the data does. The
# densest of all others, DWVW, takes at least a bit a sample.
_PACKED_FORMATS = ("FLAC", "OGG", "MP3")
_PACKED_SUBTYPES = ("VORBIS", "OPUS", "MPEG", "ALAC")
_SAMPLES_PER_BYTE = 8


class Readable(Protocol):
    """A binary file object: `read()` returns the bytes from its position to its end."""

    def read(self) -> bytes: ...


class Content:
    """Encoded sound, as an open file's descriptor or as bytes, to be read any number of times."""

    def __init__(self, file: int | bytes) -> None:
        self._file = file
        self.size = os.fstat(file).st_size if isinstance(file, int) else len(file)

    def __enter__(self) -> Content:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if isinstance(self._file, int):
            os.close(self._file)

    def open(self) -> int | _Memory:
        """What libsndfile reads, from the beginning. libsndfile closes a descriptor itself."""
        # It never gets the path: soundfile wants a rate and channels for one that ends in .raw.
        if isinstance(self._file, bytes):
            return _Memory(self._file)
        descriptor = os.dup(self._file)
        os.lseek(descriptor, 0, os.SEEK_SET)
        return descriptor

    def head(self, length: int) -> bytes:
        """The first bytes."""
        if isinstance(self._file, bytes):
            return self._file[:length]
        os.lseek(self._file, 0, os.SEEK_SET)
        return os.read(self._file, length)

    def read(self) -> bytes:
        """All bytes."""
        if isinstance(self._file, bytes):
            return self._file
        os.lseek(self._file, 0, os.SEEK_SET)
        with open(self._file, "rb", closefd=False) as file:
            return file.read()


class _Memory(io.BytesIO):
    """Bytes that may be asked to seek anywhere, as damaged headers do."""

    def seek(self, offset: int, whence: int = 0, /) -> int:
        # libsndfile calls this: an exception would not reach us but be printed.
        try:
            return super().seek(offset, whence)
        except (ValueError, OverflowError):
            return self.tell()


def open_content(source: object, name: str) -> Content:
    """Open encoded sound.

    Args:
        source: a path, bytes or a binary file object.
        name: the source's name in messages.

    Raises:
        AudioError: the source has another type, cannot be read or is empty.
        FileNotFoundError: there is nothing at the path.
    """
    if isinstance(source, (bytes, bytearray, memoryview)):
        data = _to_bytes(source, name)
    elif isinstance(source, (str, os.PathLike)):
        return _open_path(source, name)
    else:
        data = _read_object(source, name)
    if not data:
        raise AudioError(f"{name}: expected encoded sound, found no bytes")
    return Content(data)


class DecodingError(Exception):
    """libsndfile cannot decode the bytes."""


@contextlib.contextmanager
def open_sound(content: Content) -> Iterator[Any]:
    """Open encoded sound as a soundfile.SoundFile.

    Raises:
        DecodingError: libsndfile cannot open it, or the block cannot read it.
    """
    with not_forking:
        import soundfile
    try:
        with not_forking:
            sound = soundfile.SoundFile(content.open())
        with sound:
            yield sound
    except soundfile.SoundFileError as error:
        raise DecodingError(getattr(error, "error_string", error)) from error


def read_blocks(sound: Any, size: int) -> Iterator[npt.NDArray[np.float32]]:
    """Decode an open soundfile.SoundFile.

    Args:
        sound: the soundfile.SoundFile.
        size: bytes of the encoded sound.

    Yields:
        Samples, (frames, channels), in a buffer that the next block overwrites.
    """
    # soundfile seeks after each read of a seekable file. That breaks MP3 at every block, fails
    # for DWVW and for FLAC of unknown length, and is of no use to a reader that never goes back.
    sound.seekable = lambda: False
    left = sound.frames
    if not (sound.format in _PACKED_FORMATS or sound.subtype.startswith(_PACKED_SUBTYPES)):
        # Some decoders (SDS, GSM) go on for as many frames as the header claims, data or not.
        left = min(left, _SAMPLES_PER_BYTE * size // sound.channels)
    buffer = np.empty((min(left, block_frames(sound.channels)), sound.channels), np.float32)
    while left and len(block := sound.read(min(left, len(buffer)), out=buffer)):
        left -= len(block)
        yield block


def block_frames(channels: int) -> int:
    """Number of frames in a block of samples."""
    return max(1, BLOCK_BYTES // (4 * channels))


def _to_bytes(data: bytes | bytearray | memoryview, name: str) -> bytes:
    try:
        return bytes(data)
    except ValueError as error:
        raise AudioError(f"{name}: expected encoded sound, found {error}") from error


def _open_path(path: str | os.PathLike[str], name: str) -> Content:
    # A FIFO that replaces the file after the check must not hang the open either.
    flags = os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)
    try:
        path = os.fspath(path)
        status = os.stat(path)
        if stat.S_ISREG(status.st_mode) and status.st_size:
            return Content(os.open(path, flags))
        data = _read_pipe(os.open(path, flags), name) if stat.S_ISFIFO(status.st_mode) else b""
    except FileNotFoundError:
        message = "expected a sound file, found nothing"
        raise FileNotFoundError(errno.ENOENT, message, os.fsdecode(path)) from None
    except AudioError:
        raise
    except Exception as error:  # OSError, ValueError for a NUL, or what __fspath__ raises
        reason = getattr(error, "strerror", None) or error
        raise AudioError(f"{name}: expected a readable sound file, found: {reason}") from error
    if data:
        return Content(data)
    raise AudioError(f"{name}: expected a sound file, found {_kind(status)}")


def _read_pipe(descriptor: int, name: str) -> bytes:
    """Read a pipe, opened without waiting, to its end: b"" if nothing opens it to write."""
    deadline = time.monotonic() + _WRITER_SECONDS
    with open(descriptor, "rb") as pipe:
        while True:
            try:
                data = os.read(descriptor, 1)
            except BlockingIOError:  # a writer has opened the pipe, and has not written yet
                os.set_blocking(descriptor, True)
                continue
            if data or time.monotonic() > deadline:
                break
            time.sleep(0.01)
        os.set_blocking(descriptor, True)
        return data and data + read_stream(pipe, name)


def read_stream(stream: Any, name: str) -> bytes:
    """Read a pipe or a similar stream to its end.

    Raises:
        AudioError: there are more than 2 GiB.
    """
    data: bytes = stream.read(_MAX_STREAM_BYTES + 1)
    if len(data) > _MAX_STREAM_BYTES:
        raise AudioError(f"{name}: expected at most {_MAX_STREAM_BYTES >> 30} GiB, found more")
    return data


def _kind(status: os.stat_result) -> str:
    if stat.S_ISREG(status.st_mode):
        return "an empty file"
    return "a folder" if stat.S_ISDIR(status.st_mode) else "a pipe, socket or device"


def _read_object(source: Any, name: str) -> bytes:
    try:
        read = getattr(source, "read", None)
        if read is None:
            kind = type(source).__name__
            raise AudioError(
                f"{name}: expected a path, bytes, a binary file object or an array, found {kind}"
            )
        if isinstance(source, io.TextIOBase):
            raise AudioError(f"{name}: expected a binary file object, found a text file object")
        data = read()
    except AudioError:
        raise
    except Exception as error:  # a foreign object's read may raise anything
        raise AudioError(
            f"{name}: expected a file object that can be read, found {show(error)}"
        ) from error
    if not isinstance(data, bytes):
        kind = type(data).__name__
        raise AudioError(f"{name}: expected bytes from its read(), found {kind}")
    return data
