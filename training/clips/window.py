"""Cut a recording to the window that holds its sound."""

import numpy as np
import numpy.typing as npt
import scipy.ndimage

from speechgru import audio
from speechgru.architectures import WINDOW_SECONDS
from training.clips.levels import db_to_amplitude

RATE = audio.SAMPLE_RATE
WINDOW = round(WINDOW_SECONDS * RATE)  # samples of a clip, unless a task has another window
FRAME = RATE // 100  # levels are measured in frames of 10 ms
SILENT = db_to_amplitude(-75.0)  # a file is silent if no frame has this RMS
Samples = npt.NDArray[np.int16]


def is_silent(samples: npt.NDArray[np.float32]) -> bool:
    """Return whether every 10 ms of a recording have an RMS below -75 dBFS.

    Args:
        samples: mono, in [-1, 1], shape (samples,).
    """
    whole = samples.size // FRAME * FRAME
    power = np.square(samples[:whole]).reshape(-1, FRAME).mean(axis=1)
    rest = samples[whole:]
    loudest = max(power.max(initial=0.0), np.square(rest).sum() / FRAME)
    return bool(loudest < SILENT**2)


def fit_window(samples: npt.NDArray[np.float32], window: int) -> npt.NDArray[np.float32]:
    """Return the window of a recording that holds the most sound, with the sound in its middle.

    A shorter recording is padded with zeros on both sides. In a longer one, sound is measured as
    `loudness` above the quietest tenth. Among the windows with at least 98 % of the most sound,
    the one whose sound is nearest to its middle is chosen.

    Args:
        samples: shape (samples,).
        window: samples of the window.

    Returns:
        Shape (window,).
    """
    spare = samples.size - window
    if spare <= 0:
        return np.pad(samples, (-spare // 2, -spare - -spare // 2))
    level = loudness(samples)
    level = np.maximum(level - np.quantile(level, 0.1), 0)
    frames = window // FRAME
    total = np.concatenate([[0.0], np.cumsum(level)])
    sound = total[frames:] - total[:-frames]  # of the window that starts at each frame
    best = int(sound.argmax())
    inside = level[best : best + frames]
    if inside.any():
        centre = best + float(np.average(np.arange(frames) + 0.5, weights=inside))
    else:
        centre = level.size / 2
    # The run of windows around the best one that hold nearly as much sound.
    worse = np.flatnonzero(sound < 0.98 * sound[best])
    first = worse[worse < best].max(initial=-1) + 1
    last = worse[worse > best].min(initial=sound.size) - 1
    start = int(np.clip(round(centre - frames / 2), first, last)) * FRAME
    start = min(start, spare)
    return samples[start : start + window]


def loudness(samples: npt.NDArray[np.generic]) -> npt.NDArray[np.float64]:
    """Return the RMS of each 10 ms, without clicks.

    The mean is subtracted first, so that a constant offset does not count. A median over 70 ms
    removes what is shorter than 30 ms: clicks and knocks, but no syllable.

    Args:
        samples: shape (samples,); the last frame is padded with zeros.

    Returns:
        float64, shape (frames,).
    """
    values = np.asarray(samples, np.float32)
    values = values - values.mean(dtype=np.float64).astype(np.float32)
    frames = np.pad(values, (0, -values.size % FRAME)).reshape(-1, FRAME)
    level = np.sqrt(np.square(frames).mean(axis=1, dtype=np.float64))
    smooth: npt.NDArray[np.float64] = scipy.ndimage.median_filter(level, 7, mode="constant")
    return smooth


def to_int16(samples: npt.NDArray[np.floating]) -> Samples:
    """Convert samples in [-1, 1] to 16 bits; louder ones are clipped."""
    return np.clip(np.round(samples * 32768.0), -32768, 32767).astype(np.int16)
