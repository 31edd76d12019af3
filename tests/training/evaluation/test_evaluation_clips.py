"""Which clips are evaluated for each split and layout of the folder."""

import shutil

import numpy as np
import pytest

from tests.training.evaluation.examples import LABELS
from training.clips import DataError
from training.clips.window import WINDOW
from training.evaluation.evaluation_clips import read_evaluation_set


def test_the_clips_of_a_test_set_are_used_as_they_are(test_set):
    clips, kind = read_evaluation_set(test_set, LABELS, "testing", 0, WINDOW)
    assert kind == "test set"
    assert [clips.words.count(label) for label in LABELS] == [30, 30, 30, 2]
    silence = [
        row for row, word in zip(clips.samples, clips.words, strict=True) if word == "silence"
    ]
    assert [np.unique(row).tolist() for row in silence] == [[0], [8192]]
    assert clips.speakers[-2:] == ["", ""]
    assert len(set(clips.speakers)) == 11


@pytest.mark.parametrize("missing", ["_unknown_", "_silence_"])
def test_one_folder_of_the_official_test_set_makes_a_test_set(test_set, tmp_path, missing):
    folder = tmp_path / "test_set"
    shutil.copytree(test_set, folder)
    shutil.rmtree(folder / missing)
    clips, kind = read_evaluation_set(folder, LABELS, "testing", 0, WINDOW)
    assert kind == "test set"
    assert {*clips.words} == {"yes", "no", "unknown", "silence"} - {missing.strip("_")}


def test_a_test_set_has_no_validation_clips(test_set):
    with pytest.raises(DataError, match="found a test set: use --split testing"):
        read_evaluation_set(test_set, LABELS, "validation", 0, WINDOW)


def test_a_word_without_clips_in_the_split_is_a_warning(word_folder, tmp_path, capsys):
    folder = tmp_path / "words"
    shutil.copytree(word_folder, folder)
    (folder / "testing_list.txt").write_text("yes/speaker1_nohash_0.wav\n")
    clips, _ = read_evaluation_set(folder, LABELS, "testing", 0, WINDOW)
    assert "no testing clips of no" in capsys.readouterr().err
    assert clips.words.count("yes") == 1


def test_a_folder_with_some_of_the_words_is_evaluated_on_those(word_folder, tmp_path, capsys):
    shutil.copytree(word_folder / "no", tmp_path / "no")
    clips, _ = read_evaluation_set(tmp_path, LABELS, "validation", 0, WINDOW)
    assert "no validation clips of yes" in capsys.readouterr().err
    assert {*clips.words} == {"no", "unknown", "silence"}


def test_all_reads_every_clip_and_nothing_else(word_folder, tmp_path):
    shutil.copytree(word_folder, tmp_path / "words")
    clips, kind = read_evaluation_set(tmp_path / "words", LABELS, "all", 0, WINDOW)
    assert kind == "all"
    assert [clips.words.count(word) for word in ("yes", "no", "bird")] == [30, 30, 30]
    assert len(clips.words) == 90


@pytest.mark.parametrize("split", ["all", "validation"])
def test_folders_in_another_case_hold_the_words_of_the_labels(word_folder, tmp_path, split):
    shutil.copytree(word_folder / "no", tmp_path / "NO")
    shutil.copytree(word_folder / "yes", tmp_path / "Yes")
    clips, _ = read_evaluation_set(tmp_path, LABELS, split, 0, WINDOW)
    assert {"yes", "no"} <= {*clips.words} <= {*LABELS}


def test_the_words_that_are_there_are_named_when_none_is_a_command(word_folder, tmp_path):
    shutil.copytree(word_folder / "bird", tmp_path / "bird")
    with pytest.raises(DataError, match="no clips of yes, no; there are clips of bird"):
        read_evaluation_set(tmp_path, LABELS, "all", 0, WINDOW)
