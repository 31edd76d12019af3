"""TODO: noises."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from training.clips.errors import DataError
from training.clips.finding import find_recordings
from training.clips.reading import Reading
from training.clips.window import WINDOW, Samples, to_int16
from training.data.evaluation_set import EvaluationSet
from training.data.synthetic_noise import synthetic_noise
from training.output.messages import printable


def find_noises(
    clips: EvaluationSet, folder: Path | None, rng: np.random.Generator
) -> tuple[list[Samples], str]:
    """Noises at 16 kHz, each with some sound in it, and where they come from.

    Raises:
        DataError: no noise in the folder.
    """
    if folder is not None:
        reading = Reading()
        files = {path.resolve(): path for path in find_recordings(folder)}  # each file once
        read = reading.each([*files.values()], to_int16, folder.name, folder)
        noises = [noise for _, noise in read if noise.any()]
        reading.check()
        reading.show()
        if not noises:
            raise DataError(f"{folder}: expected noise recordings with sound, found none")
        return noises, f"{len(noises)} recordings of {printable(folder)}"
    noises = [noise for noise in clips.noises if noise.any()]
    if noises:
        which = f"the last fifth of {len(noises)} recordings in _background_noise_"
        return noises, f"{which}; training may have heard the rest of them"
    made = synthetic_noise(clips.samples, rng, seconds=2)
    noises = [to_int16(0.05 * noise / noise.std()) for noise in made]
    return noises, f"{len(noises)} made noises, for want of recordings"


def noise_windows(noises: Sequence[Samples], count: int, rng: np.random.Generator) -> Samples:
    """Random seconds of random noises, none of them zero, int16 (count, WINDOW).

    A noise that is shorter is repeated.
    """
    windows = np.zeros((count, WINDOW), np.int16)
    for window in windows:
        while not window.any():
            noise = noises[rng.integers(len(noises))]
            start = rng.integers(max(0, noise.size - WINDOW) + 1)
            window[:] = np.resize(noise[start : start + WINDOW], WINDOW)
    return windows
