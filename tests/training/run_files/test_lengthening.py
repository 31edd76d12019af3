"""Tests of training/run_files/lengthening.py, and of runs that are lengthened."""

import json
import shlex
import shutil

import numpy as np
import pytest

from tests.training.conftest import PLAIN_RECIPE
from training.run_files import checkpoint
from training.run_files.epoch_files import LAST, EpochFiles
from training.train import main


@pytest.fixture(scope="module")
def started(word_folder, tmp_path_factory):
    """The arguments of a run of two epochs, without --out."""
    recipe = tmp_path_factory.mktemp("recipe") / "plain.toml"
    recipe.write_text(PLAIN_RECIPE.replace("steps = 10", "steps = 3"))
    return ["--data", str(word_folder), "--recipe", str(recipe), "--device", "cpu"]


@pytest.fixture(scope="module")
def finished_run(started, tmp_path_factory):
    """The folder of the run after its two epochs."""
    out = tmp_path_factory.mktemp("finished") / "run"
    assert main([*started, "--out", str(out)]) == 0
    return out


@pytest.fixture
def finished(finished_run, tmp_path):
    """A copy of it, which may be changed."""
    return shutil.copytree(finished_run, tmp_path / "my run")


def interrupt_after(epochs, monkeypatch):
    """Press Ctrl-C once so many more epochs are saved."""
    save, saved = EpochFiles.save, []

    def save_and_interrupt(self):
        save(self)
        saved.append(1)
        if len(saved) == epochs:
            monkeypatch.setattr(EpochFiles, "save", save)
            raise KeyboardInterrupt

    monkeypatch.setattr(EpochFiles, "save", save_and_interrupt)


def test_a_finished_and_an_interrupted_run_are_lengthened_to_the_same_weights(
    started, finished, tmp_path, monkeypatch, capsys
):
    one, two = finished, tmp_path / "two"
    recipe = (one / "recipe.json").read_bytes()
    history = json.loads((one / "history.json").read_text())
    assert main(["--resume", "--out", str(one), "--epochs", "5"]) == 0
    assert "continuing after epoch 2 of 5\n" in capsys.readouterr().out

    interrupt_after(1, monkeypatch)
    assert main([*started, "--out", str(two)]) == 130
    interrupt_after(2, monkeypatch)
    assert main(["--resume", "--out", str(two), "--epochs", "5"]) == 130  # after epoch 3
    assert main(["--resume", "--out", str(two)]) == 0
    assert "continuing after epoch 3 of 5\n" in capsys.readouterr().out

    states = [checkpoint.load(out / LAST) for out in (one, two)]
    assert [len(progress["histories"][0]) for _, progress in states] == [5, 5]
    for first, second in zip(*(arrays for arrays, _ in states), strict=True):
        np.testing.assert_array_equal(first, second)
    assert states[0][1]["histories"][0][:2] == history
    assert recipe == (one / "recipe.json").read_bytes()
    metrics = json.loads((one / "metrics.json").read_text())
    assert metrics["epochs"] == 5
    assert [shlex.split(command)[2] for command in metrics["commands"]] == ["--data", "--resume"]


def test_a_run_of_more_epochs_from_the_start_is_another_run(started, finished, tmp_path):
    assert main([*started, "--out", str(tmp_path / "three"), "--epochs", "3"]) == 0
    losses = [
        [row["loss"] for row in json.loads((out / "history.json").read_text())]
        for out in (finished, tmp_path / "three")
    ]
    assert losses[0][1] != losses[1][1]  # the learning rate falls later


def test_a_finished_run_says_how_it_is_lengthened_and_is_never_shortened(finished, capsys):
    assert main(["--resume", "--out", str(finished), "--epochs", "2"]) == 0
    command = f"python training/train.py --resume --out '{finished}' --epochs 4"
    assert f"no epoch is left; to train longer: {command}\n" in capsys.readouterr().out
    assert main(shlex.split(command)[2:]) == 0
    assert main(["--resume", "--out", str(finished), "--epochs", "3"]) == 2
    message = "--resume: expected --epochs of at least 4, which the run has, found 3"
    assert message in capsys.readouterr().err


@pytest.mark.parametrize("damaged", [5, [{}], [{"command": [], "before": "x", "epochs": 3}]])
def test_a_damaged_record_is_named(damaged, finished, capsys):
    path = finished / "run.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), "lengthened": damaged}))
    assert main(["--resume", "--out", str(finished)]) == 2
    assert f"{path}: expected the start of a run, found" in capsys.readouterr().err
