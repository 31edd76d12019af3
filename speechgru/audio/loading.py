"""Any sound, from a file, bytes or an array, as 16 kHz mono float32 samples."""

from __future__ import annotations

import contextlib
import functools
import os
import warnings
from collections.abc import Callable, Generator, Iterator
from typing import TypeAlias

import numpy as np

from speechgru.audio import sound_files, unfinished_headers
from speechgru.audio.headerless_sound import refuse_headerless
from speechgru.audio.mixing import channel_products, find_signs, mix
from speechgru.audio.resampling import Resampler
from speechgru.audio.sample_arrays import (
    Array,
    Samples,
    check_rate,
    check_samples,
    full_scale,
    scale,
    to_frames,
)
from speechgru.audio.sound_files import Content, DecodingError, Readable
from speechgru.errors import AudioError, escape, shorten, show

EXTENSIONS = frozenset(
    {".aif", ".aifc", ".aiff", ".au", ".caf", ".flac", ".mp3", ".oga", ".ogg", ".opus", ".rf64"}
    | {".snd", ".w64", ".wav", ".wave"}
    | {".3gp", ".aac", ".amr", ".awb", ".m4a", ".mka", ".mp4", ".weba", ".webm", ".wma"}  # ffmpeg's
)
"""Extensions, in lower case, of the files in a folder that are taken for sound."""

_MAX_SECONDS = 24 * 60 * 60
_MAX_NAME = 4096  # no system opens a longer path
_SILENT_PEAK = 4096  # of int32 samples that hold 24 bits; see `_full_scale`

Source: TypeAlias = str | os.PathLike[str] | bytes | bytearray | memoryview | Readable | Array
"""What `load` reads: a path, an encoded file's bytes, a binary file object or an array."""

Blocks: TypeAlias = Generator[tuple[int, Array], None, None]
"""What `read_blocks` gives: the sampling rate in Hz and samples, (frames, channels)."""


def load(source: Source, sample_rate: int | None = None) -> Samples:
    """Read a sound: channels averaged, resampled to 16 kHz, clipped to [-1, 1].

    Channels that cancel out in the average, as in stereo with one channel inverted, are averaged
    after inverting some of them.

    Args:
        source: a path, or the bytes or binary file object of an encoded sound (any format that
            libsndfile reads; if ffmpeg is installed, also MP4, AAC, WebM, WMA and AMR), or an
            array, (frames,) or (frames, channels). Arrays hold float16, float32 or float64 samples
            in [-1, 1], or uint8, int16 or int32 PCM. int32 samples that all lie in the range of
            int16 are read as 16-bit, with a warning.
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
    length = len(source) if isinstance(source, np.ndarray) and source.ndim else 0
    # Samples are checked below: the caller's floating-point settings must not matter.
    with np.errstate(all="ignore"), _open(source, sample_rate, name) as read:
        signal, products = _to_16k(read(), length, name, None)
        signs = find_signs(products)
        return signal if signs is None else _to_16k(read(), length, name, signs)[0]


def read_blocks(source: Source, sample_rate: int | None = None) -> Blocks:
    """Read a sound of any length in blocks of at most 1 MiB.

    Args:
        source: as in `load`.
        sample_rate: as in `load`.

    Yields:
        The sampling rate in Hz, and a block of samples as floats, (frames, channels). The values
        are not checked. The next block may overwrite it.

    Raises:
        AudioError: the source is not sound, cannot be read, is damaged, or has no samples or a
            rate out of range.
        FileNotFoundError: there is nothing at the path.
    """
    with _open(source, sample_rate, describe(source)) as read:
        yield from read()


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


@contextlib.contextmanager
def _open(source: Source, sample_rate: int | None, name: str) -> Iterator[Callable[[], Blocks]]:
    """Open a source. The function that this yields reads it from the beginning.

    In the `with` block, what the system refuses becomes an AudioError.
    """
    rate = None if sample_rate is None else check_rate(sample_rate, name)
    try:
        if isinstance(source, np.ndarray):
            yield functools.partial(_read_array, np.asarray(source), rate, name)
            return
        with sound_files.open_content(source, name) as content:
            yield functools.partial(_read_encoded, refuse_headerless(content, name), rate, name)
    except FileNotFoundError:
        raise
    except MemoryError as error:
        raise AudioError(f"{name}: expected sound that fits in memory, found more") from error
    except OSError as error:  # a file that cannot be read, or no descriptor for a decoder
        reason = error.strerror or error
        raise AudioError(f"{name}: expected sound that can be read, found: {reason}") from error


def _read_encoded(content: Content, rate: int | None, name: str) -> Blocks:
    blocks = _decode(content, rate, name)
    try:
        try:
            first = next(blocks, None)
            finished = None if first else _finish(content)
        except DecodingError:
            finished = _finish(content)
            if finished is None:
                raise
        if finished is not None:
            blocks = _decode(Content(finished), rate, name)
            first = next(blocks, None)
        if first is None:
            raise AudioError(f"{name}: expected sound, found no samples")
        yield first
        yield from blocks
    except DecodingError as error:
        raise AudioError(f"{name}: {error}") from error


def _finish(content: Content) -> bytes | None:
    known = unfinished_headers.is_known(content.head(12))
    return unfinished_headers.finish(content.read()) if known else None


def _decode(content: Content, rate: int | None, name: str) -> Blocks:
    with sound_files.open_sound(content) as sound:
        own_rate = check_rate(sound.rate, name)
        if rate not in (None, own_rate):
            raise AudioError(f"{name}: expected a sample rate of {rate} Hz, found {own_rate} Hz")
        for block in sound.blocks:
            yield own_rate, block


def _read_array(array: Array, rate: int | None, name: str) -> Blocks:
    if rate is None:
        raise AudioError(f"{name}: expected a sample_rate with an array, found none")
    frames = to_frames(array, name)
    if not len(frames):
        raise AudioError(
            f"{name}: expected samples shaped (frames,) or (frames, channels), "
            f"found shape {array.shape}"
        )
    zero, full = _full_scale(frames, name)
    step = sound_files.block_frames(frames.shape[1])
    for start in range(0, len(frames), step):
        yield rate, scale(frames[start : start + step], zero, full)


def _full_scale(frames: Array, name: str) -> tuple[int, int]:
    """The values of silence and of full scale in an array."""
    zero, full = full_scale(frames.dtype)
    if frames.dtype.name != "int32":
        return zero, full
    peak = max(-int(frames.min()), int(frames.max()))
    # As 32-bit samples these would be below -96 dBFS, fainter than any room. Silence of 24 bits in
    # the upper bits of an int32 may be that faint: its lowest byte is zero. But so is that of 8-bit
    # sound as int16, which is far louder: the limit is a peak of 16 steps of 24 bits.
    is_silence = peak < _SILENT_PEAK and not np.any(frames & 0xFF)
    if peak > 2**15 or is_silence:
        return zero, full
    warnings.warn(
        f"{name}: the int32 samples have a peak of {peak}, so they are read as 16-bit samples. "
        "Pass 16-bit samples as int16.",
        stacklevel=2,
    )
    return zero, 2**15


def _to_16k(blocks: Blocks, length: int, name: str, signs: Samples | None) -> tuple[Samples, Array]:
    """Mix, resample and join blocks; only the 16 kHz signal is held in memory.

    Args:
        blocks: at least one.
        length: number of frames in all blocks, if it is known, or less.
        signs: the sign of each channel in the mix, or None for the mean.

    Returns:
        The signal, and the products of channels that `find_signs` takes.
    """
    signal = bytearray()  # grows in place, where concatenating arrays would hold them twice
    frames = 0
    with contextlib.closing(blocks):
        for rate, block in blocks:
            if not frames:
                resampler = Resampler(rate)
                products = np.zeros((2, block.shape[1], block.shape[1]))
            frames += len(block)
            _check_length(max(frames, length), rate, name)
            check_samples(block, name)
            block = block.astype(np.float32, copy=False)
            if block.shape[1] > 1:
                products += channel_products(block, rate)
            signal += resampler.push(mix(block, signs)).data
    signal += resampler.finish().data
    # One frame at a high rate is less than a sample at 16 kHz: it becomes one zero.
    return np.frombuffer(signal or bytearray(4), np.float32), products


def _check_length(frames: int, rate: int, name: str) -> None:
    if frames > _MAX_SECONDS * rate:
        raise AudioError(
            f"{name}: expected at most {_MAX_SECONDS / 3600:g} hours of sound, found more"
        )
