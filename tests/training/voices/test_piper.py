"""Tests of training/voices/piper.py."""

import pytest

from training.voices import espeak
from training.voices.piper import load_piper
from training.voices.words import COMMANDS, OTHER_WORDS


@pytest.mark.usefixtures("neural_synthesisers")
def test_every_phoneme_of_the_words_has_a_number():
    _, settings = load_piper(0)
    for word in [*COMMANDS, *OTHER_WORDS[::20]]:
        assert set(espeak.phonemes(word, "en-us")) <= set(settings["phoneme_id_map"]), word
