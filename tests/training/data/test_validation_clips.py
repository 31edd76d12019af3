"""Validation clips: silence at random volumes, and folders without any."""

import shutil

import numpy as np
import pytest
import soundfile

from speechgru import audio
from tests.training.data.made_tasks import task
from training.clips.errors import DataError


def test_silence_to_validate_on_is_a_noises_end_at_the_volume_described(word_folder, plain):
    hiss = np.round(audio.load(word_folder / "_background_noise_" / "hiss.wav") * 32768)
    silence = plain.validation[plain.targets == 3]
    assert len(silence) == len(plain.lists["validation_silence"]) > 0
    for row, line in zip(silence, plain.lists["validation_silence"], strict=True):
        name, rest = line.split("@")
        start, level = rest.split("*")
        assert name == "_background_noise_/hiss.wav"
        assert int(start) >= 0.8 * hiss.size
        assert 0 <= float(level) <= 1
        expected = np.round(hiss[int(start) : int(start) + 16000] * float(level))
        np.testing.assert_array_equal(row, expected)


def test_made_noises_serve_where_none_are_recorded(word_folder, tmp_path):
    for word in ("yes", "no", "bird"):
        shutil.copytree(word_folder / word, tmp_path / word)
    made = task(tmp_path)
    assert made.lists["noise"] == []
    assert all(line.startswith("made noise ") for line in made.lists["validation_silence"])
    silence = made.validation[made.targets == 3]
    assert silence.any(axis=1).all()
    assert made.noise.size > 16000 * 40


def test_a_folder_of_silent_files_to_validate_on_is_refused(tmp_path):
    (tmp_path / "yes").mkdir()
    for speaker in "abcdefghij":
        soundfile.write(tmp_path / "yes" / f"{speaker}_1.wav", np.zeros(16000), 16000)
    with pytest.raises(DataError, match="found none with sound"):
        task(tmp_path, words=None)


def test_a_command_without_validation_clips_is_named_with_the_cause(word_folder, tmp_path):
    for word in ("yes", "no"):
        shutil.copytree(word_folder / word, tmp_path / word)
    (tmp_path / "validation_list.txt").write_text("no/speaker1_nohash_0.wav\n")
    with pytest.raises(DataError, match=r"none of the 1 clips to validate on is of a command"):
        task(tmp_path, words=["yes"])
