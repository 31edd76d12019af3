"""The clips of an evaluation are those that training validates on, or those listed for testing."""

import math
import shutil

import numpy as np
import pytest

from training.clips.window import WINDOW
from training.data.evaluation_set import evaluation_set
from training.data.task import make_task

WORDS = ["yes", "no", "bird"]


@pytest.mark.parametrize("words", [["yes", "no"], ["yes", "no", "bird"]])
def test_validation_clips_are_those_that_training_validates_on(word_folder, words):
    task = make_task(
        word_folder,
        words=words,
        negative=(),
        synthetic=None,
        synthetic_weight=0.2,
        synthetic_share=0.0,
        seed=5,
    )
    found = evaluation_set(word_folder, words=words, split="validation", seed=5, window=WINDOW)
    parts = ("validation", "validation_unknown", "validation_silence")
    assert found.names == [name for part in parts for name in task.lists[part]]
    np.testing.assert_array_equal(found.samples, task.validation)
    numbers = {label: number for number, label in enumerate(task.labels)}
    targets = [numbers.get(word, numbers["unknown"]) for word in found.words]
    assert targets == task.targets.tolist()
    spoken = len(task.lists["validation"])
    assert found.speakers[spoken:] == [""] * (len(found.words) - spoken)
    for name, speaker in zip(found.names[:spoken], found.speakers, strict=False):
        assert name.split("/")[1].startswith(f"{speaker}_nohash_")


def test_testing_clips_are_those_listed_with_a_tenth_of_unknown_and_silence(word_folder, tmp_path):
    folder = tmp_path / "words"
    shutil.copytree(word_folder, folder)
    listed = [f"{w}/speaker{s}_nohash_{t}.wav" for w in WORDS for s in (0, 1) for t in range(3)]
    (folder / "testing_list.txt").write_text("\n".join(listed))
    found = evaluation_set(folder, words=["yes", "no"], split="testing", seed=0, window=WINDOW)
    tenth = math.ceil(12 / 10)
    assert [found.words.count(w) for w in ("yes", "no", "bird", "silence")] == [6, 6, tenth, tenth]
    assert set(found.names[: 12 + tenth]) <= set(listed)


def test_words_have_the_spelling_of_the_models_labels(word_folder, tmp_path):
    label = "cafe\u0301"  # decomposed, as a label may be
    shutil.copytree(word_folder / "yes", tmp_path / "caf\u00e9")
    shutil.copytree(word_folder / "no", tmp_path / "no")
    found = evaluation_set(tmp_path, words=[label, "no"], split="validation", seed=0, window=WINDOW)
    assert set(found.words) == {label, "no", "unknown", "silence"}
