"""The choice of command words, and words that are spelled differently."""

import unicodedata
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.training.clips.made_clips import clip_list, touch
from training.clips.clip import Clip
from training.clips.errors import DataError
from training.clips.finding import find_clips
from training.clips.words import (
    USUAL_WORDS,
    choose_words,
    match_words,
    respell,
    warn_of_thin_words,
)


def test_the_ten_usual_words_are_chosen_where_they_are():
    everything = clip_list(words=(*USUAL_WORDS, "bird"), speakers=1)
    assert choose_words(everything, None) == USUAL_WORDS
    assert choose_words(clip_list(words=("tea", "milk")), None) == ("milk", "tea")
    assert choose_words(everything, ["bird", "no", "bird"]) == ("bird", "no")


def test_all_words_are_every_folder_but_unknown_and_silence():
    found = clip_list(words=("unknown", "yes", "all", "silence", *USUAL_WORDS), speakers=1)
    expected = tuple(sorted({*USUAL_WORDS, "all"}))
    assert choose_words(found, ["all"]) == expected
    assert choose_words(found, ["all", "no"]) == ("all", "no")  # a word among others


def test_thin_words_are_named_in_one_line(capsys):
    training = clip_list(("tea", "milk"), speakers=5)
    training += [Clip(Path("solo.wav"), "solo", "anna")] * 20
    validation = clip_list(("tea",), 1, 2) + clip_list(("milk",), 1, 1)
    warn_of_thin_words(("tea", "milk", "solo"), training, validation)
    few, alone = capsys.readouterr().err.splitlines()
    assert few.endswith(
        ": milk (10 to train on, 1 to validate on), solo (20 to train on, 0 to validate on)"
    )
    assert alone.endswith(": solo")


def test_words_with_enough_clips_and_speakers_are_not_mentioned(capsys):
    warn_of_thin_words(("yes", "no"), clip_list(), clip_list())
    assert capsys.readouterr().err == ""


# Words that are spelled differently

COMPOSED, DECOMPOSED = (unicodedata.normalize(form, "caf\u00e9") for form in ("NFC", "NFD"))


@pytest.mark.parametrize(
    ("folder", "asked", "label"),
    [
        (DECOMPOSED, COMPOSED, COMPOSED),
        (COMPOSED, DECOMPOSED, COMPOSED),
        ("Yes", "yes", "yes"),
        ("yes", "YES", "YES"),
        ("yes", "  yes ", "yes"),
        ("lights on", "Lights  on", "Lights on"),
        ("Stra\u00dfe", "STRASSE", "STRASSE"),
    ],
)
def test_a_word_is_found_in_another_spelling_and_keeps_that_asked_for(
    folder, asked, label, tmp_path
):
    found = find_clips(touch(tmp_path, [f"{folder}/a.wav", "no/a.wav"]))
    assert choose_words(found, [asked, "no"]) == (label, "no")
    respelled = respell(found, [label, "no"])
    assert {clip.word for clip in respelled} == {label, "no"}
    assert sorted(clip.key for clip in respelled) == sorted([f"{folder}/a.wav", "no/a.wav"])


def test_a_word_asked_for_twice_is_one_command():
    assert choose_words(clip_list(), ["yes", "Yes", " yes", "no"]) == ("yes", "no")


def test_the_usual_words_are_found_in_capitals():
    found = clip_list(words=[word.upper() for word in USUAL_WORDS], speakers=1)
    assert choose_words(found, None) == USUAL_WORDS


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["tea"], "no clips of tea; there are clips of no, yes"),
        (["yes", " "], "found an empty one"),
        (["yes", "Unknown"], "Unknown cannot be a command"),
        (["silence"], "silence cannot be a command"),
        ([], "expected at least one word"),
    ],
)
def test_words_that_cannot_be_commands_are_refused(words, message):
    with pytest.raises(DataError, match=message):
        choose_words(clip_list(), words)


@given(words=st.lists(st.sampled_from(["yes", "no", COMPOSED, "lights on"]), unique=True))
def test_words_match_their_labels_and_no_others(words):
    spelled = [unicodedata.normalize("NFD", word.upper()) for word in words]
    assert match_words([*spelled, "bird"], words) == dict(zip(spelled, words, strict=True))


def test_respelling_leaves_other_clips_alone():
    clips = [Clip(Path("NO/a.wav"), "NO", "a"), Clip(Path("up/a.wav"), "up", "a")]
    respelled = respell(clips, ["no"])
    assert [clip.word for clip in respelled] == ["no", "up"]
    assert respelled[1] is clips[1]
