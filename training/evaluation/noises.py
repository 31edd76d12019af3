"""The noise of an evaluation."""

import math
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from training.clips.errors import DataError
from training.clips.finding import find_recordings
from training.clips.reading import Reading
from training.clips.window import RATE, Samples, to_int16
from training.clips.words import UNKNOWN
from training.data.evaluation_set import EvaluationSet
from training.data.synthetic_noise import synthetic_noise
from training.output.messages import printable


def find_noises(
    clips: EvaluationSet, folder: Path | None, rng: np.random.Generator
) -> tuple[list[Samples], str]:
    """Return noises for an evaluation.

    They are the recordings of a folder; without one, the parts of the data folder's noises that
    training does not use; where there are none, synthetic noises.

    Args:
        clips: the clips to evaluate on, with the noises of their folder.
        folder: a folder of noise recordings, or None.
        rng: makes the synthetic noises.

    Returns:
        The noises at 16 kHz, none of them digital zero, and a description of their source.

    Raises:
        DataError: the folder has no usable recording.
    """
    if folder is not None:
        noises = read_recordings(folder)
        return noises, f"{len(noises)} recordings of {printable(folder)}"
    noises = [noise for noise in clips.noises if noise.any()]
    if noises:
        return noises, (
            f"the last fifth of {len(noises)} recordings in _background_noise_; the model may have "
            "been trained on the rest of them"
        )
    seconds = 1 + math.ceil(clips.samples.shape[1] / RATE)
    others = np.array([word == UNKNOWN for word in clips.words])
    speech = clips.samples[others] if others.any() else clips.samples  # babble without commands
    made = synthetic_noise(speech, rng, seconds=seconds)
    noises = [to_int16(0.05 * noise / noise.std()) for noise in made]
    return noises, f"{len(noises)} synthetic noises, because there are no recordings"


def read_recordings(folder: Path) -> list[Samples]:
    """Read all recordings of a folder that are not digital zero; each file once."""
    reading = Reading()
    files = {path.resolve(): path for path in find_recordings(folder)}
    read = reading.each([*files.values()], to_int16, folder.name, folder)
    noises = [noise for _, noise in read if noise.any()]
    reading.check()
    reading.show()
    if not noises:
        raise DataError(f"{folder}: expected noise recordings with sound, found none")
    return noises


def noise_windows(
    noises: Sequence[Samples], shape: tuple[int, ...], rng: np.random.Generator
) -> Samples:
    """Draw random windows of random noises, none of them digital zero.

    Args:
        noises: the noises, int16; those shorter than a window are repeated.
        shape: number of windows, and the samples of each.
        rng: draws the noises and their parts.

    Returns:
        int16, of that shape.
    """
    windows = np.zeros(shape, np.int16)
    for window in windows:
        while not window.any():
            noise = noises[int(rng.integers(len(noises)))]
            start = rng.integers(max(0, noise.size - window.size) + 1)
            window[:] = np.resize(noise[start : start + window.size], window.size)
    return windows
