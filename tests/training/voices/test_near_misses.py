"""Tests of training/voices/near_misses.py."""

# ruff: noqa: RUF001 - phonemes look like letters

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from training.voices.espeak import clause_phonemes
from training.voices.near_misses import (
    Phoneme,
    holds_phrase,
    sound_near_misses,
    text_near_misses,
)

OTHERS = ["garden", "window", "seven", "music", "yellow", "mountain", "engine", "village"]


def rng() -> np.random.Generator:
    return np.random.default_rng(0)


def test_parts_orders_and_exchanged_words_are_near_misses():
    found = text_near_misses(["lights on", "play music"], OTHERS, 2, rng())
    assert {"lights", "on", "on lights", "play on", "lights music", "music play"} <= {*found}
    assert sum(text.startswith("lights ") for text in found) == 1 + 2


def test_a_part_that_is_another_phrase_is_no_near_miss():
    found = text_near_misses(["lights on", "lights", "on lights"], OTHERS, 1, rng())
    assert not {"lights", "on lights"} & {*found}
    assert "on" in found


word = st.sampled_from(["red", "green", "blue", "one", "two"])
phrase = st.lists(word, min_size=1, max_size=4, unique=True).map(" ".join)


@given(st.lists(phrase, min_size=1, max_size=4, unique=True), st.integers(0, 5))
def test_no_near_miss_holds_a_phrase(phrases, number):
    found = text_near_misses(phrases, OTHERS, number, rng())
    assert not any(holds_phrase(text, phrases) for text in found)
    assert len({*found}) == len(found)


@pytest.mark.parametrize(
    ("text", "held"),
    [("turn the Lights ON now", True), ("lights only", False), ("moonlights on", False)],
)
def test_a_text_holds_a_phrase_by_whole_words(text, held):
    assert holds_phrase(text, ["lights on"]) == held


def test_sounds_of_one_group_resemble_each_other():
    t, d, n, i, ee = (Phoneme(ipa, ipa) for ipa in ("t", "d", "n", "ɪ", "ˈiː"))
    assert t.resembles(d)
    assert i.resembles(ee)
    assert not t.resembles(n)
    assert i.is_vowel
    assert not n.is_vowel


@pytest.mark.usefixtures("synthesisers")
def test_sounds_are_replaced_by_others_and_the_phrase_itself_is_left_out():
    found = sound_near_misses(["lights on", "computer"], OTHERS, "en-us", 10, rng())
    assert len(found) == 20
    assert all(text.startswith("[[") and text.endswith("]]") for text in found)
    assert "[[l'aIts 'O2n]]" not in found
    heard = {clause_phonemes(text, "en-us") for text in found}
    assert len(heard) > 17
    assert clause_phonemes("lights on", "en-us") not in heard


@pytest.mark.usefixtures("synthesisers")
def test_the_same_seed_draws_the_same_near_misses():
    first, again = (sound_near_misses(["marvin"], OTHERS, "en-us", 8, rng()) for _ in range(2))
    assert first == again
