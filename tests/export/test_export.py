"""The export script: the same model in one file, and no other file touched."""

import json
import shutil
import subprocess
import sys
import time
from pathlib import Path

import keras
import numpy as np
import pytest

from export.export import main
from export.model_package import checking
from export.model_package.checking import Tolerance
from export.model_package.export_run import Exported
from export.model_package.model_card import MARKER, NEW_SPEAKERS
from export.tflite.quantization import QUANTIZATIONS
from export.tflite.runner import ModelRunner
from speechgru import mfcc, modelfile
from speechgru.conversion.flatbuffer import operators
from speechgru.features import MFCCConfig
from speechgru.gru.device import is_placed_on_cpu
from training.clips.finding import find_clips
from training.clips.reading import read_clips
from training.clips.splitting import split_clips

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def files(tmp_path_factory, model_file, run_folder):
    """The run's model in every form."""
    paths = {"none": model_file}
    for form in QUANTIZATIONS[1:]:
        paths[form] = tmp_path_factory.mktemp("export") / f"{form}.tflite"
        assert main([str(run_folder), "--quantize", form, "--out", str(paths[form])]) == 0
    return paths


@pytest.fixture(scope="module")
def audio(word_folder):
    clips, _ = read_clips(find_clips(word_folder)[::9], "clips", 16000)
    noise = np.random.default_rng(0).normal(size=(3, 16000)) * [[0.3], [1e-2], [1e-5]]
    return np.concatenate([clips / 32768, noise]).astype(np.float32)


def runner_of(path):
    return ModelRunner(modelfile.read(path).flatbuffer)


def one_error(capsys):
    """The only line on stderr."""
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith("export.py: ")
    return line


def test_the_files_hold_builtin_operators_only(files):
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
    assert model.settings["validation_unknown"] == "recorded words"
    assert model.settings["false_commands"] is None  # no negative speech
    assert (model.window_samples, model.settings["hop_samples"]) == (16000, 640)
    state = {"samples": [1, 192], "frames": [1, 3, 40], "h_1": [1, 76]}
    assert model.settings["state"] == state
    assert model.settings["quantization"] == "none"
    assert model.settings["licence"] == ""  # not Speech Commands


def test_the_export_runs_on_the_cpu(monkeypatch, tmp_path, capsys):
    """A GPU computes in TF32: the check of the file would fail."""
    monkeypatch.setattr(
        "export.model_package.export_run.export_run",
        lambda *_, **__: Exported(tmp_path, 0, "50%", f"on the CPU: {is_placed_on_cpu()}", ()),
    )
    assert main([str(tmp_path), "--out", str(tmp_path / "model.tflite")]) == 0
    assert "on the CPU: True" in capsys.readouterr().out


def test_scores_are_the_keras_models(files, run_folder, audio):
    model = keras.saving.load_model(run_folder / "model.keras")
    expected = keras.ops.softmax(model(audio)).numpy()
    limits = {"none": 1e-4, "float16": 5e-3, "dynamic": 0.1, "int8": 0.2}
    for form, path in files.items():
        runner = runner_of(path)
        for clip, scores in zip(audio, expected, strict=True):
            np.testing.assert_allclose(runner.recognize(clip), scores, atol=limits[form])


def test_features_are_librosas_in_every_form(files, audio):
    for path in files.values():
        runner = runner_of(path)
        for clip in audio:
            np.testing.assert_allclose(runner.features(clip), mfcc(clip), atol=1e-3)


def test_a_window_fed_hop_by_hop_ends_with_the_scores_of_the_window(files, audio):
    for path in files.values():
        runner = runner_of(path)
        for clip in audio:
            last = runner.stream(clip)[0][-1]
            np.testing.assert_allclose(last, runner.recognize(clip), atol=1e-5)


def test_smaller_weights_take_less_room(files):
    sizes = {form: path.stat().st_size for form, path in files.items()}
    assert sizes["float16"] < 0.7 * sizes["none"]
    assert sizes["dynamic"] < 0.8 * sizes["float16"]
    assert sizes["int8"] < 0.8 * sizes["float16"]


def test_the_card_states_the_files_figures(model_file, run_folder):
    card = model_file.with_name("quick.card.md").read_text()
    metrics = json.loads((run_folder / "metrics.json").read_text())
    assert card.startswith(MARKER)
    assert f"{model_file.stat().st_size:,} bytes" in card
    assert f"{metrics['validation_accuracy']:.2%}" in card
    assert metrics["commands"][0] in card
    assert NEW_SPEAKERS in card


def test_the_default_form_is_dynamic_and_other_files_stay(files, run_folder, tmp_path):
    readme = tmp_path / "README.md"
    readme.write_text("Mine.")
    assert main([str(run_folder), "--out", str(tmp_path / "README.tflite")]) == 0
    assert readme.read_text() == "Mine."
    names = {path.name for path in tmp_path.iterdir()}
    assert names == {"README.md", "README.tflite", "README.card.md"}
    assert (tmp_path / "README.tflite").read_bytes() == files["dynamic"].read_bytes()


def test_the_same_run_gives_the_same_bytes_and_an_old_step_is_removed(
    files, run_folder, tmp_path, capsys
):
    for path in files["int8"].parent.iterdir():
        shutil.copy(path, tmp_path)
    out, step = tmp_path / "int8.tflite", tmp_path / "int8.step.tflite"
    assert step.exists()
    assert main([str(run_folder), "--quantize", "none", "--out", str(out)]) == 0
    assert {path.name for path in tmp_path.iterdir()} == {"int8.tflite", "int8.card.md"}
    assert f"removed {step}" in capsys.readouterr().out
    assert out.read_bytes() == files["none"].read_bytes()


@pytest.mark.parametrize("name", ["m.tflite", "m.card.md", "m.step.tflite"])
def test_a_file_that_is_not_ours_stops_the_export(name, run_folder, tmp_path, capsys):
    (tmp_path / name).write_text("Mine.")
    out = tmp_path / "m.tflite"
    assert main([str(run_folder), "--quantize", "int8", "--out", str(out)]) == 2
    assert str(tmp_path / name) in one_error(capsys)
    assert (tmp_path / name).read_text() == "Mine."
    assert [path.name for path in tmp_path.iterdir()] == [name]


def test_notes_are_not_replaced_by_the_card_that_they_end(run_folder, tmp_path, capsys):
    notes = tmp_path / "m.card.md"
    notes.write_text(f"{MARKER}\nMy notes.")
    out = tmp_path / "m.tflite"
    assert main([str(run_folder), "--out", str(out), "--notes", str(notes)]) == 2
    assert "expected another file than the input" in one_error(capsys)
    assert "My notes." in notes.read_text()


def test_notes_that_are_not_text_are_one_line(run_folder, tmp_path, capsys):
    notes = tmp_path / "notes.md"
    notes.write_bytes(b"\xff\xfe\0")
    arguments = [str(run_folder), "--out", str(tmp_path / "m.tflite"), "--notes", str(notes)]
    assert main(arguments) == 2
    assert f"{notes}: expected text in UTF-8" in one_error(capsys)


def test_the_name_must_end_in_tflite(run_folder, capsys):
    assert main([str(run_folder), "--out", str(run_folder / "model.keras")]) == 2
    assert "model.keras: expected a name that ends in .tflite" in one_error(capsys)
    assert main([str(run_folder), "--out", str(run_folder / "m.step.tflite")]) == 2
    assert "expected a name that does not end in .step.tflite" in one_error(capsys)


def test_a_file_that_fails_its_check_is_not_written(run_folder, tmp_path, monkeypatch, capsys):
    monkeypatch.setitem(checking.TOLERANCES, "none", Tolerance(-1.0, 0.0))
    out = tmp_path / "m.tflite"
    assert main([str(run_folder), "--quantize", "none", "--out", str(out)]) == 2
    assert list(tmp_path.iterdir()) == []
    assert "expected a file that agrees with the Keras model" in one_error(capsys)


@pytest.mark.parametrize(
    ("damage", "named"),
    [
        ("missing", "run"),
        ("no keras", "model.keras"),
        ("cut keras", "model.keras"),
        ("no metrics", "metrics.json"),
        ("not JSON", "metrics.json"),
        ("a list", "metrics.json"),
        ("no confusion", "metrics.json"),
        ("fewer labels", "model.keras"),
        ("text as accuracy", "metrics.json"),
    ],
)
def test_a_run_that_cannot_be_exported_is_one_line(damage, named, run_folder, tmp_path, capsys):
    run = tmp_path / "run"
    if damage != "missing":
        shutil.copytree(run_folder, run)
        break_run(run, damage)
    assert main([str(run), "--out", str(tmp_path / "m.tflite")]) == 2
    assert named in one_error(capsys)
    assert not (tmp_path / "m.tflite").exists()


def break_run(run, damage):
    model, path = run / "model.keras", run / "metrics.json"
    metrics = json.loads(path.read_text())
    if damage == "no keras":
        model.write_text("nothing")
    elif damage == "cut keras":
        model.write_bytes(model.read_bytes()[:50_000])
    elif damage == "no metrics":
        path.unlink()
    elif damage == "not JSON":
        path.write_text("{")
    elif damage == "a list":
        path.write_text("[1]")
    elif damage == "no confusion":
        path.write_text(json.dumps({k: v for k, v in metrics.items() if k != "confusion"}))
    elif damage == "fewer labels":
        path.write_text(json.dumps(metrics | {"labels": metrics["labels"][1:]}))
    elif damage == "text as accuracy":
        path.write_text(json.dumps(metrics | {"validation_accuracy": "all"}))


@pytest.mark.parametrize("script", ["export.py", "verify.py"])
def test_help_needs_no_tensorflow(script):
    code = (
        "import runpy, sys\n"
        f"sys.argv = ['{script}', '--help']\n"
        f"try: runpy.run_path('export/{script}', run_name='__main__')\n"
        "except SystemExit as end: assert not end.code\n"
        "assert not {'tensorflow', 'keras', 'librosa', 'matplotlib'} & sys.modules.keys()"
    )
    start = time.perf_counter()
    run = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True)
    assert run.returncode == 0, run.stderr
    assert "usage: " in run.stdout
    assert time.perf_counter() - start < 5  # a second, on a machine that does nothing else


def test_keras_litert_and_librosa_agree_on_recordings(real_data):
    import speechgru

    clips = split_clips(real_data, find_clips(real_data)).validation[::25]
    audio = read_clips(clips, "clips", 16000)[0].astype(np.float32) / 32768
    assert len(audio) > 50
    layer = speechgru.MFCC()(audio).numpy()
    runner = runner_of(modelfile.locate(None))
    for clip, found in zip(audio, layer, strict=True):
        expected = mfcc(clip)
        np.testing.assert_allclose(found, expected, atol=1e-3)
        np.testing.assert_allclose(runner.features(clip), expected, atol=1e-3)


def test_the_script_runs_by_itself_from_any_folder(run_folder, tmp_path):
    out = tmp_path / "own.tflite"
    command = [sys.executable, str(ROOT / "export" / "export.py"), str(run_folder)]
    done = subprocess.run(
        [*command, "--out", str(out)], cwd=tmp_path, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    assert modelfile.read(out).labels[-2:] == ("unknown", "silence")
