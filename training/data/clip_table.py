"""TODO: rows."""

import operator
from collections.abc import Callable, Collection, Sequence
from itertools import combinations
from pathlib import Path

import numpy as np
import numpy.typing as npt

from training.clips.finding import Clip
from training.clips.reading import Reading
from training.clips.window import WINDOW, Samples
from training.clips.words import SILENCE, UNKNOWN
from training.data.unknown_class import letters_differ, middle_of_sound, splice
from training.output.messages import printable


class Rows:
    """Clips in one array that is allocated once: where each is from, its word and its name."""

    def __init__(self, size: int) -> None:
        self._array = np.empty((size, WINDOW), np.int16)
        self.origins: list[str] = []
        self.words: list[str] = []
        self.names: list[str] = []
        self.clips: list[Clip] = []  # those that are recorded

    @property
    def filled(self) -> Samples:
        return self._array[: len(self.names)]

    def names_of(self, *origins: str) -> list[str]:
        named = zip(self.origins, self.names, strict=True)
        return [name for origin, name in named if origin in origins]

    def add(self, origin: str, word: str, name: str, samples: Samples) -> None:
        self._array[len(self.names)] = samples
        self._note(origin, word, name)

    def read(
        self, origin: str, reading: Reading, clips: Sequence[Clip], what: str, folder: Path
    ) -> None:
        """Add clips from their files; see `Reading.clips` for the last two."""
        kept = reading.clips(clips, self._array[len(self.names) :], what, folder)
        for clip in kept:
            self._note(origin, clip.word, clip.key)
        if origin == "recorded":
            self.clips += kept

    def _note(self, origin: str, word: str, name: str) -> None:
        self.origins.append(origin)
        self.words.append(word)
        self.names.append(printable(name))

    def make_unknown(self, backwards: int, splices: int, rng: np.random.Generator) -> None:
        """Add recorded words played backwards, and splices of them."""
        rows = np.array(
            [
                i
                for i, of in enumerate(self.origins)
                if of == "recorded" and self.words[i] != SILENCE
            ]
        )
        for row in sorted(rng.permutation(rows)[:backwards]):
            self.add("backwards", UNKNOWN, f"{self.names[row]} backwards", self._array[row, ::-1])
        self._make_splices(rows, splices, operator.ne, rng)

    def splice_commands(
        self, commands: Collection[str], splices: int, rng: np.random.Generator
    ) -> None:
        """Add splices of recorded commands with no letter in common.

        Half of "no" and half of "go" can make a "no" or a "go" again, and half of "stop" and half
        of "up" a "stop" or an "up".
        """
        rows = np.array(
            [
                i
                for i, of in enumerate(self.origins)
                if of == "recorded" and self.words[i] in commands
            ]
        )
        self._make_splices(rows, splices, letters_differ, rng)

    def _make_splices(
        self,
        rows: npt.NDArray[np.int_],
        splices: int,
        differ: Callable[[str, str], bool],
        rng: np.random.Generator,
    ) -> None:
        """Add joins of the first half of one word and the second half of another, which differs."""
        splices *= any(differ(*pair) for pair in combinations({self.words[i] for i in rows}, 2))
        middles: dict[int, int] = {}
        for _ in range(splices):
            pair = rng.choice(rows, 2)
            while not differ(self.words[pair[0]], self.words[pair[1]]):
                pair = rng.choice(rows, 2)
            for row in pair:
                if row not in middles:
                    middles[row] = middle_of_sound(self._array[row])
            second, first = sorted(pair, key=middles.__getitem__)
            spliced = splice(
                self._array[first], self._array[second], middles[first], middles[second]
            )
            self.add("splice", UNKNOWN, f"{self.names[first]}+{self.names[second]}", spliced)
