"""Clips of unknown that are made of commands."""

import shutil

import numpy as np
import pytest

from tests.training.data.made_tasks import task
from training.data.unknown_class import letters_differ, middle_of_sound, splice


def test_without_other_words_unknown_is_words_played_backwards(word_folder, capsys):
    made = task(word_folder, words=["yes", "no", "bird"])
    assert "played backwards" in capsys.readouterr().out
    third = (len(made.clips) - 1) // 3
    assert made.pools[3][0].tolist() == list(range(third + 1, 3 * third + 1))
    np.testing.assert_array_equal(
        made.clips[third + 1 : 2 * third + 1], made.clips[1 : third + 1, ::-1]
    )


def test_unknown_to_learn_is_as_many_splices_as_words_played_backwards(own_words, capsys):
    lists = own_words.lists
    backwards = [line for line in lists["training_unknown"] if line.endswith(" backwards")]
    assert [line.removesuffix(" backwards") for line in backwards] == lists["training"]
    spliced = lists["training_unknown"][len(backwards) :]
    assert len(spliced) == len(backwards)
    for line in spliced:
        first, second = line.split("+")
        assert first.split("/")[0] != second.split("/")[0]
        assert {first, second} <= set(lists["training"])


def test_splices_are_made_of_both_clips(own_words):
    lists = own_words.lists
    row_of = {key: row for row, key in enumerate(lists["training"], 1)}
    spliced = [line for line in lists["training_unknown"] if "+" in line]
    rows = own_words.clips[1 + 2 * len(lists["training"]) :]
    for line, row in zip(spliced, rows, strict=True):
        first, second = (own_words.clips[row_of[key]].tobytes() for key in line.split("+"))
        assert row[4000:7500].tobytes() in first  # beside the crossfade
        assert row[8500:12000].tobytes() in second


def test_the_line_on_what_unknown_is_names_splices_too(word_folder, capsys):
    task(word_folder, words=["yes", "no", "bird"])
    line = capsys.readouterr().out
    assert "words played backwards and from splices" in line
    folder_of_one = task(word_folder, words=["yes"])
    assert "splices" not in capsys.readouterr().out  # there are other words
    assert not folder_of_one.lists["training_unknown"]


def test_of_one_word_alone_nothing_is_spliced(word_folder, tmp_path, capsys):
    shutil.copytree(word_folder / "yes", tmp_path / "yes")
    made = task(tmp_path, words=["all"])
    assert capsys.readouterr().out.endswith("from words played backwards\n")
    assert all(line.endswith(" backwards") for line in made.lists["training_unknown"])
    assert len(made.lists["training_unknown"]) == len(made.lists["training"])


@pytest.mark.parametrize(
    ("one", "other", "differ"),
    [
        ("no", "go", False),
        ("on", "stop", False),
        ("up", "left", True),
        ("stop", "up", False),
        ("On", "Off", False),
        ("hm", "up", True),
    ],
)
def test_words_with_a_letter_in_common_are_not_joined(one, other, differ):
    assert letters_differ(one, other) == letters_differ(other, one) == differ


def test_unknown_to_validate_on_is_made_in_the_same_way(own_words):
    made = own_words.lists["validation_unknown"]
    commands = len(own_words.lists["validation"])
    assert len(made) == np.ceil(commands / 10) == (own_words.targets == 3).sum()
    used = {key for line in made for key in line.removesuffix(" backwards").split("+")}
    assert used <= set(own_words.lists["validation"])
    rows = own_words.validation[own_words.targets == 3]
    for line, row in zip(made, rows, strict=True):
        if line.endswith(" backwards"):
            at = own_words.lists["validation"].index(line.removesuffix(" backwards"))
            np.testing.assert_array_equal(row, own_words.validation[at, ::-1])


def test_a_splice_fades_from_one_clip_to_the_other():
    first, second = np.full(16000, 1000, np.int16), np.full(16000, -1000, np.int16)
    joined = splice(first, second, 9000, 7000)
    change = np.flatnonzero((joined > -1000) & (joined < 1000))
    assert 160 <= change.size <= 320  # 10 to 20 ms
    assert abs(change.mean() - 8000) < 1
    assert (np.diff(joined) <= 0).all()


def test_the_halves_of_a_clip_hold_as_much_sound():
    clip = np.zeros(16000, np.int16)
    clip[2000:8000] = 1000 * np.sin(np.arange(6000))
    assert middle_of_sound(clip) == pytest.approx(5000, abs=160)
    assert middle_of_sound(np.zeros(16000, np.int16)) == 8000
