"""Encoded sound: from a path, bytes or a file object to blocks of samples.

libsndfile decodes it, or ffmpeg what libsndfile cannot read.
"""

from __future__ import annotations

import contextlib
import errno
import io
import os
import stat
import time
from collections.abc import Iterator
from types import TracebackType
from typing import Any, NamedTuple, Protocol

import numpy as np
import numpy.typing as npt

from speechgru.audio import ffmpeg
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
        self.file = file
        self.size = os.fstat(file).st_size if isinstance(file, int) else len(file)

    def __enter__(self) -> Content:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if isinstance(self.file, int):
            os.close(self.file)

    def open(self) -> int | _Memory:
        """What libsndfile reads, from the beginning. libsndfile closes a descriptor itself."""
        # It never gets the path: soundfile wants a rate and channels for one that ends in .raw.
        if isinstance(self.file, bytes):
            return _Memory(self.file)
        descriptor = os.dup(self.file)
        os.lseek(descriptor, 0, os.SEEK_SET)
        return descriptor

    def head(self, length: int) -> bytes:
        """The first bytes."""
        if isinstance(self.file, bytes):
            return self.file[:length]
        os.lseek(self.file, 0, os.SEEK_SET)
        return os.read(self.file, length)

    def read(self) -> bytes:
        """All bytes."""
        if isinstance(self.file, bytes):
            return self.file
        os.lseek(self.file, 0, os.SEEK_SET)
        with open(self.file, "rb", closefd=False) as file:
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
    """The bytes cannot be decoded. The message says what was expected and found."""


class Sound(NamedTuple):
    """Sound that is being decoded.

    Attributes:
        rate: Hz.
        channels: number of channels.
        blocks: samples, (frames, channels), in a buffer that the next block overwrites. They can
            be read once.
    """

    rate: int
    channels: int
    blocks: Iterator[npt.NDArray[np.float32]]


@contextlib.contextmanager
def open_sound(content: Content) -> Iterator[Sound]:
    """Open encoded sound in the `with` block: with libsndfile, or ffmpeg for what only it reads.

    Raises:
        DecodingError: it cannot be opened, or the block cannot read it.
    """
    form = ffmpeg.identify(content.head(ffmpeg.HEAD_BYTES))
    if form is None:
        with _open_by_libsndfile(content) as sound:
            yield sound
        return
    try:
        with ffmpeg.decode(content.file, form, BLOCK_BYTES) as (rate, channels, blocks):
            yield Sound(rate, channels, blocks)
    except ffmpeg.FFmpegError as error:
        raise DecodingError(error) from error


@contextlib.contextmanager
def _open_by_libsndfile(content: Content) -> Iterator[Sound]:
    with not_forking:
        import soundfile
    try:
        with not_forking:
            sound = soundfile.SoundFile(content.open())
        with sound:
            yield Sound(sound.samplerate, sound.channels, _read_blocks(sound, content.size))
    except soundfile.SoundFileError as error:
        reason = getattr(error, "error_string", error)
        raise DecodingError(
            f"expected sound that libsndfile can decode, found: {reason}"
        ) from error


def _read_blocks(sound: Any, size: int) -> Iterator[npt.NDArray[np.float32]]:
    """Decode an open soundfile.SoundFile with `size` bytes."""
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
