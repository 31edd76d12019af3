"""Tests of training/own_words/phrases.py."""

import pytest

from training.own_words.phrases import check_phrases
from training.voices.errors import SynthesisError
from training.voices.languages import ENGLISH, GERMAN


def test_phrases_keep_their_spelling_and_lose_extra_blanks():
    assert check_phrases(["lights  on", " Don't stop"], ENGLISH) == ("lights on", "Don't stop")
    assert check_phrases(["Grüß  Gott"], GERMAN) == ("Grüß Gott",)


@pytest.mark.parametrize(
    ("phrases", "reason"),
    [
        (["turn on all the lights"], "expected one to 4 words, found 5"),
        (["  "], "expected one to 4 words, found 0"),
        (["la" * 40], "expected at most 60 letters"),
        (["channel 4"], "numbers spelled out, found '4'"),
        (["../x"], "expected words of the letters of English"),
        (["[[l'aIt]]"], "expected words of the letters of English"),
        (["Grüß Gott"], "found 'Grüß' in 'Grüß Gott'"),
        (["Unknown"], "every model has this label"),
        (["lights on", "Lights  On"], "expected different phrases"),
    ],
)
def test_what_cannot_be_a_phrase_is_refused(phrases, reason):
    with pytest.raises(SynthesisError, match=reason):
        check_phrases(phrases, ENGLISH)
