"""The folder of a word's takes, as training reads it: `<word>/<speaker>_nohash_<take>.wav`."""

import re
import unicodedata
from pathlib import Path

from speechgru.audio import wav_files
from speechgru.audio.sample_arrays import Samples
from speechgru.errors import SpeechGRUError, escape

_MARK = "_nohash_"  # of Speech Commands: the speaker stands before it
_MAX_NAME = 100  # characters; with the rest, file systems take them in any alphabet but few


class TakeFolder:
    """Saves the takes of one word by one speaker. Their numbers go on from those in the folder.

    Attributes:
        word: the word.
        path: its folder.
        saved: the files that have been written.

    Args:
        out: the folder of all words.
        word: the word or phrase: the folder's name, in composed Unicode form, blanks single.
        speaker: who speaks: what the names of the files begin with.

    Raises:
        SpeechGRUError: the word cannot be the name of a folder that training reads, or the speaker
            the beginning of a file's name, or there is a file in place of the folder.
    """

    def __init__(self, out: Path, word: str, speaker: str) -> None:
        self.word = unicodedata.normalize("NFC", " ".join(word.split()))
        self.path = out / self.word
        self.saved: list[Path] = []
        self._speaker = speaker
        _check_word(self.word, word)
        _check_speaker(speaker, self.word)
        if self.path.exists() and not self.path.is_dir():
            raise SpeechGRUError(f"{escape(str(self.path))}: expected a folder, found a file")
        self._next = 1 + max(self._numbers(), default=-1)

    def save(self, samples: Samples) -> Path:
        """Write a take under a new name, and return its path.

        Args:
            samples: 16 kHz mono, float32 (samples,), in [-1, 1].

        Raises:
            OSError: it cannot be written. The error names the file.
        """
        self.path.mkdir(parents=True, exist_ok=True)
        while (path := self.path / f"{self._speaker}{_MARK}{self._next}.wav").exists():
            self._next += 1
        wav_files.write(path, samples)
        self._next += 1
        self.saved.append(path)
        return path

    def summary(self) -> str:
        """How many takes have been saved, at least one, and where."""
        number = len(self.saved)
        text = f"{number} take{'s' if number > 1 else ''} of {self.word}: {self.saved[0]}"
        return escape(text if number == 1 else f"{text} to {self.saved[-1].name}")

    def _numbers(self) -> list[int]:
        """The numbers of the speaker's takes that are in the folder."""
        name = re.compile(re.escape(self._speaker + _MARK) + r"([0-9]{1,9})\.\w+", re.IGNORECASE)
        paths = self.path.iterdir() if self.path.is_dir() else ()
        return [int(found[1]) for path in paths if (found := name.fullmatch(path.name))]


def default_speaker(login: str) -> str:
    """A login name as the name of a speaker."""
    return wav_files.safe_name(login.replace(_MARK, "_"))[:_MAX_NAME]


def _check_word(word: str, given: str) -> None:
    if word.startswith("_"):
        raise SpeechGRUError(
            f"{escape(given)}: expected a word, found one that begins with '_'; training reads no "
            "such folders"
        )
    if word != wav_files.safe_name(word) or len(word) > _MAX_NAME:
        raise SpeechGRUError(
            f"{escape(given) or repr('')}: expected a word of 1 to {_MAX_NAME} characters that can "
            "name a folder on every system"
        )


def _check_speaker(speaker: str, word: str) -> None:
    begins = f"{speaker}{_MARK}".partition(_MARK)[0] == speaker
    if not begins or speaker != wav_files.safe_name(speaker) or len(speaker) > _MAX_NAME:
        raise SpeechGRUError(
            f"{escape(speaker) or repr('')}: expected a speaker's name of 1 to {_MAX_NAME} "
            f"characters that can begin a file's name, without {_MARK}"
        )
    if speaker == word:
        raise SpeechGRUError(
            f"{escape(speaker)}: expected the name of a speaker, found the word itself; "
            "--speaker NAME sets it"
        )
