"""Tests of training/voices/words.py."""

import pytest

from training.clips.words import USUAL_WORDS
from training.voices.errors import SynthesisError
from training.voices.words import COMMANDS, OTHER_WORDS, SAMPLE_OTHERS, check_words


def test_other_words_are_no_commands_and_no_words_of_the_samples():
    assert len(OTHER_WORDS) == len(set(OTHER_WORDS)) > 250
    homophones = {"know", "write", "rite", "wright"}
    assert not set(OTHER_WORDS) & {*COMMANDS, *SAMPLE_OTHERS, *homophones}


def test_the_commands_are_those_that_training_looks_for():
    assert COMMANDS == USUAL_WORDS


def test_every_word_of_the_lists_can_be_spoken():
    check_words([*COMMANDS, *SAMPLE_OTHERS, *OTHER_WORDS])


@pytest.mark.parametrize(
    "word", ["", " ", "lights on", "up/down", "..", "a\n", "a\x1b[31m", "Yes", "naïve", "-v", 'a"']
)
def test_a_text_that_is_no_word_is_refused(word):
    with pytest.raises(SynthesisError, match="expected a word of the letters a to z, found") as at:
        check_words(["yes", word])
    assert str(at.value).isprintable()
