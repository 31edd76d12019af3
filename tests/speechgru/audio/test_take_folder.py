"""The folder of a word's takes: names that training reads back, and numbers that go on."""

import numpy as np
import pytest

from speechgru import SpeechGRUError
from speechgru.audio.take_folder import TakeFolder, default_speaker

SOUND = np.zeros(800, np.float32)


@pytest.mark.parametrize("speaker", ["anna", "anna b", "p3", "3", "grüße_2", "o'neil-1", "take"])
@pytest.mark.parametrize("word", ["lights on", "yes", "unknown", "silence", "straße", "take 2"])
def test_training_reads_the_word_and_the_speaker_back(word, speaker, tmp_path):
    folder = TakeFolder(tmp_path, word, speaker)
    for _ in range(3):
        folder.save(SOUND)
    finding = pytest.importorskip("training.clips.finding", reason="needs training/")
    speakers = pytest.importorskip("training.clips.speakers")
    clips = finding.find_clips(tmp_path)
    assert {(clip.word, clip.speaker) for clip in clips} == {(word, speaker)}
    assert len(clips) == 3
    assert speakers.clips_without_speaker(clips) == []


def test_numbers_go_on_after_those_in_the_folder(tmp_path):
    first = TakeFolder(tmp_path, "yes", "anna")
    assert first.save(SOUND).name == "anna_nohash_0.wav"
    (first.path / "anna_nohash_007.flac").touch()
    (first.path / "ben_nohash_90.wav").touch()
    (first.path / "anna_nohash_x.wav").touch()
    assert TakeFolder(tmp_path, "yes", "anna").save(SOUND).name == "anna_nohash_8.wav"
    assert first.save(SOUND).name == "anna_nohash_1.wav"


def test_a_file_of_another_program_is_never_replaced(tmp_path):
    folder = TakeFolder(tmp_path, "yes", "anna")
    folder.path.mkdir()
    (folder.path / "anna_nohash_0.wav").write_bytes(b"mine")
    assert folder.save(SOUND).name == "anna_nohash_1.wav"
    assert (folder.path / "anna_nohash_0.wav").read_bytes() == b"mine"


def test_blanks_and_unicode_forms_of_a_word_are_made_one(tmp_path):
    assert TakeFolder(tmp_path, "  lights   on ", "anna").word == "lights on"
    assert TakeFolder(tmp_path, "cafe\u0301", "anna").word == "caf\u00e9"


def test_the_summary_says_how_many_and_where(tmp_path):
    folder = TakeFolder(tmp_path, "yes", "anna")
    folder.save(SOUND)
    assert folder.summary() == f"1 take of yes: {tmp_path / 'yes' / 'anna_nohash_0.wav'}"
    folder.save(SOUND)
    first = tmp_path / "yes" / "anna_nohash_0.wav"
    assert folder.summary() == f"2 takes of yes: {first} to anna_nohash_1.wav"


@pytest.mark.parametrize(
    "word", ["", " ", ".", "..", "a/b", "a\\b", ".hidden", "what?", "nul", "a\0b", "x" * 101]
)
def test_a_word_that_cannot_name_a_folder_is_an_error(word, tmp_path):
    with pytest.raises(SpeechGRUError, match="that can name a folder on every system"):
        TakeFolder(tmp_path, word, "anna")


@pytest.mark.parametrize("word", ["_unknown_", "_background_noise_", "_yes"])
def test_a_folder_that_training_does_not_read_is_an_error(word, tmp_path):
    with pytest.raises(SpeechGRUError, match="training reads no such folders"):
        TakeFolder(tmp_path, word, "anna")


@pytest.mark.parametrize("speaker", ["", "a/b", "..", "x_nohash_y", "x_nohash", "s" * 101])
def test_a_speaker_that_would_not_be_read_back_is_an_error(speaker, tmp_path):
    with pytest.raises(SpeechGRUError, match="expected a speaker's name"):
        TakeFolder(tmp_path, "yes", speaker)


def test_the_word_itself_is_no_speaker(tmp_path):
    with pytest.raises(SpeechGRUError, match="--speaker NAME"):
        TakeFolder(tmp_path, "marvin", "marvin")


def test_a_file_in_place_of_the_folder_is_an_error(tmp_path):
    (tmp_path / "yes").touch()
    with pytest.raises(SpeechGRUError, match="yes: expected a folder, found a file"):
        TakeFolder(tmp_path, "yes", "anna")


@pytest.mark.parametrize("login", ["anna", "CORP\\anna", "", "a_nohash_b", "x" * 300, ".x"])
def test_a_login_name_gives_a_speaker(login, tmp_path):
    assert TakeFolder(tmp_path, "yes", default_speaker(login)).save(SOUND).exists()
