"""The verification script: every form is measured, and another model fails."""

import importlib.util
import json
import shutil

import keras
import numpy as np
import pytest

from export.tflite.quantization import QUANTIZATIONS
from export.tflite.runner import ModelRunner
from export.verification.verify_model import C99, C99_FIXED, MICRO, Verification
from export.verify import main
from speechgru import modelfile
from speechgru.gru.device import is_placed_on_cpu

RESULTS = {"quick.parity.json", "quick.parity.png", "quick.golden.json"}


@pytest.fixture(scope="module")
def verified(model_file, run_folder, word_folder, tmp_path_factory):
    out = tmp_path_factory.mktemp("verified")
    arguments = [str(model_file), "--run", str(run_folder), "--data", str(word_folder)]
    assert main([*arguments, "--out", str(out)]) == 0
    return out


def one_error(capsys):
    """The only line on stderr."""
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith("verify.py: ")
    return line


def test_every_form_is_measured(verified, model_file):
    assert {path.name for path in verified.iterdir()} == RESULTS
    report = json.loads((verified / "quick.parity.json").read_text())
    files = [*QUANTIZATIONS, model_file.name]
    streams = [MICRO] if importlib.util.find_spec("tflite_micro") else []
    streams += [C99, C99_FIXED] if shutil.which("cc") else []
    assert list(report["forms"]) == ["Keras", *files, *streams]
    for name, form in report["forms"].items():
        assert form["accuracy"] > 0.8
        assert name in streams or form["hop_by_hop_difference"] <= 1e-4
        assert name not in files or form["us_per_hop"] > 0
        assert name not in (C99, C99_FIXED) or form["changed_detections"] == 0
    floats = report["forms"]["none"]
    assert floats["score_difference"] < 1e-4
    assert floats["memory"]["recognize"] > floats["memory"]["stream"] > 0
    assert "RFFT2D" in floats["operators"]
    assert (verified / "quick.parity.png").read_bytes().startswith(b"\x89PNG")


def test_the_verification_runs_on_the_cpu(monkeypatch, tmp_path, capsys):
    """A GPU computes in TF32: forms would seem to differ from the Keras model."""
    monkeypatch.setattr(
        "export.verification.verify_model.verify_model",
        lambda *_: Verification(1, f"on the CPU: {is_placed_on_cpu()}", ()),
    )
    assert main([str(tmp_path / "model.tflite"), "--data", str(tmp_path)]) == 0
    assert "on the CPU: True" in capsys.readouterr().out


def test_a_form_that_was_not_run_is_printed(monkeypatch, tmp_path, capsys):
    monkeypatch.setattr(
        "export.verification.verify_model.verify_model",
        lambda *_: Verification(1, "table", (), ("firmware: not run: expected a board",)),
    )
    assert main([str(tmp_path / "model.tflite"), "--data", str(tmp_path)]) == 0
    assert "\nfirmware: not run: expected a board\n" in capsys.readouterr().out


def test_golden_vectors_are_what_the_file_answers(verified, model_file):
    golden = json.loads((verified / "quick.golden.json").read_text())
    file = modelfile.read(model_file)
    runner = ModelRunner(file.flatbuffer)
    assert golden["labels"] == list(file.labels)
    assert len(golden["vectors"]) == 4
    for vector in golden["vectors"]:
        window = np.array(vector["samples"], np.float32) / 32768
        np.testing.assert_allclose(runner.recognize(window), vector["scores"], atol=1e-5)
        scores, _ = runner.stream(window)
        np.testing.assert_allclose(scores, vector["stream_scores"], atol=1e-5)


def test_another_model_fails_and_replaces_its_own_results(
    verified, model_file, run_folder, word_folder, tmp_path, capsys
):
    model = keras.saving.load_model(run_folder / "model.keras")
    head = model.get_layer("logits")
    head.set_weights([-weight for weight in head.get_weights()])
    model.save(tmp_path / "model.keras")
    shutil.copy(run_folder / "metrics.json", tmp_path)
    for path in verified.iterdir():
        shutil.copy(path, tmp_path)
    arguments = [str(model_file), "--run", str(tmp_path), "--data", str(word_folder)]
    assert main([*arguments, "--out", str(tmp_path)]) == 1
    own = model_file.name
    assert f"{own}: difference of a score from Keras is" in capsys.readouterr().err
    forms = json.loads((tmp_path / "quick.parity.json").read_text())["forms"]
    assert forms[own]["score_difference"] > 0.1 > forms["none"]["score_difference"]


@pytest.mark.parametrize("name", sorted(RESULTS))
def test_a_file_that_is_not_ours_stops_the_verification(name, model_file, tmp_path, capsys):
    (tmp_path / name).write_text("{}")
    assert main([str(model_file), "--out", str(tmp_path)]) == 2
    assert str(tmp_path / name) in one_error(capsys)
    assert (tmp_path / name).read_text() == "{}"


def test_the_results_folder_must_be_a_folder(model_file, tmp_path, capsys):
    (tmp_path / "taken").write_text("Mine.")
    assert main([str(model_file), "--out", str(tmp_path / "taken")]) == 2
    assert "expected a path in a folder" in one_error(capsys)


def test_a_model_without_its_run_is_one_line(model_file, word_folder, tmp_path, capsys):
    arguments = [str(model_file), "--run", str(tmp_path), "--data", str(word_folder)]
    assert main(arguments) == 2
    assert str(tmp_path / "model.keras") in one_error(capsys)


def test_a_run_of_other_labels_is_one_line(model_file, run_folder, word_folder, tmp_path, capsys):
    metrics = json.loads((run_folder / "metrics.json").read_text())
    metrics["labels"][:2] = ["no", "yes"]
    (tmp_path / "metrics.json").write_text(json.dumps(metrics))
    shutil.copy(run_folder / "model.keras", tmp_path)
    arguments = [str(model_file), "--run", str(tmp_path), "--data", str(word_folder)]
    assert main(arguments) == 2
    assert "expected the labels of" in one_error(capsys)
