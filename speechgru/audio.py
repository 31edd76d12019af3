"""Any sound, from a file, bytes or an array, as 16 kHz mono float32 samples."""

from __future__ import annotations

import functools
import math
import numbers
import os
import warnings
from collections.abc import Callable, Iterable, Iterator
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

from speechgru import sound_files, unfinished_headers
from speechgru.errors import AudioError, escape, shorten, show
from speechgru.fork_lock import not_forking
from speechgru.headerless_sound import refuse_headerless
from speechgru.sound_files import Content, DecodingError, Readable

__all__ = ["EXTENSIONS", "SAMPLE_RATE", "AudioError", "Readable", "Source", "describe", "load"]

SAMPLE_RATE = 16_000
"""Rate in Hz of every signal that `load` returns."""

EXTENSIONS = frozenset(
    {".aif", ".aifc", ".aiff", ".au", ".caf", ".flac", ".mp3", ".oga", ".ogg", ".opus", ".rf64"}
    | {".snd", ".w64", ".wav", ".wave"}
)
"""Extensions, in lower case, of the files in a folder that are taken for sound."""

_MIN_RATE, _MAX_RATE = 4_000, 192_000
_MAX_SECONDS = 24 * 60 * 60
_MAX_PEAK = 16.0  # a larger peak means integer samples that were not scaled to [-1, 1]
_MAX_CHANNELS = 1024  # libsndfile's own limit; more is an array of (channels, frames)
_MAX_NAME = 4096  # no system opens a longer path
_SILENT_PEAK = 4096  # of int32 samples that hold 24 bits; see `_scale`
_CANCELLATION = 0.25  # two equally loud channels with a correlation below -0.75; see `_signs`

# Integer samples: the value of silence, and that of full scale (the PCM conventions).
_INTEGERS = {"uint8": (128, 2**7), "int16": (0, 2**15), "int32": (0, 2**31)}
_FLOATS = ("float16", "float32", "float64")

_Samples: TypeAlias = npt.NDArray[np.float32]
_Array: TypeAlias = npt.NDArray[Any]

Source: TypeAlias = str | os.PathLike[str] | bytes | bytearray | memoryview | Readable | _Array
"""What `load` reads: a path, an encoded file's bytes, a binary file object or an array."""


class _NoSamplesError(Exception):
    """Encoded sound without a single frame."""


def load(source: Source, sample_rate: int | None = None) -> _Samples:
    """Read a sound: channels averaged, resampled to 16 kHz, clipped to [-1, 1].

    Channels that cancel out in the average, as in stereo with one channel inverted, are averaged
    after inverting some of them.

    Args:
        source: a path, or the bytes or binary file object of an encoded sound (any format
            that libsndfile reads), or an array, (frames,) or (frames, channels). Arrays hold
            float16, float32 or float64 samples in [-1, 1], or uint8, int16 or int32 PCM. int32
            samples that all lie in the range of int16 are read as 16-bit, with a warning.
        sample_rate: Hz, an integral number from 4,000 to 192,000. Required for an array. For
            encoded sound None, or the rate that the sound itself states. Default: None.

    Returns:
        The samples, float32 (frames,), at least one, C-contiguous, never the caller's memory.

    Raises:
        AudioError: the source is not sound, cannot be read, is damaged, is longer than 24 h, or
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
            with sound_files.open_content(source, name) as content:
                return _load_encoded(content, rate, name)
    except MemoryError as error:
        raise AudioError(f"{name}: expected sound that fits in memory, found more") from error


def describe(source: object) -> str:
    """Name a source in a message: its path, or "<bytes>", "<array>", "<file object NAME>".

    Control characters in a name are escaped.
    """
    if isinstance(source, (bytes, bytearray, memoryview)):
        return "<bytes>"
    if isinstance(source, np.ndarray):
        return "<array>"
    try:
        if isinstance(source, (str, os.PathLike)):
            return escape(shorten(os.fsdecode(source), _MAX_NAME))
        if hasattr(source, "read"):
            name = getattr(source, "name", None)
            if name is None:
                return "<file object>"
            text = escape(shorten(name, 200)) if isinstance(name, str) else show(name)
            return text if text == "<stdin>" else f"<file object {text}>"
    except Exception:  # attributes of foreign objects may raise anything
        pass
    return f"<{type(source).__name__}>"


def _check_rate(rate: Any, name: str) -> int:
    if isinstance(rate, (float, np.floating)):
        integral = float(rate).is_integer()
    else:
        integral = isinstance(rate, numbers.Integral)  # as is True, which is out of range
    if not integral or not _MIN_RATE <= rate <= _MAX_RATE:
        raise AudioError(
            f"{name}: expected a sample rate of {_MIN_RATE} to {_MAX_RATE} Hz, found {show(rate)}"
        )
    return int(rate)


# Encoded sound


def _load_encoded(content: Content, rate: int | None, name: str) -> _Samples:
    content = refuse_headerless(content, name)
    try:
        try:
            return _mix_down(functools.partial(_decode, content, rate, name))
        except (_NoSamplesError, DecodingError):
            finished = unfinished_headers.finish(content.read())
            if finished is None:
                raise
        return _mix_down(functools.partial(_decode, Content(finished), rate, name))
    except _NoSamplesError:
        raise AudioError(f"{name}: expected sound, found no samples") from None
    except DecodingError as error:
        raise AudioError(
            f"{name}: expected sound that libsndfile can decode, found: {error}"
        ) from error


def _decode(
    content: Content, rate: int | None, name: str, signs: _Samples | None
) -> tuple[_Samples, _Array]:
    with sound_files.open_sound(content) as sound:
        own_rate = _check_rate(sound.samplerate, name)
        if rate not in (None, own_rate):
            raise AudioError(f"{name}: expected a sample rate of {rate} Hz, found {own_rate} Hz")
        blocks = sound_files.read_blocks(sound, content.size)
        return _to_16k(blocks, sound.channels, own_rate, name, signs)


# Arrays


def _load_array(array: _Array, rate: int | None, name: str) -> _Samples:
    if rate is None:
        raise AudioError(f"{name}: expected a sample_rate with an array, found none")
    if array.dtype.name not in (*_FLOATS, *_INTEGERS):
        expected = ", ".join((*_FLOATS, *_INTEGERS))
        raise AudioError(f"{name}: expected a dtype of {expected}, found {show(array.dtype)}")
    channels = array.shape[1] if array.ndim == 2 else 1
    if array.ndim not in (1, 2) or not array.size or channels > _MAX_CHANNELS:
        raise AudioError(
            f"{name}: expected samples shaped (frames,) or (frames, channels) with at most "
            f"{_MAX_CHANNELS} channels, found shape {array.shape}"
        )
    _check_length(len(array), rate, name)
    frames = array[:, np.newaxis] if array.ndim == 1 else array
    zero, full_scale = _scale(frames, name)
    return _mix_down(
        lambda signs: _to_16k(_array_blocks(frames, zero, full_scale), channels, rate, name, signs)
    )


def _scale(frames: _Array, name: str) -> tuple[int, int]:
    """The values of silence and of full scale in an array."""
    zero, full_scale = _INTEGERS.get(frames.dtype.name, (0, 1))
    if frames.dtype.name != "int32":
        return zero, full_scale
    peak = max(-int(frames.min()), int(frames.max()))
    # As 32-bit samples these would be below -96 dBFS, fainter than any room. Silence of 24 bits in
    # the upper bits of an int32 may be that faint: its lowest byte is zero. But so is that of 8-bit
    # sound as int16, which is far louder: the limit is a peak of 16 steps of 24 bits.
    is_silence = peak < _SILENT_PEAK and not np.any(frames & 0xFF)
    if peak > 2**15 or is_silence:
        return zero, full_scale
    warnings.warn(
        f"{name}: the int32 samples have a peak of {peak}, so they are read as 16-bit samples. "
        "Pass 16-bit samples as int16.",
        stacklevel=2,
    )
    return zero, 2**15


def _array_blocks(frames: _Array, zero: int, full_scale: int) -> Iterator[_Array]:
    step = sound_files.block_frames(frames.shape[1])
    for start in range(0, len(frames), step):
        block = frames[start : start + step]
        if block.dtype.kind != "f":
            block = (block.astype(np.float32) - zero) / full_scale
        yield block


# From blocks of any rate and channels to one signal


def _mix_down(convert: Callable[[_Samples | None], tuple[_Samples, _Array]]) -> _Samples:
    """Convert with the mean of the channels, or again with some inverted if they cancel out."""
    signal, products = convert(None)
    signs = _signs(products)
    return signal if signs is None else convert(signs)[0]


def _signs(products: _Array) -> _Samples | None:
    """The sign of each channel in the mix, or None for the plain mean.

    If channels have nothing in common, the energy of their sum is the sum of their energies, and
    more if they are alike. It is far less only if channels are inverted copies of others. Such
    channels have the opposite sign in the main direction (the first principal component) of the
    samples.

    Args:
        products: what `_channel_products` gives, summed over all blocks.
    """
    if products.shape[1] == 1:
        return None
    for matrix in products:
        if matrix.sum() < _CANCELLATION * matrix.trace():
            main = np.linalg.eigh(matrix)[1][:, -1]
            loudest = main[np.abs(main).argmax()]
            return np.where(main * loudest < 0, -1, 1).astype(np.float32)
    return None


def _to_16k(
    blocks: Iterable[_Array], channels: int, rate: int, name: str, signs: _Samples | None
) -> tuple[_Samples, _Array]:
    """Mix, resample and join blocks; only the 16 kHz signal is held in memory.

    Args:
        blocks: samples, (frames, channels).
        signs: the sign of each channel in the mix, or None for the mean.

    Returns:
        The signal, and the products of channels that `_signs` takes.
    """
    resampler = None
    if rate != SAMPLE_RATE:
        with not_forking:
            import soxr

        resampler = soxr.ResampleStream(rate, SAMPLE_RATE, 1, dtype="float32", quality="HQ")

    signal = bytearray()  # grows in place, where concatenating arrays would hold them twice
    products = np.zeros((2, channels, channels))
    frames = 0
    for block in blocks:
        frames += len(block)
        _check_length(frames, rate, name)
        _check_samples(block, name)
        block = block.astype(np.float32, copy=False)
        if channels > 1:
            products += _channel_products(block, rate)
        mono = _mix(block, signs)
        signal += _clip(mono if resampler is None else resampler.resample_chunk(mono))
    if not frames:
        raise _NoSamplesError
    if resampler is not None:
        signal += _clip(resampler.resample_chunk(np.empty(0, np.float32), last=True))
    # One frame at a high rate is less than a sample at 16 kHz: it becomes one zero.
    return np.frombuffer(signal or bytearray(4), np.float32), products


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


def _channel_products(block: _Samples, rate: int) -> _Array:
    """The products of each two channels, summed over a block's frames: (2, channels, channels).

    Once for the samples without their mean, and once for the differences from sample to sample,
    where low frequencies are weak: what both channels of a wrongly wired cable share, such as hum,
    must not hide that the speech cancels out. Some 8,000 frames a second are enough.
    """
    step = max(1, rate // 8000)
    rows = np.ascontiguousarray(block[::step].T)  # one channel a row: six times as fast
    parts = (rows - rows.mean(axis=1, keepdims=True), np.diff(rows))
    # The copy keeps numpy from a routine for symmetric products, which is slow for few rows.
    return np.stack([part @ part.copy().T for part in parts])


def _mix(block: _Samples, signs: _Samples | None) -> _Samples:
    channels = block.shape[1]
    if channels == 1:
        return np.ascontiguousarray(block[:, 0])
    weights = np.full(channels, 1 / channels, np.float32)
    # A product with equal weights is the mean, and 40 times as fast as mean(axis=1).
    mono: _Samples = np.dot(block, weights if signs is None else weights * signs)
    return mono


def _clip(mono: _Samples) -> memoryview:
    return np.ascontiguousarray(mono.clip(-1, 1)).data
