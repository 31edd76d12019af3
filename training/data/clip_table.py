"""A table of clips: their samples in one array, and where each comes from."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Literal

import numpy as np
import numpy.typing as npt

from training.clips.clip import Clip
from training.clips.reading import Reading
from training.clips.window import Samples
from training.output.messages import printable

Origin = Literal["silent", "recorded", "negative", "synthetic", "backwards", "splice", "noise"]


class ClipTable:
    """Clips in one array that is allocated once: 32 kB a second.

    Args:
        size: the most clips that it holds.
        window: samples of a clip.

    Attributes:
        origins: where each clip comes from.
        words: the word of each clip.
        names: the name of each clip; see `Task.lists`.
        recorded: the clips that were read from the data folder, in their order.
        following: the row of the next window of the same recording, by the row of a clip.
    """

    def __init__(self, size: int, window: int) -> None:
        self._array = np.empty((size, window), np.int16)
        self.origins: list[Origin] = []
        self.words: list[str] = []
        self.names: list[str] = []
        self.recorded: list[Clip] = []
        self.following: dict[int, int] = {}

    @property
    def samples(self) -> Samples:
        """The clips so far, int16, shape (clips, window)."""
        return self._array[: len(self.names)]

    def add(self, origin: Origin, word: str, name: str, samples: Samples) -> None:
        """Append one clip of `window` samples."""
        self._array[len(self.names)] = samples
        self._describe(origin, word, name)

    def read(
        self, origin: Origin, reading: Reading, clips: Sequence[Clip], what: str, folder: Path
    ) -> None:
        """Append clips from their files; `what` and `folder` are those of `Reading.clips`."""
        read = reading.clips(clips, self._array[len(self.names) :], what, folder)
        for clip in read:
            self._describe(origin, clip.word, clip.key)
        if origin == "recorded":
            self.recorded += read

    def names_of(self, *origins: Origin) -> list[str]:
        """The names of all clips of these origins."""
        named = zip(self.origins, self.names, strict=True)
        return [name for origin, name in named if origin in origins]

    def recorded_rows(self, is_used: Callable[[str], bool]) -> npt.NDArray[np.int_]:
        """The rows of recorded clips whose word `is_used`."""
        described = enumerate(zip(self.origins, self.words, strict=True))
        rows = [row for row, (of, word) in described if of == "recorded" and is_used(word)]
        return np.array(rows, int)

    def _describe(self, origin: Origin, word: str, name: str) -> None:
        self.origins.append(origin)
        self.words.append(word)
        self.names.append(printable(name))
