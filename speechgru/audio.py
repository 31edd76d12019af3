"""Any sound, from a file, bytes or an array, as 16 kHz mono float32 samples."""

from __future__ import annotations

import errno
import io
import math
import numbers
import os
import stat
from collections.abc import Iterable, Iterator
from typing import Any, Protocol, TypeAlias

import numpy as np
import numpy.typing as npt

from speechgru.errors import SpeechGRUError

__all__ = ["SAMPLE_RATE", "AudioError", "Readable", "Source", "describe", "load"]

SAMPLE_RATE = 16_000
"""Rate in Hz of every signal that `load` returns."""

_MIN_RATE, _MAX_RATE = 4_000, 192_000
_MAX_SECONDS = 24 * 60 * 60
_MAX_PEAK = 16.0  # beyond it, floats are integers that nobody scaled, not loud sound
_BLOCK_BYTES = 1 << 20
_MAX_CHANNELS = 1024  # libsndfile's own limit; more is an array of (channels, frames)
_MAX_NAME = 4096  # no system opens a longer path

# What can hold any number of samples in a byte; its decoders stop where the data does. The
# densest of all others, DWVW, takes at least a bit a sample.
_PACKED_FORMATS = ("FLAC", "OGG", "MP3")
_PACKED_SUBTYPES = ("VORBIS", "OPUS", "MPEG", "ALAC")
_SAMPLES_PER_BYTE = 8

# Integer samples: what stands for zero, and for full scale (the PCM conventions).
_INTEGERS = {"uint8": (128, 2**7), "int16": (0, 2**15), "int32": (0, 2**31)}
_FLOATS = ("float16", "float32", "float64")

_Samples: TypeAlias = npt.NDArray[np.float32]
_Array: TypeAlias = npt.NDArray[Any]


class AudioError(SpeechGRUError, ValueError):
    """A source cannot be read as sound. The message names it, what was expected and found."""


class Readable(Protocol):
    """A binary file object: `read()` returns the bytes from its position to its end."""

    def read(self) -> bytes: ...


Source: TypeAlias = str | os.PathLike[str] | bytes | bytearray | memoryview | Readable | _Array
"""What `load` reads: a path, an encoded file's bytes, a binary file object or an array."""


def load(source: Source, sample_rate: int | None = None) -> _Samples:
    """Read a sound: channels averaged, resampled to 16 kHz, clipped to [-1, 1].

    Args:
        source: a path, or the bytes or binary file object of an encoded sound (any format
            that libsndfile reads), or an array, (frames,) or (frames, channels). Arrays hold
            float16, float32 or float64 samples in [-1, 1], or uint8, int16 or int32 PCM.
        sample_rate: Hz, an integral number from 4,000 to 192,000. Required for an array. For
            encoded sound None, or the rate that the sound itself states. Default: None.

    Returns:
        The samples, float32 (frames,), at least one, C-contiguous, never the caller's memory.

    Raises:
        AudioError: the source is no sound, cannot be read, is damaged, is longer than 24 h, or
            has no samples, NaN or infinite samples, a peak above 16 or a rate out of range.
        FileNotFoundError: there is nothing at the path.
    """
    name = describe(source)
    rate = None if sample_rate is None else _check_rate(sample_rate, name)
    try:
        # Samples are checked below: the caller's floating-point settings must not matter.
        with np.errstate(all="ignore"):
            if isinstance(source, np.ndarray):
                return _load_array(np.asarray(source), rate, name)
            return _decode(_open(source, name), rate, name)
    except MemoryError as error:
        raise AudioError(f"{name}: expected sound that fits in memory, found more") from error


def describe(source: object) -> str:
    """Name a source in a message: its path, or "<bytes>", "<array>", "<file object NAME>"."""
    if isinstance(source, (bytes, bytearray, memoryview)):
        return "<bytes>"
    if isinstance(source, np.ndarray):
        return "<array>"
    try:
        if isinstance(source, (str, os.PathLike)):
            return _shorten(os.fsdecode(source), _MAX_NAME)
        if hasattr(source, "read"):
            name = getattr(source, "name", None)
            return "<file object>" if name is None else f"<file object {_show(name)}>"
    except Exception:  # attributes of foreign objects may raise anything
        pass
    return f"<{type(source).__name__}>"


def _show(value: object) -> str:
    try:
        text = value if isinstance(value, str) else repr(value)
    except Exception:  # so may their repr, and that of an int of 5,000 digits
        text = f"<{type(value).__name__}>"
    return _shorten(text, 200)


def _shorten(text: str, length: int) -> str:
    return text if len(text) <= length else f"{text[: length // 2]}...{text[-length // 2 :]}"


def _check_rate(rate: Any, name: str) -> int:
    if isinstance(rate, (float, np.floating)):
        integral = float(rate).is_integer()
    else:
        integral = isinstance(rate, numbers.Integral)  # as is True, which is out of range
    if not integral or not _MIN_RATE <= rate <= _MAX_RATE:
        raise AudioError(
            f"{name}: expected a sample rate of {_MIN_RATE} to {_MAX_RATE} Hz, found {_show(rate)}"
        )
    return int(rate)


# Encoded sound


class _Memory(io.BytesIO):
    """Bytes that may be asked to seek anywhere, as damaged headers do."""

    def seek(self, offset: int, whence: int = 0, /) -> int:
        # libsndfile calls this: an exception would not reach us but be printed.
        try:
            return super().seek(offset, whence)
        except (ValueError, OverflowError):
            return self.tell()


def _open(source: object, name: str) -> int | _Memory:
    """Make what libsndfile reads from: a descriptor for a path, else the bytes."""
    # It never sees the path: soundfile wants a rate and channels for one that ends in .raw.
    if isinstance(source, (bytes, bytearray, memoryview)):
        data = _to_bytes(source, name)
    elif isinstance(source, (str, os.PathLike)):
        return _open_path(source, name)
    else:
        data = _read_all(source, name)
    if not data:
        raise AudioError(f"{name}: expected encoded sound, found no bytes")
    return _Memory(data)


def _to_bytes(data: bytes | bytearray | memoryview, name: str) -> bytes:
    try:
        return bytes(data)
    except ValueError as error:
        raise AudioError(f"{name}: expected encoded sound, found {error}") from error


def _open_path(path: str | os.PathLike[str], name: str) -> int:
    # A FIFO that replaces the file after the check must not hang the open either.
    flags = os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)
    try:
        path = os.fspath(path)
        status = os.stat(path)
        if stat.S_ISREG(status.st_mode) and status.st_size:
            return os.open(path, flags)
    except FileNotFoundError:
        message = "expected a sound file, found nothing"
        raise FileNotFoundError(errno.ENOENT, message, name) from None
    except Exception as error:  # OSError, ValueError for a NUL, or what __fspath__ raises
        reason = getattr(error, "strerror", None) or error
        raise AudioError(f"{name}: expected a readable sound file, found: {reason}") from error
    raise AudioError(f"{name}: expected a sound file, found {_kind(status)}")


def _kind(status: os.stat_result) -> str:
    if stat.S_ISREG(status.st_mode):
        return "an empty file"
    return "a folder" if stat.S_ISDIR(status.st_mode) else "a pipe, socket or device"


def _read_all(source: Any, name: str) -> bytes:
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
            f"{name}: expected a file object that can be read, found {_show(error)}"
        ) from error
    if not isinstance(data, bytes):
        kind = type(data).__name__
        raise AudioError(f"{name}: expected bytes from its read(), found {kind}")
    return data


def _decode(file: int | _Memory, rate: int | None, name: str) -> _Samples:
    import soundfile

    size = os.fstat(file).st_size if isinstance(file, int) else len(file.getbuffer())
    try:
        # libsndfile owns a descriptor from here on: it closes it, also where it fails.
        with soundfile.SoundFile(file) as sound:
            own_rate = _check_rate(sound.samplerate, name)
            if rate not in (None, own_rate):
                raise AudioError(
                    f"{name}: expected a sample rate of {rate} Hz, found {own_rate} Hz"
                )
            return _to_16k(_read_blocks(sound, size), own_rate, name)
    except soundfile.SoundFileError as error:
        reason = getattr(error, "error_string", error)
        raise AudioError(
            f"{name}: expected sound that libsndfile can decode, found: {reason}"
        ) from error


def _read_blocks(sound: Any, size: int) -> Iterator[_Samples]:
    # soundfile seeks after each read of a seekable file. That breaks MP3 at every block, fails
    # for DWVW and for FLAC of unknown length, and is of no use to a reader that never goes back.
    sound.seekable = lambda: False
    left = sound.frames
    if not (sound.format in _PACKED_FORMATS or sound.subtype.startswith(_PACKED_SUBTYPES)):
        # Some decoders (SDS, GSM) go on for as many frames as the header claims, data or not.
        left = min(left, _SAMPLES_PER_BYTE * size // sound.channels)
    buffer = np.empty((min(left, _block_frames(sound.channels)), sound.channels), np.float32)
    while left and len(block := sound.read(min(left, len(buffer)), out=buffer)):
        left -= len(block)
        yield block


def _block_frames(channels: int) -> int:
    return max(1, _BLOCK_BYTES // (4 * channels))


# Arrays


def _load_array(array: _Array, rate: int | None, name: str) -> _Samples:
    if rate is None:
        raise AudioError(f"{name}: expected a sample_rate with an array, found none")
    if array.dtype.name not in (*_FLOATS, *_INTEGERS):
        expected = ", ".join((*_FLOATS, *_INTEGERS))
        raise AudioError(f"{name}: expected a dtype of {expected}, found {_show(array.dtype)}")
    channels = array.shape[1] if array.ndim == 2 else 1
    if array.ndim not in (1, 2) or not array.size or channels > _MAX_CHANNELS:
        raise AudioError(
            f"{name}: expected samples shaped (frames,) or (frames, channels) with at most "
            f"{_MAX_CHANNELS} channels, found shape {array.shape}"
        )
    _check_length(len(array), rate, name)
    frames = array[:, np.newaxis] if array.ndim == 1 else array
    return _to_16k(_array_blocks(frames), rate, name)


def _array_blocks(frames: _Array) -> Iterator[_Array]:
    zero, full_scale = _INTEGERS.get(frames.dtype.name, (0, 1))
    step = _block_frames(frames.shape[1])
    for start in range(0, len(frames), step):
        block = frames[start : start + step]
        if block.dtype.kind != "f":
            block = (block.astype(np.float32) - zero) / full_scale
        yield block


# From blocks of any rate and channels to one signal


def _to_16k(blocks: Iterable[_Array], rate: int, name: str) -> _Samples:
    """Join blocks of shape (frames, channels); only the 16 kHz signal is ever held."""
    resampler = None
    if rate != SAMPLE_RATE:
        import soxr

        resampler = soxr.ResampleStream(rate, SAMPLE_RATE, 1, dtype="float32", quality="HQ")

    signal = bytearray()  # grows in place, where concatenating arrays would hold them twice
    frames = 0
    for block in blocks:
        frames += len(block)
        _check_length(frames, rate, name)
        _check_samples(block, name)
        mono = _mix(block)
        signal += _clip(mono if resampler is None else resampler.resample_chunk(mono))
    if not frames:
        raise AudioError(f"{name}: expected sound, found no samples")
    if resampler is not None:
        signal += _clip(resampler.resample_chunk(np.empty(0, np.float32), last=True))
    # One frame at a high rate is less than a sample at 16 kHz: it becomes one zero.
    return np.frombuffer(signal or bytearray(4), np.float32)


def _check_length(frames: int, rate: int, name: str) -> None:
    if frames > _MAX_SECONDS * rate:
        raise AudioError(
            f"{name}: expected at most {_MAX_SECONDS / 3600:g} hours of sound, found more"
        )


def _check_samples(block: _Array, name: str) -> None:
    # In the block's own dtype and before the mix, which could hide a peak or overflow. The
    # extremes of samples with a NaN are NaN.
    low, high = float(block.min()), float(block.max())
    if not (math.isfinite(low) and math.isfinite(high)):
        found = "NaN" if math.isnan(low) else "infinity"
        raise AudioError(f"{name}: expected finite samples, found {found}")
    if max(-low, high) > _MAX_PEAK:
        raise AudioError(
            f"{name}: expected samples in [-1, 1], found a peak of {max(-low, high):g}"
        )


def _mix(block: _Array) -> _Samples:
    block = block.astype(np.float32, copy=False)
    channels = block.shape[1]
    if channels == 1:
        return np.ascontiguousarray(block[:, 0])
    # A product with equal weights is the mean, and 40 times as fast as mean(axis=1).
    mono: _Samples = np.dot(block, np.full(channels, 1 / channels, np.float32))
    return mono


def _clip(mono: _Samples) -> memoryview:
    return np.ascontiguousarray(mono.clip(-1, 1)).data
