"""Speakers, told apart by file names."""

import re
import unicodedata
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from tests.training.clips.made_clips import NAMES, touch
from training.clips.finding import find_clips
from training.clips.names import comparable
from training.clips.speakers import (
    clips_without_speaker,
    names_speaker,
    recording_speaker,
    speaker_of,
)


@pytest.mark.parametrize(
    ("stem", "speaker"),
    [
        ("0a7c2a8d_nohash_1", "0a7c2a8d"),
        ("anna_12", "anna"),
        ("anna_b_3", "anna_b"),
        ("x", "x"),
        ("yes_7", "yes_7"),
    ],
)
def test_the_speaker_is_read_from_the_name(stem, speaker, tmp_path):
    (tmp_path / "yes").mkdir()
    (tmp_path / "yes" / f"{stem}.wav").touch()
    assert [clip.speaker for clip in find_clips(tmp_path)] == [speaker]


@given(speaker=NAMES, take=st.integers(0, 99))
def test_the_speaker_of_the_convention_is_what_comes_before_the_mark(speaker, take):
    name = f"{speaker}_nohash_{take}.wav"
    expected = re.sub(r"_nohash_.*$", "", name)  # as the speech_commands example does
    assert speaker_of(Path(name.replace("/", "-")).stem, "") == expected.replace("/", "-")


@given(stem=NAMES, word=NAMES)
@example(stem="_nohash_1", word="yes")
@example(stem="_1", word="yes")
@example(stem="yes_yes_0", word="yes")
@example(stem="yes_", word="yes")
def test_every_file_has_a_speaker_of_parts_of_its_name(stem, word):
    speaker = speaker_of(stem, word)
    assert speaker
    parts = re.split(r"[_\s]", unicodedata.normalize("NFC", stem))
    joined = "".join(parts)
    assert all(part in joined for part in re.split(r"[_\s]", speaker))
    assert speaker != word or comparable(stem) == comparable(word)


def test_files_of_one_stem_are_one_speakers(tmp_path):
    for word in ("yes", "no"):
        (tmp_path / word).mkdir()
        for name in ("anna.wav", "ben.flac"):
            (tmp_path / word / name).touch()
    speakers = [clip.speaker for clip in find_clips(tmp_path)]
    assert speakers == ["anna", "ben", "anna", "ben"]


@pytest.mark.parametrize(
    "stem",
    [
        "p3_yes_0",
        "yes_p3_0",
        "p3-yes-0",
        "p3_yes_0_1",
        "p3_YES_take2",
        "p3 yes (4)",
        "p3.yes.01",
        "p3_yes",
        "p3_yes3",
        "p3_0",
        "0_p3_yes",
        "yes_yes_p3",
    ],
)
def test_the_speaker_is_what_is_left_without_the_word_and_the_take(stem):
    assert speaker_of(stem, "yes") == "p3"


@pytest.mark.parametrize(
    ("stem", "word", "speaker"),
    [
        ("anna-maria_yes_3", "yes", "anna-maria"),
        ("anna_lights-on_2", "lights on", "anna"),
        ("lightson_anna_2", "lights on", "anna"),
        ("anna_cafe\u0301_2", "caf\u00e9", "anna"),
        ("17_yes_3", "yes", "17"),
        ("yes_17_3", "yes", "17"),
        ("7_jackson_32", "seven", "jackson"),
        ("anna_yes_kitchen_3", "yes", "anna_kitchen"),
        ("anna_kitchen", "yes", "anna"),
    ],
)
def test_speakers_may_have_numbers_or_several_parts(stem, word, speaker):
    assert speaker_of(stem, word) == speaker


@pytest.mark.parametrize(
    ("stem", "word", "speaker"),
    [
        ("speaker_3_yes_0", "yes", "speaker_3"),
        ("yes_speaker_3_0", "yes", "speaker_3"),
        ("spk-03-yes-01", "yes", "spk-03"),
        ("person_2_no_1", "no", "person_2"),
        ("user 7 yes 2", "yes", "user 7"),
        ("Participant_12_yes", "yes", "Participant_12"),
        ("speaker_3", "yes", "speaker_3"),
        ("speaker_3_kitchen", "yes", "speaker_3"),
        ("speaker_yes_3", "yes", "speaker"),
        ("user_anna_3", "yes", "user_anna"),
        ("speaker_3_nohash_0", "yes", "speaker_3"),
    ],
)
def test_a_number_behind_a_title_is_part_of_the_speaker(stem, word, speaker):
    assert speaker_of(stem, word) == speaker


def test_one_person_has_one_speaker_whatever_the_word_and_the_case_are(tmp_path):
    names = ["yes/p3_yes_0.wav", "no/p3_no_0.wav", "no/P3_no_1.wav", "yes/yes_p3_7.wav"]
    assert len({clip.speaker for clip in find_clips(touch(tmp_path, names))}) == 1


def test_speakers_of_speech_commands_keep_their_spelling(tmp_path):
    names = ["yes/0A_nohash_0.wav", "yes/0a_nohash_0.wav"]
    assert [clip.speaker for clip in find_clips(touch(tmp_path, names))] == ["0A", "0a"]


def test_in_the_official_folder_of_unknown_words_the_word_is_no_part_of_the_speaker(tmp_path):
    found = find_clips(touch(tmp_path, ["_unknown_/bed_0a7c2a8d_nohash_0.wav"]))
    assert [(clip.word, clip.speaker) for clip in found] == [("unknown", "0a7c2a8d")]


@pytest.mark.parametrize(
    "names",
    [
        ["yes/p3_yes_0.wav", "no/p3_no_0.wav", "yes/p4_yes_0.wav"],
        ["yes/0a_nohash_0.wav", "no/0b_nohash_0.wav"],
        ["yes/anna.wav", "no/anna.wav"],
        ["yes/anna_1.wav", "yes/anna_2.wav", "no/ben.wav", "yes/ben.wav"],
    ],
)
def test_names_that_tell_speakers_apart(names, tmp_path):
    assert clips_without_speaker(find_clips(touch(tmp_path, names))) == []


@pytest.mark.parametrize(
    "names",
    [
        ["yes/001.wav", "no/001.wav"],
        ["yes/yes_1.wav", "yes/yes (2).wav", "no/no3.wav"],
        ["yes/recording_12.wav", "no/recording-13.wav", "no/New Recording 4.wav"],
        ["yes/4fd0-ab.wav", "no/77ce-09.wav"],
        ["yes/x8_kq1.wav", "no/b3_z9.wav", "no/qq_1.wav"],  # everyone has one clip
        ["yes/yes_nohash_0.wav"],
        ["yes/20240131_120000.wav", "no/20240131_120107.wav"],
    ],
)
def test_names_that_tell_no_speaker(names, tmp_path):
    assert len(clips_without_speaker(find_clips(touch(tmp_path, names)))) == len(names)


def test_only_clips_without_a_speaker_are_named_beside_others(tmp_path):
    names = ["yes/anna_1.wav", "yes/anna_2.wav", "yes/17.wav"]
    found = clips_without_speaker(find_clips(touch(tmp_path, names)))
    assert [clip.key for clip in found] == ["yes/17.wav"]


@pytest.mark.parametrize(
    ("name", "speaker", "is_told"),
    [
        ("so762-0003_000030012.wav", "so762-0003", True),
        ("84-121123-0000.flac", "84", True),
        ("alone.wav", "alone", False),
        ("_a.wav", "_a", False),
    ],
)
def test_the_name_of_a_recording_tells_the_speaker(name, speaker, is_told):
    assert recording_speaker(Path(name)) == speaker
    assert names_speaker(Path(name)) == is_told
