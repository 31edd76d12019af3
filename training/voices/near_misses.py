"""Near misses of phrases: what a recogniser of these phrases must not take for one of them.

Some are text: parts of a phrase, its words in another order, one of its words replaced. Others are
phonemes: one or two sounds of a phrase replaced by clearly different ones, or a part of a word.
They are written as espeak-ng's mnemonics in double brackets, which espeak-ng says as they are, and
of which it gives the IPA for the neural synthesisers.
"""

# ruff: noqa: RUF001 - phonemes look like letters

import itertools
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from training.clips.names import comparable
from training.voices.espeak import clause_phonemes, mnemonics

VOWELS = frozenset("aeiouyæøœɐɑɒɔəɚɛɜɨɪɵʉʊʌʏ")

# Sounds that accents, voices and microphones confuse: none is replaced by another one of its group.
GROUPS = tuple(
    frozenset(group.split())
    for group in (
        "p b", "t d ɾ ʔ", "k ɡ g x", "f v θ ð w", "s z", "ʃ ʒ tʃ dʒ ç", "m n ŋ ɲ", "l ɹ r ʁ ʎ ɫ",
        "h", "j", "i iː ɪ y ʏ", "e ɛ æ eɪ ɛɹ œ ø", "ɑ ɑː ɒ ɔ ɔː ʌ a ɐ ɑːɹ", "u uː ʊ",
        "o oʊ əʊ oː ɔɹ oːɹ", "ə ɚ ɜ ɜː", "aɪ ɔɪ", "aʊ",
    )
)  # fmt: skip


class Phoneme(NamedTuple):
    """A sound: espeak-ng's mnemonic, with its mark of stress, and its IPA."""

    mnemonic: str
    ipa: str

    @property
    def is_vowel(self) -> bool:
        return not VOWELS.isdisjoint(self.ipa)

    def resembles(self, other: "Phoneme") -> bool:
        """Return whether two sounds are easily confused."""
        one, two = self.ipa.strip("ˈˌ"), other.ipa.strip("ˈˌ")
        return one == two or any(one in group and two in group for group in GROUPS)


Word = list[Phoneme]


def text_near_misses(
    phrases: Sequence[str], other_words: Sequence[str], number: int, rng: np.random.Generator
) -> list[str]:
    """Return texts that are like phrases, in the order of the phrases, each once.

    For each phrase of several words these are all its parts, all other orders of its words, and the
    phrase with a word replaced by one of another phrase; then phrases with a word replaced by one
    of `other_words`. None is a phrase, or holds one.

    Args:
        phrases: one to four words each.
        other_words: words to put in.
        number: for each word of a phrase, how many other words take its place.
        rng: draws them.
    """
    found: dict[str, None] = {}
    all_words = [phrase.split() for phrase in phrases]
    for words in all_words:
        count = len(words)
        if count > 1:
            for size in range(1, count):
                found |= dict.fromkeys(map(" ".join, itertools.combinations(words, size)))
            found |= dict.fromkeys(map(" ".join, itertools.permutations(words)))
        for place in range(count):
            if count == 1:
                continue
            theirs = [other[place] for other in all_words if place < len(other)]
            drawn = rng.choice(other_words, number, replace=False).tolist()
            for word in (*theirs, *drawn):
                found[" ".join([*words[:place], word, *words[place + 1 :]])] = None
    return [text for text in found if not holds_phrase(text, phrases)]


def holds_phrase(text: str, phrases: Sequence[str]) -> bool:
    """Return whether the words of one of some phrases follow one another in a text."""
    padded = f" {comparable(text)} "
    return any(f" {comparable(phrase)} " in padded for phrase in phrases)


def sound_near_misses(
    phrases: Sequence[str],
    other_words: Sequence[str],
    accent: str,
    number: int,
    rng: np.random.Generator,
) -> list[str]:
    """Return phrases with one or two sounds replaced by others, and parts of words, as mnemonics.

    Args:
        phrases: the phrases.
        other_words: words of the language; the new sounds are theirs.
        accent: voice of espeak-ng that the sounds are of.
        number: how many near misses of each phrase, at most.
        rng: draws the sounds and their places.
    """
    # One call, a word a line: 300 calls of espeak-ng take five seconds.
    inventory = sorted({sound for word in _words("\n".join(other_words), accent) for sound in word})
    phrases_sounds = [_words(phrase, accent) for phrase in phrases]
    known = {_plain(words) for words in phrases_sounds}
    found: dict[str, None] = {}
    for words in phrases_sounds:
        own = dict.fromkeys(_written([part]) for word in words for part in _parts(word))
        for attempt in range(number * 4):
            changed = _changed(words, 1 + attempt % 2, inventory, rng)
            if _plain(changed) not in known:
                own[_written(changed)] = None
        found |= dict.fromkeys(list(own)[:number])
    return list(found)


def _words(text: str, accent: str) -> list[Word]:
    """The sounds of a text, by word; those of a word whose two spellings do not match are left out.

    espeak-ng may join or divide words.
    """
    words = []
    written = zip(
        mnemonics(text, accent).split(), clause_phonemes(text, accent, "_").split(), strict=False
    )
    for mnemonic, ipa in written:
        one = [part for part in mnemonic.split("_") if part not in ("", "|", "||")]
        two = [part for part in ipa.split("_") if part]
        if len(one) == len(two):
            words.append([Phoneme(*pair) for pair in zip(one, two, strict=True)])
    return words


def _parts(word: Word) -> list[Word]:
    """The first and the last half of a word, if it is long enough for halves with a vowel."""
    middle = len(word) // 2
    halves = (word[: middle + 1], word[middle:])
    return [
        half
        for half in halves
        if len(word) > 4 and len(half) > 1 and any(sound.is_vowel for sound in half)
    ]


def _changed(
    words: Sequence[Word], count: int, inventory: Sequence[Phoneme], rng: np.random.Generator
) -> list[Word]:
    """Replace first sounds of words and stressed vowels by others that do not resemble them.

    Changes elsewhere are lost in noise, and accents make them, too.
    """
    flat = [
        (number, place)
        for number, word in enumerate(words)
        for place, sound in enumerate(word)
        if place == 0 or sound.mnemonic.startswith("'")
    ]
    changed = [list(word) for word in words]
    for index in rng.choice(len(flat), min(count, len(flat)), replace=False):
        number, place = flat[index]
        old = words[number][place]
        candidates = [
            new for new in inventory if new.is_vowel == old.is_vowel and not new.resembles(old)
        ]
        if candidates:
            new = candidates[int(rng.integers(len(candidates)))]
            stress = "'" if old.mnemonic.startswith("'") else ""
            changed[number][place] = Phoneme(stress + new.mnemonic.lstrip("',"), new.ipa)
    return changed


def _plain(words: Sequence[Word]) -> str:
    """The IPA without stress, to compare."""
    return " ".join("".join(sound.ipa.strip("ˈˌ") for sound in word) for word in words)


def _written(words: Sequence[Word]) -> str:
    return "[[" + " ".join("".join(sound.mnemonic for sound in word) for word in words) + "]]"
