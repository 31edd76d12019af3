"""Read recordings of background noise; the end of each is held out for validation."""

import math
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from training.clips.errors import DataError
from training.clips.finding import find_recordings, noise_folders
from training.clips.reading import Reading
from training.clips.window import RATE, Samples, to_int16
from training.output.messages import printable

NOISE_ROW = 160  # noise is stored in rows of 10 ms and is read from any row on
HELD_OUT_SHARE = 0.2  # of each noise file, at its end


class Noise(NamedTuple):
    """A recording of noise, int16; samples from `held_out_start` on are for validation."""

    folder: Path
    name: str
    samples: Samples
    held_out_start: int

    @property
    def training(self) -> Samples:
        """The part for training."""
        return self.samples[: self.held_out_start]

    @property
    def held_out(self) -> Samples:
        """The part for validation; it may be empty."""
        return self.samples[self.held_out_start :]


def read_noises(reading: Reading, data: Path, added: Path | None, window: int) -> list[Noise]:
    """Read the noises of a data folder and of another folder, each file once.

    The last fifth of a recording is for validation if it lasts a window or more.

    Args:
        reading: reads the files and records those that are skipped.
        data: the data folder; its noises are in `_background_noise_`.
        added: a folder of noises at any depth, or None.
        window: samples of a clip.

    Raises:
        DataError: there is no noise in `added`.
    """
    noises: list[Noise] = []
    seen: set[Path] = set()
    for folder in noise_folders(data) if data.is_dir() else []:
        noises += _read_files(reading, folder, find_recordings(folder), data, window, seen)
    if added is not None:
        paths = find_recordings(added)
        if not paths:
            raise DataError(f"{added}: expected a folder of noise recordings, found none")
        more = _read_files(reading, added, paths, added, window, seen)
        if not more and not all(path.resolve() in seen for path in paths):
            reading.check()
            raise DataError(f"{added}: expected noise recordings, found none with sound")
        noises += more
    return noises


def held_out_noises(data: Path, window: int) -> list[Samples]:
    """Read the held-out ends of a data folder's noises, int16, each a window or longer."""
    reading = Reading()
    noises = read_noises(reading, data, None, window)
    reading.check()
    reading.show()
    return held_out(noises)


def held_out(noises: Sequence[Noise]) -> list[Samples]:
    """Return the held-out ends of noises, without those that have none."""
    return [noise.held_out for noise in noises if noise.held_out.size]


def noise_rows(noises: Iterable[npt.NDArray[np.generic]]) -> npt.NDArray[np.float32]:
    """Bring noises to an RMS of 1 and join them.

    Args:
        noises: of any dtype and length; digital silence is left out.

    Returns:
        float32, shape (rows, NOISE_ROW).
    """
    noises = list(noises)
    joined = np.empty(sum(noise.size for noise in noises), np.float32)
    filled = 0
    for noise in noises:
        level = math.sqrt(_power(noise))
        if level > 0:
            np.divide(noise, level, out=joined[filled : filled + noise.size], casting="same_kind")
            filled += noise.size
    return joined[: filled // NOISE_ROW * NOISE_ROW].reshape(-1, NOISE_ROW)


def _read_files(
    reading: Reading,
    folder: Path,
    paths: Sequence[Path],
    owner: Path,
    window: int,
    seen: set[Path],
) -> list[Noise]:
    """Read those files of a folder that are not in `seen`; `owner` is named in errors."""
    paths = [path for path in paths if path.resolve() not in seen]
    noises = []
    for number, samples in reading.each(paths, to_int16, folder.name, owner):
        name = f"{folder.name}/{paths[number].relative_to(folder).as_posix()}"
        held_out = int(samples.size * HELD_OUT_SHARE)
        start = samples.size - (held_out if held_out >= window else 0)
        noises.append(Noise(folder, printable(name), samples, start))
        seen.add(paths[number].resolve())
    return noises


def _power(samples: npt.NDArray[np.generic]) -> float:
    """Mean square, a minute at a time: hours of noise never exist as float64."""
    minutes = (samples[start : start + 60 * RATE] for start in range(0, samples.size, 60 * RATE))
    return sum(float(np.square(m, dtype=np.float64).sum()) for m in minutes) / max(1, samples.size)
