"""Levels in dB and amplitudes, in numpy."""

from typing import TypeVar

import numpy as np
import numpy.typing as npt

Level = TypeVar("Level", float, npt.NDArray[np.float64])


def db_to_amplitude(level: Level) -> Level:
    """Return the amplitude factor of a level in dB: 10 ** (level / 20), as in librosa.

    Args:
        level: in dB; for samples in [-1, 1], in dBFS.

    Returns:
        The factor, of the type and shape of `level`.
    """
    return 10 ** (level / 20)


def rms(samples: npt.NDArray[np.generic]) -> npt.NDArray[np.float64]:
    """Return the root mean square over the last axis, float64, computed in float64."""
    power: npt.NDArray[np.float64] = np.square(samples, dtype=np.float64).mean(axis=-1)
    return np.sqrt(power)
