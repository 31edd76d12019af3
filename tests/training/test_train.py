"""Tests of training/train.py: its exit codes and what it prints."""

import json
import os
import subprocess
import sys
from pathlib import Path

import keras
import pytest

import speechgru.models  # noqa: F401  registers the layers
from training.train import main

SCRIPT = Path(__file__).resolve().parents[2] / "training" / "train.py"


def test_a_run_prints_its_folder_last_and_nothing_on_stderr(word_folder, recipe_file, tmp_path):
    recipe = tmp_path / "family.toml"
    quick = recipe_file.read_text().replace("steps = 40", "steps = 2")
    recipe.write_text('students = ["medium", "large"]\n' + quick)
    command = [sys.executable, str(SCRIPT), "--data", str(word_folder), "--epochs", "1"]
    command += ["--recipe", str(recipe), "--out", str(tmp_path / "run"), "--words", "yes", "no"]
    environment = {k: v for k, v in os.environ.items() if k != "TF_CPP_MIN_LOG_LEVEL"}
    done = subprocess.run(command, capture_output=True, text=True, env=environment)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.splitlines()[-1] == str(tmp_path / "run")


def test_ctrl_c_saves_what_was_learned(word_folder, recipe_file, tmp_path, interrupt):
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
        (["--data", "nowhere"], "--data: nowhere: expected a folder of <word>/*.wav"),
        (["--data", "WORDS", "--words", "maybe"], "maybe"),
        (["--data", "WORDS", "--recipe", "secret"], "no recipe 'secret'"),
        (["--data", "WORDS", "--epochs", "0"], "--epochs: expected at least 1"),
        (["--data", "WORDS", "--epochs", "many"], "--epochs: expected a whole number"),
        (["--data", "WORDS", "--negative", "nowhere"], "nowhere: expected a folder of sound files"),
        (["--data", "WORDS", "--start", "nowhere"], "expected a trained model"),
        (["--data", "WORDS", "--teachers", __file__], "expected the folder of a run, found a file"),
        (["--data", "WORDS", "--out", __file__], f"train.py: --out: {__file__}: expected a folder"),
    ],
)
def test_wrong_input_is_one_line_and_exit_code_2(arguments, message, word_folder, tmp_path, capsys):
    arguments = [str(word_folder) if a == "WORDS" else a for a in arguments]
    assert main(["--out", str(tmp_path / "run"), *arguments]) == 2
    captured = capsys.readouterr()
    assert captured.err.startswith("train.py: ")
    assert message in captured.err
    assert captured.err.count("\n") == 1
    assert "no speech without commands" not in captured.out  # before any clip is read
