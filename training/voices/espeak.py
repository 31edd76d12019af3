"""espeak-ng: about a hundred voices and variants, and the phonemes of any word."""

# ruff: noqa: RUF001 - phonemes look like letters

import re
from functools import cache
from pathlib import Path

from training.voices.programs import run_program
from training.voices.speakers import Speaker


def write_speech(speaker: Speaker, files: dict[str, Path]) -> None:
    """Write the sound of each word or sentence to its file."""
    for word, path in files.items():
        # Half the usual amplitude: some variants clip at the usual one.
        options = f"-v {speaker.voice} -s {speaker.speed} -p {speaker.pitch} -a 50 -w".split()
        run_program("espeak-ng", *options, str(path), word)


def phonemes(text: str, accent: str) -> str:
    """Return a text's phonemes in the International Phonetic Alphabet, and its punctuation.

    Args:
        text: a text, or mnemonics in double brackets as `near_misses` writes them.
        accent: one of espeak-ng's voices, or "en-us-merged".
    """
    if text.startswith("[["):
        return clause_phonemes(text, accent)
    clauses = re.split("([,.?!] ?)", text)  # espeak-ng itself leaves out the marks
    return "".join(
        c if i % 2 or not c else clause_phonemes(c, accent) for i, c in enumerate(clauses)
    )


def mnemonics(text: str, accent: str) -> str:
    """Return a text's phonemes as espeak-ng itself writes them, with "_" between them."""
    return run_program("espeak-ng", "-q", "-x", "--sep=_", "-v", accent, text)


@cache
def clause_phonemes(clause: str, accent: str, separator: str = "") -> str:
    """Return the phonemes of a text without punctuation, ? being the mark of a question alone.

    Args:
        clause: the text, or mnemonics in double brackets.
        accent: one of espeak-ng's voices, or "en-us-merged".
        separator: what stands between the phonemes of a word. Default "".
    """
    voice = accent.removesuffix("-merged")
    separate = [f"--sep={separator}"] if separator else []
    ipa = run_program("espeak-ng", "-q", "--ipa", *separate, "-v", voice, clause)
    ipa = " ".join(re.sub(r"\([a-z-]+\)", "", ipa).split())  # marks of words of other languages
    if not accent.startswith("en"):
        return ipa.replace("?", "ʔ").replace("-", "")  # glottal stop; schwa that may be left out
    vowel = (
        "ɔː" if voice == accent else "ɑː"
    )  # never a short ɔ: with it joe's "off" sounds like "up"
    return re.sub("ɔː?(?![ːɹɪ])", vowel, ipa)
