"""Phrases that can be spoken and be labels."""

import re
from collections.abc import Sequence

from training.clips.names import comparable, tidy
from training.clips.words import SILENCE, UNKNOWN
from training.voices.errors import SynthesisError
from training.voices.languages import Language

MOST_WORDS = 4
MOST_LETTERS = 60


def check_phrases(phrases: Sequence[str], language: Language) -> tuple[str, ...]:
    """Return phrases with single blanks between their words.

    Args:
        phrases: the phrases.
        language: their language.

    Raises:
        SynthesisError: a phrase has no word or more than four, or more than 60 letters; has other
            characters than letters of the language and apostrophes; is "unknown" or "silence"; or
            is there twice.
    """
    checked: dict[str, str] = {}
    for phrase in map(tidy, phrases):
        words = phrase.split()
        if not 1 <= len(words) <= MOST_WORDS:
            raise SynthesisError(
                f"--phrases: expected one to {MOST_WORDS} words, found {len(words)} in {phrase!r}"
            )
        if len(phrase) > MOST_LETTERS:
            raise SynthesisError(
                f"--phrases: expected at most {MOST_LETTERS} letters, which take three seconds, "
                f"found {len(phrase)} in {phrase[:20]!r}..."
            )
        for word in words:
            parts = re.split("['\u2019]", word)
            if not all(part and all(map(language.has_letter, part)) for part in parts):
                raise SynthesisError(
                    f"--phrases: expected words of the letters of {language.name}, and numbers "
                    f"spelled out, found {word!r} in {phrase!r}"
                )
        if comparable(phrase) in (UNKNOWN, SILENCE):
            raise SynthesisError(f"--phrases: {phrase!r} cannot be one; every model has this label")
        if comparable(phrase) in checked:
            raise SynthesisError(f"--phrases: expected different phrases, found {phrase!r} twice")
        checked[comparable(phrase)] = phrase
    return tuple(checked.values())
