"""TODO: finding."""

import dataclasses
from pathlib import Path

from training.clips.errors import DataError

EXTENSIONS = {".wav", ".flac", ".ogg", ".opus", ".mp3", ".aif", ".aiff"}
SPEAKER_MARK = "_nohash_"  # Speech Commands: <speaker>_nohash_<take>.wav


@dataclasses.dataclass(frozen=True)
class Clip:
    """One file: the word of its folder and its speaker."""

    path: Path
    word: str
    speaker: str

    @property
    def key(self) -> str:
        """What the lists of Speech Commands call the clip: `<word>/<file name>`."""
        return f"{self.word}/{self.path.name}"


def find_clips(folder: Path) -> list[Clip]:
    """All clips of a `<word>/*.wav` folder, sorted; folders that begin with "_" or "." are passed.

    The speaker is the part of the file name before `_nohash_` (Speech Commands), else before its
    last underscore unless that is the word; else the whole stem.

    Raises:
        DataError: no such folder, or no word folder with a sound file in it.
    """
    if not folder.is_dir():
        raise DataError(f"{folder}: expected a folder of <word>/*.wav, found none")
    clips = [
        Clip(path, word.name, speaker_of(path.stem, word.name))
        for word in sorted(folder.iterdir())
        if word.is_dir() and not word.name.startswith(("_", "."))
        for path in sorted(word.iterdir())
        if path.suffix.lower() in EXTENSIONS
    ]
    if not clips:
        inside = ", ".join(sorted(p.name for p in folder.iterdir())[:5]) or "nothing"
        raise DataError(f"{folder}: expected folders <word>/*.wav, found {inside}")
    return clips


def find_recordings(folder: Path) -> list[Path]:
    """All sound files anywhere under a folder, sorted; none where there is no such folder."""
    return sorted(path for path in folder.rglob("*") if path.suffix.lower() in EXTENSIONS)


def speaker_of(stem: str, word: str) -> str:
    """The speaker whom a file's stem names, never empty: see `find_clips`."""
    name, found, _ = stem.partition(SPEAKER_MARK)
    if not found:
        name, found, _ = stem.rpartition("_")
    return name if found and name and name != word else stem
