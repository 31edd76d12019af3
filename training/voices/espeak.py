"""espeak-ng: about a hundred voices and variants, and the phonemes of any word."""

# ruff: noqa: RUF001 - phonemes look like letters

import re
from functools import cache
from pathlib import Path

from training.voices.programs import run_program
from training.voices.speakers import Speaker


def write_speech(speaker: Speaker, files: dict[str, Path]) -> None:
    """Write each word's sound to its file."""
    for word, path in files.items():
        # Half the usual amplitude: some variants clip at the usual one.
        options = f"-v {speaker.voice} -s {speaker.speed} -p {speaker.pitch} -a 50 -w".split()
        run_program("espeak-ng", *options, str(path), word)


@cache
def phonemes(word: str, accent: str) -> str:
    """Return a word's phonemes in the International Phonetic Alphabet."""
    voice = accent.removesuffix("-merged")
    ipa = run_program("espeak-ng", "-q", "--ipa", "-v", voice, word).strip()
    vowel = (
        "ɔː" if voice == accent else "ɑː"
    )  # never a short ɔ: with it joe's "off" sounds like "up"
    return re.sub("ɔː?(?![ːɹɪ])", vowel, ipa)
