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
from export.stream import initial_state, streamed
from speechgru import mfcc, modelfile
from speechgru.conversion.converter import ConversionError
from speechgru.conversion.flatbuffer import operators
from speechgru.features import MFCCConfig
from training.clips.finding import find_clips
from training.clips.reading import read_clips
from training.clips.splitting import split_clips


@pytest.fixture(scope="module")
def files(tmp_path_factory, model_file, run_folder):
    """The run's model in every form."""
    paths = {"none": model_file}
    for form in ("float16", "dynamic", "int8"):
        paths[form] = tmp_path_factory.mktemp("export") / f"{form}.tflite"
        arguments = [str(run_folder), "--quantize", form, "--out", str(paths[form])]
        assert export.main(arguments) == 0
    return paths


@pytest.fixture(scope="module")
def audio(word_folder):
    clips, _ = read_clips(find_clips(word_folder)[::9], "clips")
    noise = np.random.default_rng(0).normal(size=(3, 16000)) * [[0.3], [1e-2], [1e-5]]
    return np.concatenate([clips / 32768, noise]).astype(np.float32)


def runner(path, signature):
    return Interpreter(model_content=modelfile.read(path).flatbuffer).get_signature_runner(
        signature
    )


def test_the_files_hold_builtin_operators_alone(files):
    for path in files.values():
        found = operators(modelfile.read(path).flatbuffer)
        assert {"RFFT2D", "WHILE", "FULLY_CONNECTED", "SOFTMAX"} <= set(found)
        assert not [name for name in found if name.startswith("CUSTOM")]


def test_the_file_states_labels_settings_and_accuracy(model_file, run_folder):
    metrics = json.loads((run_folder / "metrics.json").read_text())
    model = modelfile.read(model_file)
    assert model.labels == tuple(metrics["labels"])
    assert MFCCConfig(**model.settings["front_end"]) == MFCCConfig()
    assert model.settings["validation_accuracy"] == metrics["validation_accuracy"]
    assert (model.window_samples, model.settings["hop_samples"]) == (16000, 640)
    state = {"samples": [1, 192], "frames": [1, 3, 40], "h_1": [1, 76]}
    assert model.settings["state"] == state
    assert model.settings["quantization"] == "none"
    assert model.settings["licence"] == ""  # not Speech Commands


def test_scores_are_the_keras_models(files, run_folder, audio):
    model = keras.saving.load_model(run_folder / "model.keras")
    expected = keras.ops.softmax(model(audio)).numpy()
    limits = {"none": 1e-4, "float16": 5e-3, "dynamic": 0.1, "int8": 0.2}
    for form, path in files.items():
        run = runner(path, "recognize")
        for clip, scores in zip(audio, expected, strict=True):
            np.testing.assert_allclose(
                run(audio=clip[None])["scores"][0], scores, atol=limits[form]
            )


def test_features_are_librosas_in_every_form(files, audio):
    for path in files.values():
        run = runner(path, "features")
        for clip in audio:
            np.testing.assert_allclose(run(audio=clip[None])["mfcc"][0], mfcc(clip), atol=1e-3)


def test_a_window_fed_hop_by_hop_ends_with_the_scores_of_the_window(files, audio):
    for path in files.values():
        stream, recognize = runner(path, "stream"), runner(path, "recognize")
        for clip in audio:
            at_once = recognize(audio=clip[None])["scores"][0].copy()
            np.testing.assert_allclose(streamed(stream, clip)[0][-1], at_once, atol=1e-5)


def test_every_tensor_of_the_state_is_heard(model_file, audio):
    stream = runner(model_file, "stream")
    noise = audio[-3]
    _, state = streamed(stream, noise)
    expected = stream(audio=noise[None, :640], **state)["next_h_1"].copy()
    for name, zeros in initial_state(stream).items():
        forgotten = stream(audio=noise[None, :640], **(state | {name: zeros}))["next_h_1"]
        assert np.abs(forgotten - expected).max() > 1e-4, name


def test_smaller_weights_take_less_room(files):
    sizes = {form: path.stat().st_size for form, path in files.items()}
    assert sizes["float16"] < 0.7 * sizes["none"]
    assert sizes["dynamic"] < 0.8 * sizes["float16"]
    assert sizes["int8"] < 0.8 * sizes["float16"]


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


def test_the_card_names_a_teacher_and_known_voices(model_file, run_folder):
    metrics = json.loads((run_folder / "metrics.json").read_text())
    metrics |= {"validation_of_new_voices": False, "teacher": "large"}
    card = model_card("m.tflite", 1, modelfile.read(model_file).settings, metrics, "x", "y", "")
    assert KNOWN_VOICES in card
    assert "as a student of large" in card


def test_a_file_that_answers_differently_is_refused(model_file, run_folder, audio):
    model = keras.saving.load_model(run_folder / "model.keras")
    assert "labels changed" in export.check(model_file, model, audio, "none")
    weights = model.get_layer("logits").get_weights()
    model.get_layer("logits").set_weights([weights[0] * 1.1, weights[1]])
    with pytest.raises(ConversionError, match="does not answer like the Keras model"):
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
