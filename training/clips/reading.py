"""TODO: reading."""

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TypeVar

import numpy as np
import numpy.typing as npt
from tqdm import tqdm

from speechgru import audio
from training.clips.errors import DataError
from training.clips.finding import Clip
from training.clips.window import WINDOW, Samples, is_silent, one_second, to_int16
from training.clips.words import SILENCE
from training.output.messages import printable, warn

UNREADABLE_SHARE = 0.05  # of a folder's files; above, the folder is not what it is taken for
SHOWN = 5  # files that are passed over and shown on stderr
READ_AT_ONCE = 1024  # files whose samples may wait in memory for their turn
Made = TypeVar("Made")


class Reading:
    """Reads sound files on all cores and keeps account of those that are passed over.

    A file is passed over if it cannot be read or if it is silent: digital zero, or below -75 dBFS
    (RMS of every 10 ms) throughout; a folder named "silence" may hold silent files. Only files
    that cannot be read count for the 5 % above which a folder is refused: a silent file is what it
    seems to be, and many of them leave a word without clips, which has a message of its own.

    Attributes:
        skipped: path and reason of each file passed over, in the order of reading.
    """

    def __init__(self) -> None:
        self.skipped: list[tuple[str, str]] = []
        self._asked: Counter[Path | None] = Counter()
        self._unreadable: dict[Path | None, list[str]] = {}

    def clips(
        self, clips: Sequence[Clip], into: Samples, what: str, folder: Path | None = None
    ) -> list[Clip]:
        """Read clips as windows of one second into the first rows of an array.

        Shorter clips are padded with zeros on both sides, longer ones cut around their sound.

        Args:
            clips: what to read.
            into: int16 (at least the number of clips, WINDOW).
            what: the progress bar's title.
            folder: the folder that `check` blames.

        Returns:
            The clips that were read; the n-th is in row n.
        """
        kept = []
        paths = [clip.path for clip in clips]
        for number, row in self.each(paths, lambda s: to_int16(one_second(s)), what, folder):
            into[len(kept)] = row
            kept.append(clips[number])
        return kept

    def each(
        self,
        paths: Sequence[Path],
        make: Callable[[npt.NDArray[np.float32]], Made],
        what: str,
        folder: Path | None = None,
    ) -> Iterator[tuple[int, Made]]:
        """The number of every usable file, and what `make` makes of its samples, in order."""

        def read(path: Path) -> tuple[Made | None, str, bool]:
            try:
                samples = audio.load(path)
            except audio.AudioError as error:
                return None, str(error).removeprefix(f"{audio.describe(path)}: "), True
            except OSError as error:
                return None, error.strerror or str(error), True
            if path.parent.name != SILENCE and is_silent(samples):
                return None, "expected sound, found silence (below -75 dBFS throughout)", False
            return make(samples), "", False

        self._asked[folder] += len(paths)
        bar = tqdm(total=len(paths), desc=what, disable=None, leave=False, unit="file")
        with bar, ThreadPoolExecutor() as pool:
            for start in range(0, len(paths), READ_AT_ONCE):
                block = paths[start : start + READ_AT_ONCE]
                for number, (made, reason, unreadable) in enumerate(pool.map(read, block), start):
                    bar.update()
                    if made is not None:
                        yield number, made
                        continue
                    self.skipped.append((printable(paths[number]), reason))
                    if unreadable:
                        place = f"{printable(paths[number])}: {reason}"
                        self._unreadable.setdefault(folder, []).append(place)

    def check(self) -> None:
        """Refuse a folder of which too many files cannot be read.

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
        """Name the first files passed over on stderr, and how many more there are."""
        for path, reason in self.skipped[:SHOWN]:
            warn(f"passed over: {path}: {reason}")
        if len(self.skipped) > SHOWN:
            warn(f"passed over: ... and {len(self.skipped) - SHOWN} more")


def read_clips(clips: Sequence[Clip], what: str) -> tuple[Samples, list[Clip]]:
    """Read clips as windows of one second, int16 (n, WINDOW), and the clips that could be read.

    See `Reading` for what is passed over.

    Raises:
        DataError: more than 5 % of the files cannot be read.
    """
    rows = np.empty((len(clips), WINDOW), np.int16)
    reading = Reading()
    kept = reading.clips(clips, rows, what)
    reading.check()
    reading.show()
    return rows[: len(kept)], kept
