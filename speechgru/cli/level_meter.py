"""The level of live sound, as text for the status line."""

import math
from typing import Any

import numpy as np
import numpy.typing as npt

from speechgru.audio.sample_arrays import full_scale, scale
from speechgru.cli.status_line import bar

_QUIETEST_DB = -60.0


def level_text(block: npt.NDArray[Any]) -> str:
    """Draw the level of a block of samples as a bar and in dB below full scale."""
    level = _decibels(block)
    return f"{bar(1 - level / _QUIETEST_DB)} {level:4.0f} dB"


def _decibels(block: npt.NDArray[Any]) -> float:
    """Level of a block below full scale, at least that of the empty bar."""
    samples = scale(block, *full_scale(block.dtype))
    power = float(np.mean(np.square(samples, dtype=np.float64)))
    return max(_QUIETEST_DB, 10 * math.log10(power + 1e-20))
