"""Tests of training/own_words/texts.py."""

import pytest

from training.own_words.texts import texts_of
from training.voices.near_misses import holds_phrase
from training.voices.words import OTHER_WORDS

pytestmark = pytest.mark.usefixtures("synthesisers")
PHRASES = ["lights on", "stop"]


def test_both_sides_say_the_phrases_near_misses_and_other_words():
    texts = texts_of(PHRASES, OTHER_WORDS, "en-us", 0)
    for own in texts.values():
        assert [*own.phrases] == PHRASES
        assert {"on lights", "lights", "garden"} <= own.others.keys()
        assert any(text.startswith("[[") for text in own.others)
    assert sum(texts["training"].phrases.values()) > sum(texts["held-out"].phrases.values())


@pytest.mark.parametrize("phrases", [PHRASES, ["Lights on", "Stop"]])
def test_no_phrase_and_no_word_of_one_is_among_the_other_words(phrases):
    others = texts_of(phrases, ["on", "stop", *OTHER_WORDS], "en-us", 0)["training"].others
    assert not any(holds_phrase(text, phrases) for text in others)
