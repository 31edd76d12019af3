"""TODO: window."""

import numpy as np
import numpy.typing as npt
import scipy.ndimage

from speechgru import audio

RATE = audio.SAMPLE_RATE
WINDOW = RATE  # a clip is one second
FRAME = RATE // 100  # levels are measured in frames of 10 ms
SILENT = 10 ** (-75 / 20)  # a file of which no frame has this RMS holds nothing
Samples = npt.NDArray[np.int16]


def is_silent(samples: npt.NDArray[np.float32]) -> bool:
    """Whether no 10 ms of a recording have an RMS of -75 dBFS."""
    whole = samples.size // FRAME * FRAME
    power = np.square(samples[:whole]).reshape(-1, FRAME).mean(axis=1)
    rest = samples[whole:]
    loudest = max(power.max(initial=0.0), np.square(rest).sum() / FRAME)
    return bool(loudest < SILENT**2)


def one_second(samples: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
    """The second of a recording with the most sound, in its middle; a clip between zeros.

    Sound is measured as `loudness` above the quietest tenth. Of the seconds that hold as much
    (98 % of the most), that one is taken which has the sound most nearly in its middle.
    """
    spare = samples.size - WINDOW
    if spare <= 0:
        return np.pad(samples, (-spare // 2, -spare - -spare // 2))
    level = loudness(samples)
    level = np.maximum(level - np.quantile(level, 0.1), 0)
    frames = WINDOW // FRAME
    held = np.concatenate([[0.0], np.cumsum(level)])
    held = held[frames:] - held[:-frames]
    best = int(held.argmax())
    inside = level[best : best + frames]
    if inside.any():
        centre = best + float(np.average(np.arange(frames) + 0.5, weights=inside))
    else:
        centre = level.size / 2
    # The seconds as good as the best one, from it to both sides.
    worse = np.flatnonzero(held < 0.98 * held[best])
    first = worse[worse < best].max(initial=-1) + 1
    last = worse[worse > best].min(initial=held.size) - 1
    start = int(np.clip(round(centre - frames / 2), first, last)) * FRAME
    start = min(start, spare)
    return samples[start : start + WINDOW]


def loudness(samples: npt.NDArray[np.generic]) -> npt.NDArray[np.float64]:
    """Amplitude (RMS) in frames of 10 ms, the last filled up with zeros; float64 (frames,).

    The mean is taken off first, so that an offset is no sound. A median over 70 ms takes out what
    is shorter than 30 ms: clicks and knocks, but no syllable.
    """
    values = np.asarray(samples, np.float32)
    values = values - values.mean(dtype=np.float64).astype(np.float32)
    frames = np.pad(values, (0, -values.size % FRAME)).reshape(-1, FRAME)
    level = np.sqrt(np.square(frames).mean(axis=1, dtype=np.float64))
    smooth: npt.NDArray[np.float64] = scipy.ndimage.median_filter(level, 7, mode="constant")
    return smooth


def to_int16(samples: npt.NDArray[np.float32]) -> Samples:
    """16-bit samples of those in [-1, 1]."""
    return np.clip(np.round(samples * 32768.0), -32768, 32767).astype(np.int16)
