"""Tests of training/run_files/lengthening.py, and of runs that are lengthened."""

import json
import shlex

import numpy as np
import pytest

from training.run_files import checkpoint
from training.run_files.epoch_files import LAST, EpochFiles
from training.train import main


@pytest.fixture
def started(word_folder, plain_file, tmp_path):
    """The arguments of a run of two epochs, without --out."""
    plain_file.write_text(plain_file.read_text().replace("steps = 10", "steps = 3"))
    return ["--data", str(word_folder), "--recipe", str(plain_file), "--device", "cpu"]


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
    started, tmp_path, monkeypatch, capsys
):
    one, two = tmp_path / "one", tmp_path / "two"
    assert main([*started, "--out", str(one)]) == 0
    recipe = (one / "recipe.json").read_bytes()
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
    assert recipe == (one / "recipe.json").read_bytes()
    metrics = json.loads((one / "metrics.json").read_text())
    assert metrics["epochs"] == 5
    assert [shlex.split(command)[2] for command in metrics["commands"]] == ["--data", "--resume"]


def test_a_run_of_more_epochs_from_the_start_is_another_run(started, tmp_path):
    assert main([*started, "--out", str(tmp_path / "two")]) == 0
    assert main(["--resume", "--out", str(tmp_path / "two"), "--epochs", "3"]) == 0
    assert main([*started, "--out", str(tmp_path / "three"), "--epochs", "3"]) == 0
    losses = [
        [row["loss"] for row in json.loads((tmp_path / out / "history.json").read_text())]
        for out in ("two", "three")
    ]
    assert losses[0][1] != losses[1][1]  # the learning rate falls later


def test_a_finished_run_says_how_it_is_lengthened_and_is_never_shortened(started, tmp_path, capsys):
    out = tmp_path / "my run"
    assert main([*started, "--out", str(out)]) == 0
    capsys.readouterr()
    assert main(["--resume", "--out", str(out), "--epochs", "2"]) == 0
    command = f"python training/train.py --resume --out '{out}' --epochs 4"
    assert f"no epoch is left; to train longer: {command}\n" in capsys.readouterr().out
    assert main(shlex.split(command)[2:]) == 0
    assert main(["--resume", "--out", str(out), "--epochs", "3"]) == 2
    message = "--resume: expected --epochs of at least 4, which the run has, found 3"
    assert message in capsys.readouterr().err


@pytest.mark.parametrize("damaged", [5, [{}], [{"command": [], "before": "x", "epochs": 3}]])
def test_a_damaged_record_is_named(damaged, started, tmp_path, capsys):
    assert main([*started, "--out", str(tmp_path / "run")]) == 0
    path = tmp_path / "run" / "run.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), "lengthened": damaged}))
    assert main(["--resume", "--out", str(tmp_path / "run")]) == 2
    assert f"{path}: expected the start of a run, found" in capsys.readouterr().err
