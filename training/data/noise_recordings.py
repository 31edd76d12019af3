"""TODO: noises."""

import math
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from training.clips.errors import DataError
from training.clips.finding import find_recordings
from training.clips.reading import Reading
from training.clips.window import RATE, WINDOW, Samples, to_int16
from training.output.messages import printable

NOISE_FOLDER = "_background_noise_"
NOISE_ROW = 160  # noise is stored in rows of 10 ms and read from any row on
HELD_OUT_NOISE = 0.2  # the end of every noise file is kept for validation


def held_out_noises(data: Path) -> list[Samples]:
    """The ends of a data folder's noises, which training does not hear, int16."""
    reading = Reading()
    noises = read_noises(reading, data, None)
    reading.check()
    reading.show()
    return held_out(noises)


class Noise(NamedTuple):
    """A noise: its folder and name, int16 samples and where the part for validation begins."""

    folder: Path
    name: str
    samples: Samples
    kept: int

    @property
    def training(self) -> Samples:
        return self.samples[: self.kept]

    @property
    def held_out(self) -> Samples:
        return self.samples[self.kept :]


def read_noises(reading: Reading, data: Path, added: Path | None) -> list[Noise]:
    """The noises of a data folder and of another folder; each file once.

    The last fifth of every recording is for validation, if that is a second or more.

    Raises:
        DataError: no noise in the other folder.
    """
    noises: list[Noise] = []
    seen: set[Path] = set()
    for folder, owner in ((data / NOISE_FOLDER, data), (added, added)):
        if folder is None or owner is None:
            continue
        paths = find_recordings(folder)
        if not paths and folder is added:
            raise DataError(f"{folder}: expected a folder of noise recordings, found none")
        paths = [path for path in paths if path.resolve() not in seen]
        seen |= {path.resolve() for path in paths}
        before = len(noises)
        for number, samples in reading.each(paths, to_int16, folder.name, owner):
            name = f"{folder.name}/{paths[number].relative_to(folder).as_posix()}"
            held_out = int(samples.size * HELD_OUT_NOISE)
            kept = samples.size - (held_out if held_out >= WINDOW else 0)
            noises.append(Noise(folder, printable(name), samples, kept))
        if paths and folder is added and len(noises) == before:
            reading.check()
            raise DataError(f"{folder}: expected noise recordings, found none with sound")
    return noises


def held_out(noises: Sequence[Noise]) -> list[Samples]:
    return [noise.held_out for noise in noises if noise.held_out.size]


def noise_rows(noises: Iterable[npt.NDArray[np.generic]]) -> npt.NDArray[np.float32]:
    """Noises at an RMS of 1 one after another, float32 (rows, NOISE_ROW)."""
    noises = list(noises)
    joined = np.empty(sum(noise.size for noise in noises), np.float32)
    filled = 0
    for noise in noises:
        level = math.sqrt(_power(noise))
        if level > 0:
            np.divide(noise, level, out=joined[filled : filled + noise.size], casting="same_kind")
            filled += noise.size
    return joined[: filled // NOISE_ROW * NOISE_ROW].reshape(-1, NOISE_ROW)


def _power(samples: npt.NDArray[np.generic]) -> float:
    """Mean square, a minute at a time: hours of noise are never held as float64."""
    minutes = (samples[start : start + 60 * RATE] for start in range(0, samples.size, 60 * RATE))
    return sum(float(np.square(m, dtype=np.float64).sum()) for m in minutes) / max(1, samples.size)
