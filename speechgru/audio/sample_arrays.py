"""Arrays of samples: their rate, dtype, shape and values checked, and scaled to [-1, 1]."""

import math
import numbers
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

from speechgru.errors import AudioError, show

Samples: TypeAlias = npt.NDArray[np.float32]
Array: TypeAlias = npt.NDArray[Any]

_MIN_RATE, _MAX_RATE = 4_000, 192_000
_MAX_PEAK = 16.0  # a larger peak means integer samples that were not scaled to [-1, 1]
_MAX_CHANNELS = 1024  # libsndfile's own limit; more is an array of (channels, frames)

# By kind and size, as the name of a dtype is slow: silence and full scale (the PCM conventions).
_INTEGERS = {("u", 1): (128, 2**7), ("i", 2): (0, 2**15), ("i", 4): (0, 2**31)}
_FLOATS = {("f", 2): (0, 1), ("f", 4): (0, 1), ("f", 8): (0, 1)}
_SCALES = {**_FLOATS, **_INTEGERS}
_DTYPES = "float16, float32, float64, uint8, int16, int32"


def check_rate(rate: Any, name: str) -> int:
    """Return a sample rate as an int.

    Raises:
        AudioError: it is not an integral number from 4,000 to 192,000.
    """
    if isinstance(rate, (float, np.floating)):
        integral = float(rate).is_integer()
    else:
        # True is out of range. A time span of numpy is an integer, too, but has a unit.
        integral = isinstance(rate, numbers.Integral) and not isinstance(rate, np.timedelta64)
    if not integral or not _MIN_RATE <= rate <= _MAX_RATE:
        raise AudioError(
            f"{name}: expected a sample rate of {_MIN_RATE} to {_MAX_RATE} Hz, found {show(rate)}"
        )
    return int(rate)


def to_frames(array: Array, name: str) -> Array:
    """Return an array as (frames, channels), without a copy.

    Args:
        array: (frames,) or (frames, channels), of a dtype that `scale` takes.
        name: what the messages call it.

    Raises:
        AudioError: it has another dtype or shape.
    """
    if (array.dtype.kind, array.dtype.itemsize) not in _SCALES:
        raise AudioError(f"{name}: expected a dtype of {_DTYPES}, found {show(array.dtype)}")
    channels = array.shape[1] if array.ndim == 2 else 1
    if array.ndim not in (1, 2) or not 1 <= channels <= _MAX_CHANNELS:
        raise AudioError(
            f"{name}: expected samples shaped (frames,) or (frames, channels) with at most "
            f"{_MAX_CHANNELS} channels, found shape {array.shape}"
        )
    return array[:, np.newaxis] if array.ndim == 1 else array


def full_scale(dtype: np.dtype[Any]) -> tuple[int, int]:
    """The values of silence and of full scale in samples of a dtype."""
    return _SCALES[dtype.kind, dtype.itemsize]


def scale(frames: Array, zero: int, full_scale: int) -> Array:
    """Scale integer samples to float32 in [-1, 1); floats stay as they are."""
    if frames.dtype.kind == "f":
        return frames
    scaled: Array = frames.astype(np.float32)
    if zero:
        scaled -= zero
    scaled *= 1 / full_scale  # exact, as it is a power of two
    return scaled


def check_samples(block: Array, name: str) -> None:
    """Check the values of scaled samples, at least one.

    Raises:
        AudioError: there is a NaN, an infinite sample or a peak above 16.
    """
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
