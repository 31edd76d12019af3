"""Tests of training/voices/kokoro.py."""

# ruff: noqa: RUF001 - phonemes look like letters

import pytest

from training.voices import espeak
from training.voices.kokoro import load_kokoro, phonemes
from training.voices.speakers import KOKORO_ACCENTS, KOKORO_VOICES
from training.voices.words import COMMANDS, OTHER_WORDS


@pytest.mark.parametrize(
    ("accent", "off", "toy", "door"),
    [
        ("en-us", "ˈɔf.", "tˈY.", "dˈɔɹ."),
        ("en-gb", "ˈɒf.", "tˈY.", "dˈɔː."),
        ("en-us-merged", "ˈɑf.", "tˈY.", "dˈɔɹ."),
    ],
)
def test_kokoro_gets_the_phonemes_of_its_training(monkeypatch, accent, off, toy, door):
    spoken = {  # as espeak-ng 1.51 writes them
        "en-us": {"off": "ˈɔf\n", "toy": "tˈɔɪ\n", "door": "dˈɔːɹ\n"},
        "en-gb": {"off": "ˈɒf\n", "toy": "tˈɔɪ\n", "door": "dˈɔː\n"},
    }
    monkeypatch.setattr(espeak, "run_program", lambda *command: spoken[command[4]][command[5]])
    espeak.clause_phonemes.cache_clear()
    written = [phonemes(word, accent) for word in ("off", "toy", "door")]
    espeak.clause_phonemes.cache_clear()
    assert written == [off, toy, door]


@pytest.mark.usefixtures("neural_synthesisers")
def test_every_phoneme_of_the_words_is_in_the_vocabulary():
    _, vocabulary, styles = load_kokoro()
    assert set(styles) == set(KOKORO_VOICES)
    for word in [*COMMANDS, *OTHER_WORDS[::20]]:
        for accent in KOKORO_ACCENTS:
            assert set(phonemes(word, accent)) <= set(vocabulary), word
