"""Verification: the matrix of all forms, and that a model which is another one fails."""

import json
import shutil

import keras
import numpy as np
import pytest
from ai_edge_litert.interpreter import Interpreter

from export import verify
from export.stream import streamed
from speechgru import modelfile


@pytest.fixture(scope="module")
def verified(model_file, run_folder, word_folder, tmp_path_factory):
    out = tmp_path_factory.mktemp("verified")
    arguments = [str(model_file), "--run", str(run_folder), "--data", str(word_folder)]
    assert verify.main([*arguments, "--out", str(out)]) == 0
    return out


def test_every_form_is_measured(verified, model_file):
    report = json.loads((verified / "quick.parity.json").read_text())
    assert list(report["forms"]) == ["Keras", *verify.FORMS, model_file.name]
    for name, row in report["forms"].items():
        assert row["accuracy"] > 0.8
        assert row["streamed_difference"] <= 1e-4
        assert name == "Keras" or row["us_per_hop"] > 0
    floats = report["forms"]["none"]
    assert floats["difference"] < 1e-4
    assert floats["arena"]["recognize"] > floats["arena"]["stream"] > 0
    assert "RFFT2D" in floats["operators"]
    assert (verified / "quick.parity.png").read_bytes().startswith(b"\x89PNG")


def test_golden_vectors_are_what_the_file_answers(verified, model_file):
    golden = json.loads((verified / "quick.golden.json").read_text())
    file = modelfile.read(model_file)
    interpreter = Interpreter(model_content=file.flatbuffer)
    recognize = interpreter.get_signature_runner("recognize")
    stream = interpreter.get_signature_runner("stream")
    assert golden["labels"] == list(file.labels)
    assert len(golden["vectors"]) == 4
    for vector in golden["vectors"]:
        samples = np.array(vector["samples"], np.float32) / 32768
        scores = recognize(audio=samples[None])["scores"][0]
        np.testing.assert_allclose(scores, vector["scores"], atol=1e-5)
        scores, _ = streamed(stream, samples)
        np.testing.assert_allclose(scores, vector["stream_scores"], atol=1e-5)


def test_a_file_of_other_weights_fails(model_file, run_folder, word_folder, tmp_path, capsys):
    model = keras.saving.load_model(run_folder / "model.keras")
    head = model.get_layer("logits")
    head.set_weights([-weight for weight in head.get_weights()])
    model.save(tmp_path / "model.keras")
    arguments = [str(model_file), "--run", str(tmp_path), "--data", str(word_folder)]
    own = model_file.name
    file = modelfile.read(model_file)
    rows = {
        "Keras": {"accuracy": 0.9, "stream_accuracy": 0.9, "streamed_difference": 0.0},
        own: {
            "accuracy": 0.85,
            "stream_accuracy": 0.8,
            "streamed_difference": 2e-4,
            "mfcc_difference": float("nan"),
        },
    }
    assert len(verify.failed(rows, file, own, 1000)) == 4
    shutil.copy(run_folder / "metrics.json", tmp_path)
    assert verify.main([*arguments, "--out", str(tmp_path)]) == 1
    assert f"{own}: difference of a score from Keras is" in capsys.readouterr().err
    forms = json.loads((tmp_path / "quick.parity.json").read_text())["forms"]
    assert forms[own]["difference"] > 0.1 > forms["none"]["difference"]


def test_a_model_without_its_run_is_one_line(model_file, word_folder, tmp_path, capsys):
    arguments = [str(model_file), "--run", str(tmp_path), "--data", str(word_folder)]
    assert verify.main(arguments) == 2
    errors = capsys.readouterr().err
    assert "expected a trained model, found nothing" in errors
    assert errors.count("\n") == 1


def test_a_run_of_other_labels_is_one_line(model_file, run_folder, word_folder, tmp_path, capsys):
    metrics = json.loads((run_folder / "metrics.json").read_text())
    metrics["labels"][:2] = ["no", "yes"]
    (tmp_path / "metrics.json").write_text(json.dumps(metrics))
    shutil.copy(run_folder / "model.keras", tmp_path)
    arguments = [str(model_file), "--run", str(tmp_path), "--data", str(word_folder)]
    assert verify.main(arguments) == 2
    errors = capsys.readouterr().err
    assert "expected the labels of" in errors
    assert errors.count("\n") == 1
