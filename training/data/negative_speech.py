"""TODO: negative_speech."""

from pathlib import Path
from typing import NamedTuple

import numpy as np

from training.clips.errors import DataError
from training.clips.finding import find_recordings
from training.clips.reading import Reading
from training.clips.window import WINDOW, Samples, to_int16
from training.output.messages import printable

QUIET = 10 ** (-50 / 20)  # a window of negative speech whose loud tenth is below holds no speech


class Recording(NamedTuple):
    """A recording of negative speech and where its windows of one second begin."""

    name: str
    samples: Samples
    starts: list[int]


def read_negative(reading: Reading, folder: Path) -> list[Recording]:
    """Recordings of any length under a folder, in windows of one second with half overlap.

    Windows without speech, those whose loud tenth is below -50 dBFS, are left out, and so are
    recordings that have no other.

    Raises:
        DataError: no such folder or no speech in it.
    """
    paths = find_recordings(folder)
    recordings = []
    for number, samples in reading.each(paths, to_int16, folder.name, folder):
        count = max(1, 2 * samples.size // WINDOW - 1)
        starts = [n * WINDOW // 2 for n in range(count)]
        starts = [start for start in starts if _has_speech(samples[start : start + WINDOW])]
        if starts:
            name = printable(paths[number].relative_to(folder).as_posix())
            recordings.append(Recording(name, samples, starts))
    if not recordings:
        reading.check()
        raise DataError(f"{folder}: expected sound files with speech, found none")
    return recordings


def _has_speech(window: Samples) -> bool:
    padded = np.pad(window, (0, WINDOW - window.size)).reshape(100, -1)
    power = np.square(padded / 32768).mean(axis=1)
    return bool(np.quantile(power, 0.9) >= QUIET**2)
