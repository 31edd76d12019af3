"""A clip: one recorded word."""

import dataclasses
from pathlib import Path


@dataclasses.dataclass(frozen=True)
class Clip:
    """One sound file of a word.

    Attributes:
        path: the file.
        word: the word that is spoken, as the labels spell it.
        speaker: who speaks; see `speakers.speaker_of`.
        folder: the name of the word's folder, if it is not `word`. Default "".
    """

    path: Path
    word: str
    speaker: str
    folder: str = ""

    @property
    def key(self) -> str:
        """The clip's name in the lists of Speech Commands: `<folder>/<file name>`."""
        return f"{self.folder or self.word}/{self.path.name}"
