"""Tests of training/voices/languages.py."""

import pytest

from training.voices import languages
from training.voices.errors import SynthesisError
from training.voices.languages import ENGLISH, FRENCH, GERMAN, LANGUAGES, SPANISH, find_language
from training.voices.words import OTHER_WORDS

LISTING = """Pty Language       Age/Gender VoiceName          File                 Other Languages
 5  it              --/M      Italian            roa/it
 5  pt-br           --/M      Portuguese_(Brazil) roa/pt-BR           (pt 6)
 9  xx              --/M      nobody             mb/mb-xx1
"""


def test_languages_are_found_by_their_code():
    assert find_language("de") is GERMAN
    assert {code: find_language(code).name for code in LANGUAGES} == {
        "de": "German",
        "en": "English",
        "es": "Spanish",
        "fr": "French",
    }


def test_another_language_of_espeak_is_spoken_without_texts_and_words(monkeypatch):
    monkeypatch.setattr(languages, "run_program", lambda *command: LISTING)
    language = find_language("pt-br")
    assert (language.name, language.accents) == ("Portuguese (Brazil)", ("pt-br",))
    assert (language.texts, language.other_words) == ((), ())
    assert language.kokoro_styles("training") == GERMAN.kokoro_styles("training")


@pytest.mark.parametrize("code", ["xx", "", "de-de", "German"])
def test_an_unknown_language_lists_those_that_are_known(monkeypatch, code):
    monkeypatch.setattr(languages, "run_program", lambda *command: LISTING)
    with pytest.raises(SynthesisError) as error:
        find_language(code)
    assert str(error.value) == (
        f"--language: expected de, en, es, fr or another of espeak-ng's (it, pt-br), found {code!r}"
    )


@pytest.mark.parametrize("language", [GERMAN, FRENCH, SPANISH], ids=lambda each: each.code)
def test_everyday_words_have_the_letters_of_their_language(language):
    words = language.other_words
    assert set().union(*words) <= set(language.letters)
    assert len(words) == len(set(words)) >= 200
    assert not all(word.isascii() for word in words)


def test_english_keeps_its_words():
    assert ENGLISH.other_words is OTHER_WORDS


@pytest.mark.parametrize("language", LANGUAGES.values(), ids=lambda each: each.code)
def test_no_voice_of_kokoro_is_on_both_sides(language):
    training, held_out = map(language.kokoro_styles, ("training", "held-out"))
    assert len({*training, *held_out}) == len(training) + len(held_out)
    assert len(training) > len(held_out) > 8


@pytest.mark.usefixtures("synthesisers")
def test_espeak_has_the_accents_of_all_languages():
    listing = languages.run_program("espeak-ng", "--voices").split()
    for language in LANGUAGES.values():
        assert {*language.accents} <= {*listing}
    assert find_language("it").name == "Italian"
