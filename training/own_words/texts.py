"""What the voices say for a model of some phrases: the phrases, near misses and other words."""

from collections.abc import Sequence

import numpy as np

from training.clips.names import comparable
from training.voices.near_misses import holds_phrase, sound_near_misses, text_near_misses
from training.voices.phrase_writing import Texts

PHRASE_CLIPS = {"training": 180, "held-out": 48}  # of each phrase
NEAR_MISS_CLIPS = {"training": 6, "held-out": 1}  # of each near miss
OTHER_CLIPS = {"training": 3, "held-out": 1}  # of each other word
PAIRS = 200  # texts of two other words: a phrase is not any two words
REPLACED = 6  # other words that take the place of each word of a phrase
SOUNDS = 14  # near misses of each phrase with other sounds


def texts_of(
    phrases: Sequence[str], other_words: Sequence[str], accent: str, seed: int
) -> dict[str, Texts]:
    """Return what training voices and held-out voices say.

    Args:
        phrases: the phrases.
        other_words: everyday words of the language; those that are a part of a phrase are left out.
        accent: voice of espeak-ng whose sounds the near misses have.
        seed: seed of all random choices.
    """
    rng = np.random.default_rng([seed, 6])
    parts = {comparable(word) for phrase in phrases for word in phrase.split()}
    others = [word for word in other_words if comparable(word) not in parts]
    near = text_near_misses(phrases, others, REPLACED, rng)
    near += sound_near_misses(phrases, others, accent, SOUNDS, rng)
    drawn = [" ".join(rng.choice(others, 2, replace=False)) for _ in range(PAIRS)]
    pairs = [pair for pair in dict.fromkeys(drawn) if not holds_phrase(pair, phrases)]
    return {
        side: Texts(
            dict.fromkeys(phrases, PHRASE_CLIPS[side]),
            {
                **dict.fromkeys((*others, *pairs), OTHER_CLIPS[side]),
                **dict.fromkeys(near, NEAR_MISS_CLIPS[side]),
            },
        )
        for side in PHRASE_CLIPS
    }
