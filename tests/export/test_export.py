"""Export: the same model in one file, of builtin operators, that says what it is."""

import json
import shutil

import keras
import numpy as np
import pytest
from ai_edge_litert.interpreter import Interpreter

import speechgru.models
from export import export
from export.card import KNOWN_VOICES, NEW_VOICES, model_card
from speechgru import mfcc, modelfile
from speechgru.features import MFCCConfig
from training.data import find_clips, read_clips, split_clips


@pytest.fixture(scope="module")
def dynamic_file(tmp_path_factory, run_folder):
    path = tmp_path_factory.mktemp("export") / "dynamic.tflite"
    assert export.main([str(run_folder), "--quantize", "dynamic", "--out", str(path)]) == 0
    return path


@pytest.fixture(scope="module")
def audio(word_folder):
    clips, _ = read_clips(find_clips(word_folder)[::9], "clips")
    noise = np.random.default_rng(0).normal(size=(3, 16000)) * [[0.3], [1e-2], [1e-5]]
    return np.concatenate([clips / 32768, noise]).astype(np.float32)


def runner(path, signature):
    return Interpreter(model_content=modelfile.read(path).flatbuffer).get_signature_runner(
        signature
    )


def test_the_file_holds_builtin_operators_alone(model_file, dynamic_file):
    for path in (model_file, dynamic_file):
        found = export.operators(modelfile.read(path).flatbuffer)
        assert {"RFFT2D", "WHILE", "FULLY_CONNECTED", "SOFTMAX"} <= set(found)
        assert not [name for name in found if name.startswith("CUSTOM")]


def test_the_file_states_labels_settings_and_accuracy(model_file, run_folder):
    metrics = json.loads((run_folder / "metrics.json").read_text())
    model = modelfile.read(model_file)
    assert model.labels == tuple(metrics["labels"])
    assert MFCCConfig(**model.settings["front_end"]) == MFCCConfig()
    assert model.settings["validation_accuracy"] == metrics["validation_accuracy"]
    assert (model.window_samples, model.settings["hop_samples"]) == (16000, 640)
    assert model.settings["quantization"] == "none"
    assert model.settings["licence"] == ""  # not Speech Commands


def test_scores_are_the_keras_models(model_file, dynamic_file, run_folder, audio):
    model = keras.saving.load_model(run_folder / "model.keras")
    expected = keras.ops.softmax(model(audio)).numpy()
    for path, limit in ((model_file, 1e-4), (dynamic_file, 0.1)):
        run = runner(path, "recognize")
        for clip, scores in zip(audio, expected, strict=True):
            np.testing.assert_allclose(run(audio=clip[None])["scores"][0], scores, atol=limit)


def test_features_are_librosas_also_when_quantised(model_file, dynamic_file, audio):
    for path in (model_file, dynamic_file):
        run = runner(path, "features")
        for clip in audio:
            np.testing.assert_allclose(run(audio=clip[None])["mfcc"][0], mfcc(clip), atol=1e-3)


def test_int8_weights_take_less_room(model_file, dynamic_file):
    assert dynamic_file.stat().st_size < 0.7 * model_file.stat().st_size


def test_the_same_run_gives_the_same_bytes(model_file, run_folder, tmp_path):
    assert export.main([str(run_folder), "--out", str(tmp_path / "again.tflite")]) == 0
    assert (tmp_path / "again.tflite").read_bytes() == model_file.read_bytes()


def test_the_card_states_the_files_figures(model_file, run_folder):
    card = model_file.with_suffix(".md").read_text()
    metrics = json.loads((run_folder / "metrics.json").read_text())
    assert f"{model_file.stat().st_size:,} bytes" in card
    assert f"{metrics['validation_accuracy']:.2%}" in card
    assert metrics["commands"][0] in card
    assert NEW_VOICES in card
    assert "student" not in card


def test_a_card_is_written_of_a_run_stopped_in_its_first_epoch(model_file, run_folder):
    metrics = json.loads((run_folder / "metrics.json").read_text())
    metrics |= {"last_epoch_validation_accuracy": None, "validation_of_new_voices": False}
    metrics["teacher"] = "large"
    card = model_card("m.tflite", 1, modelfile.read(model_file).settings, metrics, "x", "y", "")
    assert "(the Keras model)" in card
    assert KNOWN_VOICES in card
    assert "as a student of large" in card


def test_a_file_that_answers_differently_is_refused(model_file, run_folder, audio):
    model = keras.saving.load_model(run_folder / "model.keras")
    assert "labels changed" in export.check(model_file, model, audio, "none")
    weights = model.get_layer("logits").get_weights()
    model.get_layer("logits").set_weights([weights[0] * 1.1, weights[1]])
    with pytest.raises(export.ExportError, match="does not answer like the Keras model"):
        export.check(model_file, model, audio, "none")


def test_a_model_whose_check_fails_leaves_no_file(run_folder, tmp_path, monkeypatch, capsys):
    monkeypatch.setitem(export.TOLERANCE, "none", (-1.0, 0.0))
    assert export.main([str(run_folder), "--out", str(tmp_path / "m.tflite")]) == 2
    assert list(tmp_path.iterdir()) == []
    assert "does not answer like the Keras model" in capsys.readouterr().err


@pytest.mark.parametrize("damage", ["missing", "no keras", "no metrics"])
def test_a_run_that_cannot_be_exported_is_one_line(damage, run_folder, tmp_path, capsys):
    run = tmp_path / "run"
    if damage != "missing":
        shutil.copytree(run_folder, run)
    if damage == "no keras":
        (run / "model.keras").write_text("nothing")
    if damage == "no metrics":
        (run / "metrics.json").unlink()
    assert export.main([str(run), "--out", str(tmp_path / "m.tflite")]) == 2
    errors = capsys.readouterr().err
    assert str(run) in errors
    assert errors.count("\n") == 1
    assert not (tmp_path / "m.tflite").exists()


def test_keras_litert_and_librosa_agree_on_recordings(real_data):
    clips = split_clips(real_data, find_clips(real_data)).validation[::25]
    audio = read_clips(clips, "clips")[0].astype(np.float32) / 32768
    assert len(audio) > 50
    layer = speechgru.MFCC()(audio).numpy()
    run = runner(modelfile.locate(None), "features")
    for clip, found in zip(audio, layer, strict=True):
        expected = mfcc(clip)
        np.testing.assert_allclose(found, expected, atol=1e-3)
        np.testing.assert_allclose(run(audio=clip[None])["mfcc"][0], expected, atol=1e-3)
