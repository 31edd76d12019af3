"""Read sound files on all cores; skip and count those that cannot be used."""

from collections import Counter
from collections.abc import Callable, Collection, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import NamedTuple, TypeVar

import numpy as np
import numpy.typing as npt
from tqdm import tqdm

from speechgru import audio
from training.clips.clip import Clip
from training.clips.errors import DataError
from training.clips.window import WINDOW, Samples, is_silent, one_second, to_int16
from training.clips.words import SILENCE
from training.output.messages import printable, warn

UNREADABLE_SHARE = 0.05  # of a folder's files; above it, the folder is not what it seems to be
SHOWN = 5  # skipped files that are named on stderr
READ_AT_ONCE = 1024  # files whose samples may wait in memory for their turn
Made = TypeVar("Made")


class _Problem(NamedTuple):
    """Why a file is skipped."""

    reason: str
    unreadable: bool


class Reading:
    """Reads sound files and keeps a record of the files that are skipped.

    A file is skipped if it cannot be read, or if it is silent: below -75 dBFS (RMS of every 10 ms)
    throughout. Clips of the word "silence" may be silent. Only files that cannot be read count
    for the 5 % above which a folder is refused.

    Attributes:
        skipped: path and reason of each skipped file, in the order of reading.
    """

    def __init__(self) -> None:
        self.skipped: list[tuple[str, str]] = []
        self._asked: Counter[Path | None] = Counter()
        self._unreadable: dict[Path | None, list[str]] = {}

    def clips(
        self, clips: Sequence[Clip], into: Samples, what: str, folder: Path | None = None
    ) -> list[Clip]:
        """Read clips as windows of one second into the first rows of an array.

        Shorter clips are padded with zeros on both sides; of longer ones `one_second` is used.

        Args:
            clips: the clips to read.
            into: int16, shape (rows, WINDOW), with at least as many rows as clips.
            what: the title of the progress bar.
            folder: the folder that `check` names. Default None.

        Returns:
            The clips that were read; the n-th is in row n.
        """
        read: list[Clip] = []
        silent = {number for number, clip in enumerate(clips) if clip.word == SILENCE}
        paths = [clip.path for clip in clips]
        rows = self.each(paths, lambda s: to_int16(one_second(s)), what, folder, silent)
        for number, row in rows:
            into[len(read)] = row
            read.append(clips[number])
        return read

    def each(
        self,
        paths: Sequence[Path],
        make: Callable[[npt.NDArray[np.float32]], Made],
        what: str,
        folder: Path | None = None,
        may_be_silent: Collection[int] = (),
    ) -> Iterator[tuple[int, Made]]:
        """Read files, and make something of the samples of each.

        Args:
            paths: the files.
            make: called with the samples, float32 at 16 kHz, in a thread.
            what: the title of the progress bar.
            folder: the folder that `check` names. Default None.
            may_be_silent: the numbers of files that are not skipped for silence. Default: none.

        Yields:
            The number of each file that can be used and the result of `make`, in order.
        """

        def read(number: int) -> Made | _Problem:
            samples = _load(paths[number])
            if isinstance(samples, _Problem):
                return samples
            if number not in may_be_silent and is_silent(samples):
                found = "expected sound, found silence (below -75 dBFS throughout)"
                return _Problem(found, unreadable=False)
            return make(samples)

        self._asked[folder] += len(paths)
        bar = tqdm(total=len(paths), desc=what, disable=None, leave=False, unit="file")
        with bar, ThreadPoolExecutor() as pool:
            for start in range(0, len(paths), READ_AT_ONCE):
                block = range(start, min(start + READ_AT_ONCE, len(paths)))
                for number, made in zip(block, pool.map(read, block), strict=True):
                    bar.update()
                    if isinstance(made, _Problem):
                        self._skip(paths[number], made, folder)
                    else:
                        yield number, made

    def check(self) -> None:
        """Refuse a folder in which too many files cannot be read.

        Raises:
            DataError: more than 5 % of the files of a folder cannot be read.
        """
        for folder, found in self._unreadable.items():
            if len(found) > UNREADABLE_SHARE * self._asked[folder]:
                raise DataError(
                    f"{f'{folder}: ' if folder else ''}{len(found)} of {self._asked[folder]} files "
                    f"could not be read; the first: {found[0]}"
                )

    def show(self) -> None:
        """Name the first skipped files on stderr, and say how many more there are."""
        for path, reason in self.skipped[:SHOWN]:
            warn(f"skipped: {path}: {reason}")
        if len(self.skipped) > SHOWN:
            warn(f"skipped: ... and {len(self.skipped) - SHOWN} more")

    def _skip(self, path: Path, problem: _Problem, folder: Path | None) -> None:
        self.skipped.append((printable(path), problem.reason))
        if problem.unreadable:
            place = f"{printable(path)}: {problem.reason}"
            self._unreadable.setdefault(folder, []).append(place)


def read_clips(clips: Sequence[Clip], what: str) -> tuple[Samples, list[Clip]]:
    """Read clips as windows of one second; `Reading` says which are skipped.

    Args:
        clips: the clips to read.
        what: the title of the progress bar.

    Returns:
        The samples, int16, shape (clips read, WINDOW), and the clips that were read.

    Raises:
        DataError: more than 5 % of the files cannot be read.
    """
    rows = np.empty((len(clips), WINDOW), np.int16)
    reading = Reading()
    read = reading.clips(clips, rows, what)
    reading.check()
    reading.show()
    return rows[: len(read)], read


def _load(path: Path) -> npt.NDArray[np.float32] | _Problem:
    try:
        return audio.load(path)
    except audio.AudioError as error:
        return _Problem(str(error).removeprefix(f"{audio.describe(path)}: "), unreadable=True)
    except OSError as error:
        return _Problem(error.strerror or str(error), unreadable=True)
