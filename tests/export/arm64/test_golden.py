"""The golden file on another machine: golden.py compares a model's results with it."""

import hashlib
import json
import subprocess
import sys
from pathlib import Path

import keras
import pytest

from export.verification.golden_vectors import golden_vectors
from speechgru import modelfile

SCRIPT = Path(__file__).resolve().parents[3] / "export" / "arm64" / "golden.py"


@pytest.fixture(scope="module")
def golden(model_file, run_folder):
    model = keras.saving.load_model(run_folder / "model.keras")
    sha256 = hashlib.sha256(model_file.read_bytes()).hexdigest()
    return golden_vectors(modelfile.read(model_file), sha256, model)


@pytest.fixture
def compare(model_file, tmp_path):
    def run(content):
        path = tmp_path / "m.golden.json"
        path.write_text(json.dumps(content))
        command = [sys.executable, str(SCRIPT), str(model_file), str(path)]
        return subprocess.run(command, capture_output=True, text=True, timeout=60)

    return run


def test_the_files_own_vectors_agree(golden, compare):
    result = compare(golden)
    assert result.returncode == 0, result.stderr
    assert "quick.tflite gives the same answers" in result.stdout


def test_other_scores_differ(golden, compare):
    first, *rest = golden["vectors"]
    first = first | {"scores": [1 - score for score in first["scores"]]}
    result = compare(golden | {"vectors": [first, *rest]})
    assert result.returncode == 1
    assert "NOT the same answers" in result.stdout


def test_the_vectors_of_another_file_are_not_compared(golden, compare):
    result = compare(golden | {"sha256": "0" * 64})
    assert result.returncode == 2
    assert "found another SHA-256" in result.stderr
