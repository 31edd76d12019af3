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
from training.clips.window import RATE, Samples, fit_window, is_silent, to_int16
from training.clips.word_span import word_span
from training.clips.words import SILENCE
from training.output.messages import printable, some, warn

UNREADABLE_SHARE = 0.05  # of a folder's files; above it, the folder is not what it seems to be
SHOWN = 5  # skipped files that are named on stderr
READ_AT_ONCE = 1024  # files whose samples may wait in memory for their turn
Made = TypeVar("Made")


class CutWords:
    """Counts clips of commands, and those whose word is longer than the window.

    Args:
        commands: the commands; other clips do not count.

    Attributes:
        clips: number of clips of commands.
        found: name and length in seconds of each word that is cut.
    """

    def __init__(self, commands: Collection[str]) -> None:
        self.commands = frozenset(commands)
        self.clips = 0
        self.found: list[tuple[str, float]] = []
        self._window = 0

    def word_samples(self, clip: Clip, samples: npt.NDArray[np.float32], window: int) -> int:
        """Return the length of a clip's word; 0 if the whole clip fits or is of no command."""
        if samples.size <= window or clip.word not in self.commands:
            return 0
        start, end = word_span(samples, clip.word)
        return end - start

    def add(self, clip: Clip, word_samples: int, window: int) -> None:
        """Count a clip whose word has a length in samples."""
        self.clips += clip.word in self.commands
        self._window = window
        if word_samples > window:
            self.found.append((printable(clip.key), word_samples / RATE))

    def show(self) -> None:
        """Name the first clips whose word is cut on stderr, and say how many more there are."""
        if self.found:
            names = some([f"{name} ({seconds:.2f} s)" for name, seconds in self.found], SHOWN)
            warn(
                f"{len(self.found)} of {self.clips} clips hold a word longer than "
                f"{self._window / RATE} s and are cut to it: {names}"
            )


class _Problem(NamedTuple):
    """Why a file is skipped."""

    reason: str
    unreadable: bool


class Reading:
    """Reads sound files and keeps a record of the files that are skipped.

    A file is skipped if it cannot be read, or if it is silent: below -75 dBFS (RMS of every 10 ms)
    throughout. Clips of the word "silence" may be silent. Only files that cannot be read count
    for the 5 % above which a folder is refused.

    Args:
        commands: words whose clips are named by `show` if the word is longer than the window.
            Default: none.

    Attributes:
        skipped: path and reason of each skipped file, in the order of reading.
        cut: the clips whose word is cut.
    """

    def __init__(self, commands: Collection[str] = ()) -> None:
        self.skipped: list[tuple[str, str]] = []
        self.cut = CutWords(commands)
        self._asked: Counter[Path | None] = Counter()
        self._unreadable: dict[Path | None, list[str]] = {}

    def clips(
        self, clips: Sequence[Clip], into: Samples, what: str, folder: Path | None = None
    ) -> list[Clip]:
        """Read clips as windows into the first rows of an array.

        Shorter clips are padded with zeros on both sides; longer ones are cut by `fit_window`.

        Args:
            clips: the clips to read.
            into: int16, shape (rows, window), with at least as many rows as clips.
            what: the title of the progress bar.
            folder: the folder that `check` names. Default None.

        Returns:
            The clips that were read; the n-th is in row n.
        """
        read: list[Clip] = []
        silent = {number for number, clip in enumerate(clips) if clip.word == SILENCE}
        paths = [clip.path for clip in clips]
        window = into.shape[1]

        def fit(number: int, samples: npt.NDArray[np.float32]) -> tuple[Samples, int]:
            row = to_int16(fit_window(samples, window))
            return row, self.cut.word_samples(clips[number], samples, window)

        for number, (row, word) in self._each(paths, fit, what, folder, silent):
            into[len(read)] = row
            read.append(clips[number])
            self.cut.add(clips[number], word, window)
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
        return self._each(paths, lambda _, samples: make(samples), what, folder, may_be_silent)

    def _each(
        self,
        paths: Sequence[Path],
        make: Callable[[int, npt.NDArray[np.float32]], Made],
        what: str,
        folder: Path | None,
        may_be_silent: Collection[int],
    ) -> Iterator[tuple[int, Made]]:
        """As `each`; `make` is called with the file's number, too."""

        def read(number: int) -> Made | _Problem:
            samples = _load(paths[number])
            if isinstance(samples, _Problem):
                return samples
            if number not in may_be_silent and is_silent(samples):
                found = "expected sound, found silence (below -75 dBFS throughout)"
                return _Problem(found, unreadable=False)
            return make(number, samples)

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
        """Name the first skipped and cut files on stderr, and say how many more there are."""
        for path, reason in self.skipped[:SHOWN]:
            warn(f"skipped: {path}: {reason}")
        if len(self.skipped) > SHOWN:
            warn(f"skipped: ... and {len(self.skipped) - SHOWN} more")
        self.cut.show()

    def _skip(self, path: Path, problem: _Problem, folder: Path | None) -> None:
        self.skipped.append((printable(path), problem.reason))
        if problem.unreadable:
            place = f"{printable(path)}: {problem.reason}"
            self._unreadable.setdefault(folder, []).append(place)


def read_clips(clips: Sequence[Clip], what: str, window: int) -> tuple[Samples, list[Clip]]:
    """Read clips as windows; `Reading` says which are skipped.

    Args:
        clips: the clips to read.
        what: the title of the progress bar.
        window: samples of a window.

    Returns:
        The samples, int16, shape (clips read, window), and the clips that were read.

    Raises:
        DataError: more than 5 % of the files cannot be read.
    """
    rows = np.empty((len(clips), window), np.int16)
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
