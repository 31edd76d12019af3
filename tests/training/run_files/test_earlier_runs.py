"""Tests of training/run_files/earlier_runs.py, and of runs that start from or learn from others."""

import dataclasses
import json
import shutil
from pathlib import Path

import keras
import numpy as np
import pytest

from speechgru import ModelError, Recognizer
from speechgru.pretrained import load_model
from training.loop.arguments import parse_arguments
from training.loop.checks import check_options
from training.recipes.recipe import RecipeError, load_recipe
from training.run_files.earlier_runs import check_labels, load_start
from training.train import main


def test_a_run_starts_from_another(run_folder, word_folder, recipe_file, tmp_path, capsys):
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
    assert metrics["start"] == {"model": str(run_folder), "labels": metrics["labels"]}
    assert "head: " not in capsys.readouterr().out


def test_a_run_with_other_labels_starts_from_the_same_weights_with_a_new_head(
    run_folder, word_folder, recipe_file, tmp_path, capsys
):
    quick = tmp_path / "quick.toml"
    quick.write_text(recipe_file.read_text().replace("steps = 40", "steps = 2"))
    arguments = ["--data", str(word_folder), "--recipe", str(quick), "--epochs", "2"]
    arguments += ["--start", str(run_folder), "--words", "NO", "bird"]
    assert main([*arguments, "--out", str(tmp_path / "one")]) == 0
    output = capsys.readouterr().out
    assert "\nhead: 1 new label (bird), 3 copied (NO, unknown, silence)\n" in output
    metrics = json.loads((tmp_path / "one" / "metrics.json").read_text())
    assert metrics["start"] == {
        "model": str(run_folder),
        "labels": ["yes", "no", "unknown", "silence"],
        "copied_labels": ["NO", "unknown", "silence"],
        "new_labels": ["bird"],
    }
    assert (metrics["labels"][:2], metrics["epochs"]) == (["NO", "bird"], 2)  # without the start's
    assert len(metrics["commands"]) == 2
    assert main(["--resume", "--out", str(tmp_path / "one")]) == 0
    assert main([*arguments, "--out", str(tmp_path / "two")]) == 0
    models = [keras.saving.load_model(tmp_path / out / "model.keras") for out in ("one", "two")]
    for one, two in zip(*(model.get_weights() for model in models), strict=True):
        np.testing.assert_array_equal(one, two)


def test_words_of_their_own_start_from_a_bundled_model(
    word_folder, recipe_file, tmp_path, read_json
):
    arguments = ["--data", str(word_folder), "--recipe", str(recipe_file), "--epochs", "1"]
    arguments += ["--start", "small", "--words", "bird", "--out", str(tmp_path / "run")]
    assert main(arguments) == 0
    metrics = read_json(tmp_path / "run" / "metrics.json")
    assert metrics["start"]["copied_labels"] == ["unknown", "silence"]
    assert metrics["start"]["model"] == "small"
    assert metrics["epochs"] == 1
    assert "Speech Commands by Pete Warden" in metrics["licence"]  # of the start's recordings
    scales = [
        model.get_layer("scale").get_weights()
        for model in (load_model("small"), keras.saving.load_model(tmp_path / "run/model.keras"))
    ]
    for bundled, own in zip(*scales, strict=True):
        np.testing.assert_array_equal(bundled, own)


def test_students_start_with_their_teacher_and_replace_no_run(
    run_folder, word_folder, recipe_file, family_file, tmp_path, capsys
):
    arguments = ["--data", str(word_folder), "--words", "yes", "no", "--recipe", str(family_file)]
    arguments += ["--epochs", "1", "--out"]
    assert main([*arguments, str(tmp_path / "first"), "--epochs", "2"]) == 0
    assert main([*arguments, str(tmp_path / "more"), "--start", str(tmp_path / "first")]) == 0
    losses = [
        json.loads((tmp_path / run / "medium" / "history.json").read_text())[0]["loss"]
        for run in ("first", "more")
    ]
    assert losses[1] < losses[0] / 2
    alone = tmp_path / "alone.toml"
    alone.write_text(recipe_file.read_text().replace('"small"', '"medium"'))
    taken = [*arguments[:3], *arguments[3:5], "--recipe", str(alone), "--epochs", "1"]
    taken += ["--start", str(tmp_path / "first"), "--out", str(tmp_path / "student")]
    assert main(taken) == 0  # the student's model, from the folder of its preset
    history = json.loads((tmp_path / "student" / "history.json").read_text())
    assert history[0]["loss"] < losses[0] / 2
    shutil.copytree(run_folder, tmp_path / "runs" / "medium")
    assert "students: medium, with small as teacher\n" in capsys.readouterr().out
    for out, start, message in (
        ("runs", "first", "medium: expected a new folder, found a run"),
        ("other", "first/medium", "expected a model of preset small"),
    ):
        given = [str(tmp_path / out), "--start", str(tmp_path / start)]
        assert main([*arguments, *given]) == 2
        assert message in capsys.readouterr().err


def test_a_run_learns_from_the_models_of_others(
    run_folder, word_folder, recipe_file, tmp_path, capsys
):
    quick, recipe = tmp_path / "quick.toml", tmp_path / "convolutions.toml"
    quick.write_text(recipe_file.read_text().replace("steps = 40", "steps = 2"))
    recipe.write_text(quick.read_text().replace('"small"', '"residual"'))
    data = ["--data", str(word_folder), "--epochs", "2"]
    words = ["--words", "yes", "no"]
    taught = [*data, "--recipe", str(quick), "--out", str(tmp_path / "taught")]
    taught += ["--teachers", str(run_folder), str(tmp_path / "conv")]
    assert main([*data, *words, "--recipe", str(recipe), "--out", str(tmp_path / "conv")]) == 0
    assert main([*taught, *words]) == 0
    metrics = json.loads((tmp_path / "taught" / "metrics.json").read_text())
    assert metrics["teacher"] == "small and residual"
    assert len(metrics["commands"]) == 3
    saved = (tmp_path / "taught" / "model.keras").read_bytes()
    assert main(["--resume", "--out", str(tmp_path / "taught")]) == 0
    assert saved == (tmp_path / "taught" / "model.keras").read_bytes()
    assert f"teachers: {run_folder}, {tmp_path / 'conv'}\n" in capsys.readouterr().out
    taught[taught.index("--out") + 1] = str(tmp_path / "other")
    assert main([*taught, "--words", "no", "bird"]) == 2
    errors = capsys.readouterr().err
    assert f"{run_folder}: expected a model of no, bird, unknown, silence" in errors
    other = tmp_path / "other.toml"
    other.write_text(quick.read_text() + "[front_end]\nn_mfcc = 20\n")
    changed = [*taught, *words]
    changed[changed.index("--recipe") + 1] = str(other)
    assert main(changed) == 2
    assert f"{run_folder}: expected a model with MFCCConfig(" in capsys.readouterr().err
    other.write_text(f"scene_seconds = 2\n{quick.read_text()}")
    assert main(changed) == 2
    assert f"{tmp_path / 'conv'}: expected a model with GRU layers" in capsys.readouterr().err
    (tmp_path / "conv" / "metrics.json").unlink()
    assert main([*taught, *words]) == 2
    assert "metrics.json: expected the labels of model.keras" in capsys.readouterr().err


def test_teachers_have_the_window_of_the_run(
    run_folder, word_folder, recipe_file, tmp_path, capsys
):
    recipe = tmp_path / "longer.toml"
    recipe.write_text("window_seconds = 1.2\n" + recipe_file.read_text())
    arguments = ["--data", str(word_folder), "--words", "yes", "no", "--recipe", str(recipe)]
    arguments += ["--teachers", str(run_folder), "--out", str(tmp_path / "run")]
    assert main(arguments) == 2
    assert (
        f"{run_folder}: expected a teacher with a window of 1.2 s, as in this run, found 1.0 s"
    ) in capsys.readouterr().err
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize("key", ["commands", "epochs", "training_seconds"])
def test_a_start_needs_the_metrics_of_a_run(
    key, run_folder, word_folder, recipe_file, tmp_path, capsys
):
    start = shutil.copytree(run_folder, tmp_path / "start")
    metrics = json.loads((start / "metrics.json").read_text())
    del metrics[key]
    (start / "metrics.json").write_text(json.dumps(metrics))
    arguments = ["--data", str(word_folder), "--recipe", str(recipe_file), "--start", str(start)]
    assert main([*arguments, "--out", str(tmp_path / "new")]) == 2
    assert f"metrics.json: expected that of a run with `{key}`" in capsys.readouterr().err


def test_a_run_starts_from_the_bundled_models(tmp_path):
    recipe = dataclasses.replace(load_recipe("medium"), students=("small",))
    started = load_start(Path("medium"), recipe)
    assert [run.model.name for run in started] == ["speechgru_medium", "speechgru_small"]
    assert [run.file.name for run in started] == ["medium.keras", "small.keras"]
    check_labels(started, Recognizer().labels)
    options = parse_arguments(["--start", "medium", "--out", "o"])
    assert options.from_folder(tmp_path).start == Path("medium")
    assert check_options(options).options.start == Path("medium")


def test_a_preset_that_is_not_bundled_is_refused():
    recipe = dataclasses.replace(load_recipe("medium"), preset="large")
    with pytest.raises(RecipeError, match=r"expected a recipe of medium or small, found .* large"):
        load_start(Path("medium"), recipe)


def test_a_folder_goes_before_a_bundled_model_of_its_name(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "medium").mkdir()
    with pytest.raises(ModelError, match=r"medium/model.keras: expected a trained model"):
        check_options(parse_arguments(["--start", "medium", "--out", "o"]))
