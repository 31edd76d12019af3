"""Models that cannot be evaluated are refused by name; an exported one needs no TensorFlow."""

import json
import shutil
import subprocess
import sys
from pathlib import Path

import keras
import numpy as np
import pytest

from speechgru.modelfile import ModelError
from tests.training.evaluation.examples import LABELS
from training.evaluation.evaluated_model import load_model

ROOT = Path(__file__).resolve().parents[3]


@pytest.fixture
def broken(tmp_path, run_folder):
    """Files that are no models."""
    (tmp_path / "text.tflite").write_text("no model")
    shutil.copy(run_folder / "model.keras", tmp_path / "alone.keras")
    for name, labels in (
        ("text", LABELS),
        ("fewer", LABELS[1:]),
        ("other", ("yes", "no", "a", "b")),
        ("numbers", (1, 2, 3, 4)),
        ("twice", ("yes", "yes", "unknown", "silence")),
        ("unbuilt", LABELS),
    ):
        (tmp_path / name).mkdir()
        (tmp_path / name / "metrics.json").write_text(json.dumps({"labels": labels}))
        shutil.copy(run_folder / "model.keras", tmp_path / name)
    (tmp_path / "text" / "model.keras").write_text("no model")
    with pytest.warns(UserWarning, match="not yet been built"):
        keras.Sequential([keras.layers.Dense(4)]).save(tmp_path / "unbuilt" / "model.keras")
    (tmp_path / "empty").mkdir()
    return tmp_path


@pytest.mark.parametrize(
    ("path", "message"),
    [
        ("nowhere.tflite", "nowhere.tflite: expected a trained model, found nothing"),
        ("empty", "model.keras: expected a trained model, found nothing"),
        ("text.tflite", "text.tflite: expected a speechgru model"),
        ("text", "model.keras: expected a Keras model"),
        ("alone.keras", "metrics.json: expected the labels of alone.keras"),
        ("fewer", "expected input and output of ((None, 16000), (None, 3)), found"),
        ("other", "expected a label 'unknown', found 'yes', 'no', 'a', 'b'"),
        ("numbers", "metrics.json: expected different labels, found [1, 2, 3, 4]"),
        ("twice", "metrics.json: expected different labels, found ['yes', 'yes', "),
        ("unbuilt", "model.keras: expected a Keras model"),
    ],
)
def test_a_file_that_is_no_model_is_named(path, message, broken):
    with pytest.raises(ModelError) as error:
        load_model(broken / path)
    assert message in str(error.value)


def test_a_keras_model_and_its_export_predict_the_same(run_folder, model_file):
    clips = 0.1 * np.random.default_rng(0).normal(size=(3, 16000)).astype(np.float32)
    models = [load_model(path) for path in (run_folder, run_folder / "model.keras", model_file)]
    assert [model.labels for model in models] == [LABELS] * 3
    first, *others = [model.predict(clips) for model in models]
    np.testing.assert_allclose(first.sum(axis=1), 1, atol=1e-6)
    for found in others:
        np.testing.assert_allclose(found, first, atol=2e-3)


def test_an_exported_model_is_evaluated_without_tensorflow(model_file, word_folder, tmp_path):
    code = (
        "import sys; from training.evaluate import main; "
        "code = main(sys.argv[1:]); sys.exit(code or 'tensorflow' in sys.modules)"
    )
    command = [sys.executable, "-c", code, str(model_file), "--data", str(word_folder)]
    command += ["--report", str(tmp_path)]
    assert subprocess.run(command, cwd=ROOT, capture_output=True).returncode == 0
