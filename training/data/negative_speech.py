"""Read recordings of speech without commands, for the label "unknown"."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np

from training.clips.errors import DataError
from training.clips.finding import find_recordings
from training.clips.levels import db_to_amplitude
from training.clips.reading import Reading
from training.clips.window import FRAME, WINDOW, Samples, to_int16
from training.output.messages import printable

QUIET = db_to_amplitude(-50.0)  # of the loudest tenth of a window that holds speech, at least


class Recording(NamedTuple):
    """A recording, and the first samples of its windows that hold speech."""

    name: str
    samples: Samples
    starts: list[int]

    def windows(self, size: int) -> Iterator[Samples]:
        """The windows, int16, shape (size,); zeros follow the end of the recording."""
        for start in self.starts:
            window = self.samples[start : start + size]
            yield np.pad(window, (0, size - window.size))


def read_negative_speech(reading: Reading, folder: Path, window: int = WINDOW) -> list[Recording]:
    """Read recordings of any length, in windows that overlap by half.

    Windows whose loudest tenth is below -50 dBFS are left out, and so are recordings without any
    other window.

    Args:
        reading: reads the files and records those that are skipped.
        folder: the folder, with sound files at any depth.
        window: samples of a window. Default: one second.

    Raises:
        DataError: the folder holds no speech.
    """
    paths = find_recordings(folder)
    recordings = []
    for number, samples in reading.each(paths, to_int16, folder.name, folder):
        count = max(1, 2 * samples.size // window - 1)
        starts = [n * window // 2 for n in range(count)]
        starts = [start for start in starts if _has_speech(samples[start : start + window], window)]
        if starts:
            name = printable(paths[number].relative_to(folder).as_posix())
            recordings.append(Recording(name, samples, starts))
    if not recordings:
        reading.check()
        raise DataError(f"{folder}: expected sound files with speech, found none")
    return recordings


def read_all_negative_speech(
    reading: Reading, folders: Sequence[Path], window: int
) -> list[Recording]:
    """Read the recordings of several folders; see `read_negative_speech`."""
    return [r for folder in folders for r in read_negative_speech(reading, folder, window)]


def _has_speech(samples: Samples, window: int) -> bool:
    padded = np.pad(samples, (0, window - samples.size))
    frames = padded[: window // FRAME * FRAME].reshape(-1, FRAME)
    power = np.square(frames / 32768).mean(axis=1)
    return bool(np.quantile(power, 0.9) >= QUIET**2)
