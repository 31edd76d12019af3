"""Average the weights of runs, through the script."""

import json
import shutil

import keras
import numpy as np
import pytest

from training.average import main
from training.run_files.trained_model import load_keras


@pytest.fixture
def shifted(run_folder, tmp_path):
    """The run again, with other logits."""
    folder = shutil.copytree(run_folder, tmp_path / "shifted")
    model = load_keras(folder / "model.keras")
    model.get_layer("logits").bias.assign_add([0.5, 0.0, -0.5, 0.0])
    model.save(folder / "model.keras")
    return folder


def test_the_weights_are_the_mean_and_the_metrics_are_of_the_result(
    run_folder, shifted, word_folder, tmp_path, capsys
):
    out = tmp_path / "out"
    assert main([str(run_folder), str(shifted), "--data", str(word_folder), "--out", str(out)]) == 0
    models = [load_keras(folder / "model.keras") for folder in (run_folder, shifted, out)]
    for first, second, mean in zip(*(model.get_weights() for model in models), strict=True):
        np.testing.assert_allclose(mean, (first + second) / 2, atol=1e-7)
    audio = np.random.default_rng(0).normal(size=(2, 16000)).astype(np.float32) / 10
    logits = [keras.ops.convert_to_numpy(model(audio)) for model in models]
    np.testing.assert_allclose(logits[2], (logits[0] + logits[1]) / 2, atol=1e-5)
    before, after = (
        json.loads((folder / "metrics.json").read_text()) for folder in (run_folder, out)
    )
    assert np.sum(after["confusion"]) == after["validation_clips"] == before["validation_clips"]
    right = np.trace(after["confusion"]) / after["validation_clips"]
    assert after["validation_accuracy"] == pytest.approx(right)
    assert after["commands"][:-1] == before["commands"]
    assert after["commands"][-1].startswith("python training/average.py ")
    assert f"validation accuracy {right:.2%}" in capsys.readouterr().out


def test_other_labels_and_taken_folders_are_errors(
    run_folder, shifted, word_folder, tmp_path, capsys
):
    data = ["--data", str(word_folder), "--out"]
    assert main([str(run_folder), *data, str(shifted)]) == 2
    assert f"{shifted}: expected nothing" in capsys.readouterr().err
    metrics = json.loads((shifted / "metrics.json").read_text())
    metrics["labels"][0] = "perhaps"
    (shifted / "metrics.json").write_text(json.dumps(metrics))
    assert main([str(run_folder), str(shifted), *data, str(tmp_path / "out")]) == 2
    assert f"{shifted}: expected a model of speechgru_small and yes, no" in capsys.readouterr().err
    assert not (tmp_path / "out").exists()
