"""The training script: what it learns, what it leaves behind, how it stops."""

import json
import sys
from pathlib import Path

import keras
import numpy as np
import pytest

import speechgru.models  # noqa: F401  registers the layers
from training.data import make_task
from training.recipe import load_recipe
from training.train import main
from training.trainer import Trainer, train

SCRIPT = Path(__file__).resolve().parents[2] / "training" / "train.py"


@pytest.fixture(scope="module")
def task(word_folder):
    return make_task(
        word_folder,
        words=["yes", "no"],
        negative=None,
        synthetic=None,
        synthetic_weight=0.2,
        synthetic_share=0.0,
        seed=0,
    )


def test_a_run_learns_and_says_how_well(run_folder):
    metrics = json.loads((run_folder / "metrics.json").read_text())
    assert metrics["labels"] == ["yes", "no", "unknown", "silence"]
    assert metrics["validation_accuracy"] > 0.8
    assert 30_000 < metrics["parameters"] <= 40_000
    confusion = np.array(metrics["confusion"])
    assert confusion.sum() == metrics["validation_clips"]
    accuracy = np.trace(confusion) / confusion.sum()
    assert accuracy == pytest.approx(metrics["validation_accuracy"])


def test_the_kept_model_is_the_best_epochs(run_folder, task):
    metrics = json.loads((run_folder / "metrics.json").read_text())
    history = json.loads((run_folder / "history.json").read_text())
    best = max(epoch["validation_accuracy"] for epoch in history)
    model = keras.saving.load_model(run_folder / "model.keras")
    guesses = model(task.validation.astype(np.float32) / 32768).numpy().argmax(axis=1)
    assert len(history) == 3
    assert metrics["validation_accuracy"] == best == np.mean(guesses == task.answers)


def test_a_run_leaves_its_recipe_and_pictures(run_folder):
    recipe = json.loads((run_folder / "recipe.json").read_text())
    assert (recipe["steps"], recipe["augment"]["speed"]) == (40, 0.05)
    for name in ("curves.png", "confusion.png"):
        assert (run_folder / name).read_bytes().startswith(b"\x89PNG")
    assert not list(run_folder.glob(".*"))  # nothing half-written is left


def test_the_step_is_traced_once_and_a_seed_repeats_the_run(task, recipe_file, tmp_path):
    weights = []
    for number in range(2):
        trainer = Trainer(task, load_recipe(str(recipe_file)))
        assert not train(trainer, tmp_path)
        assert trainer.traces == 1, number
        weights.append(trainer.model.get_weights())
    for first, second in zip(*weights, strict=True):
        np.testing.assert_array_equal(first, second)


def test_scaling_makes_augmented_features_standard(task, recipe_file):
    trainer = Trainer(task, load_recipe(str(recipe_file)))
    rng = np.random.default_rng(0)
    trainer.adapt(rng)
    rows, answers = trainer.draw(rng)
    audio = trainer.augmented(rows, answers, 0)
    scaled = trainer.model.get_layer("scale")(trainer.front_end(audio)).numpy()
    assert np.abs(scaled.mean(axis=(0, 1))).max() < 0.5
    assert 0.5 < scaled.std(axis=(0, 1)).min() < scaled.std(axis=(0, 1)).max() < 1.6


def test_a_run_goes_on_from_another(run_folder, word_folder, recipe_file, tmp_path, capsys):
    arguments = ["--data", str(word_folder), "--recipe", str(recipe_file), "--epochs", "1"]
    arguments += ["--start", str(run_folder), "--out", str(tmp_path / "more")]
    assert main([*arguments, "--words", "yes", "no"]) == 0
    metrics = json.loads((tmp_path / "more" / "metrics.json").read_text())
    history = json.loads((tmp_path / "more" / "history.json").read_text())
    assert (metrics["epochs"], len(metrics["commands"])) == (4, 2)
    assert history[0]["validation_accuracy"] >= 0.8  # not a fresh model's
    before, after = (
        keras.saving.load_model(folder / "model.keras").get_layer("scale").get_weights()
        for folder in (run_folder, tmp_path / "more")
    )
    np.testing.assert_array_equal(before[0], after[0])
    arguments[-1] = str(tmp_path / "other")
    capsys.readouterr()
    assert main([*arguments, "--words", "no", "bird"]) == 2
    assert "expected a model of no bird" in capsys.readouterr().err


def test_ctrl_c_keeps_what_was_learnt(word_folder, recipe_file, tmp_path, interrupt):
    command = [sys.executable, str(SCRIPT), "--data", str(word_folder), "--words", "yes", "no"]
    command += ["--recipe", str(recipe_file), "--epochs", "10000", "--out", str(tmp_path / "run")]
    code, output, errors = interrupt(command, begins="epoch 2/", timeout=100)
    assert code == 130, errors
    assert "Traceback" not in errors
    assert output.splitlines()[-1] == str(tmp_path / "run")
    metrics = json.loads((tmp_path / "run" / "metrics.json").read_text())
    assert metrics["epochs"] >= 2
    keras.saving.load_model(tmp_path / "run" / "model.keras")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--data", "nowhere"], "nowhere: expected a folder of"),
        (["--data", "WORDS", "--words", "maybe"], "no clips of maybe"),
        (["--data", "WORDS", "--recipe", "secret"], "no recipe 'secret'"),
        (["--data", "WORDS", "--epochs", "0"], "`epochs` must be at least 1"),
        (["--data", "WORDS", "--negative", "nowhere"], "nowhere: expected sound files"),
        (["--data", "WORDS", "--start", "nowhere"], "nowhere: expected the folder of a run"),
    ],
)
def test_wrong_input_is_one_line_and_exit_code_2(arguments, message, word_folder, tmp_path, capsys):
    arguments = [str(word_folder) if a == "WORDS" else a for a in arguments]
    assert main([*arguments, "--out", str(tmp_path / "run")]) == 2
    errors = capsys.readouterr().err
    assert message in errors
    assert errors.count("\n") == 1
