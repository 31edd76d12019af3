"""The training script: what it learns, what it leaves behind, how it stops."""

import dataclasses
import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
from pathlib import Path

import keras
import numpy as np
import pytest
import tensorflow as tf

import speechgru.models  # noqa: F401  registers the layers
from training.data.task import make_task
from training.loop import checkpoint
from training.loop.fit import LAST, TrainingError, train
from training.loop.report import report
from training.loop.step import Trainer
from training.loop.teachers import build
from training.recipes.recipe import load_recipe
from training.train import main

SCRIPT = Path(__file__).resolve().parents[2] / "training" / "train.py"


@pytest.fixture(scope="module")
def task(word_folder):
    return make_task(
        word_folder,
        words=["yes", "no"],
        negative=None,
        synthetic=None,
        synthetic_weight=0.2,
        synthetic_share=0.0,
        seed=0,
    )


def test_a_run_learns_and_says_how_well(run_folder):
    metrics = json.loads((run_folder / "metrics.json").read_text())
    assert metrics["labels"] == ["yes", "no", "unknown", "silence"]
    assert metrics["validation_accuracy"] > 0.8
    assert 30_000 < metrics["parameters"] <= 40_000
    confusion = np.array(metrics["confusion"])
    assert confusion.sum() == metrics["validation_clips"]
    accuracy = np.trace(confusion) / confusion.sum()
    assert accuracy == pytest.approx(metrics["validation_accuracy"])


def test_the_kept_model_is_the_last_epochs(run_folder, task):
    metrics = json.loads((run_folder / "metrics.json").read_text())
    history = json.loads((run_folder / "history.json").read_text())
    last = history[-1]["validation_accuracy"]
    model = keras.saving.load_model(run_folder / "model.keras")
    guesses = model(task.validation.astype(np.float32) / 32768).numpy().argmax(axis=1)
    assert len(history) == 3
    assert metrics["validation_accuracy"] == last == np.mean(guesses == task.targets)


def test_a_run_leaves_its_recipe_and_pictures(run_folder):
    recipe = json.loads((run_folder / "recipe.json").read_text())
    assert (recipe["steps"], recipe["augment"]["speed"]) == (40, 0.05)
    for name in ("curves.png", "confusion.png"):
        assert (run_folder / name).read_bytes().startswith(b"\x89PNG")
    assert not list(run_folder.glob(".*"))  # nothing half-written is left


def test_the_step_is_traced_once_and_a_seed_repeats_the_run(task, recipe_file, tmp_path):
    weights = []
    for number in range(2):
        trainer = Trainer(task, load_recipe(str(recipe_file)))
        assert not train(trainer, folder(tmp_path, number))
        assert trainer.traces == 1, number
        weights.append(trainer.networks[0].model.get_weights())
    for first, second in zip(*weights, strict=True):
        np.testing.assert_array_equal(first, second)


def folder(parent, name):
    path = parent / str(name)
    path.mkdir()
    return path


def test_scaling_makes_augmented_features_standard(task, recipe_file):
    trainer = Trainer(task, load_recipe(str(recipe_file)))
    rng = np.random.default_rng(0)
    trainer.adapt(rng)
    rows, answers = trainer.draw(rng)
    audio, _ = trainer.augmented(task.clips[rows], answers, (0, 0))
    scaled = trainer.networks[0].model.get_layer("scale")(trainer.front_end(audio)).numpy()
    assert np.abs(scaled.mean(axis=(0, 1))).max() < 0.5
    assert 0.5 < scaled.std(axis=(0, 1)).min() < scaled.std(axis=(0, 1)).max() < 1.6


def with_students(recipe_file, **changes):
    return dataclasses.replace(load_recipe(str(recipe_file)), students=("medium",), **changes)


def test_bfloat16_and_averaged_weights_learn_and_are_kept_in_float32(task, recipe_file, tmp_path):
    trainer = Trainer(task, with_students(recipe_file, average=0.9), mixed=True)
    assert not train(trainer, tmp_path)
    for network, folder in zip(trainer.networks, (tmp_path, tmp_path / "medium"), strict=True):
        assert network.learner.get_layer("gru_1").compute_dtype == "bfloat16"
        model = keras.saving.load_model(folder / "model.keras")
        assert {layer.compute_dtype for layer in model.layers} <= {"float32", "float64"}
        guesses = network.logits(task.validation).argmax(axis=1)
        assert np.mean(guesses == task.targets) > 0.8
        raw, averaged = (m.get_layer("logits").get_weights()[0] for m in (network.learner, model))
        assert 1e-6 < np.abs(raw - averaged).max() < 0.5


def test_a_student_is_kept_with_figures_of_its_own(task, recipe_file, tmp_path):
    trainer = Trainer(task, with_students(recipe_file))
    assert not train(trainer, tmp_path)
    assert trainer.traces == 1
    report(trainer, tmp_path, [], tmp_path)
    for folder, preset, teacher in (
        (tmp_path, "small", None),
        (tmp_path / "medium", "medium", "small"),
    ):
        metrics = json.loads((folder / "metrics.json").read_text())
        history = json.loads((folder / "history.json").read_text())
        model = keras.saving.load_model(folder / "model.keras")
        guesses = model(task.validation.astype(np.float32) / 32768).numpy().argmax(axis=1)
        assert (model.name, metrics["teacher"]) == (f"speechgru_{preset}", teacher)
        assert metrics["validation_accuracy"] == np.mean(guesses == task.targets) > 0.8
        assert metrics["validation_accuracy"] == history[-1]["validation_accuracy"]
        assert metrics["parameters"] == sum(int(np.prod(w.shape)) for w in model.trainable_weights)


def test_a_teacher_learns_as_it_would_without_students(task, recipe_file):
    weights = []
    for recipe in (load_recipe(str(recipe_file)), with_students(recipe_file)):
        trainer = Trainer(task, recipe)
        rows, answers = trainer.draw(np.random.default_rng(1))
        trainer.adapt(np.random.default_rng(2), batches=1)
        for number in range(3):
            trainer.step(rows, answers, number)
        weights.append(trainer.networks[0].model.get_weights())
    for one, other in zip(*weights, strict=True):
        np.testing.assert_allclose(one, other, atol=1e-6)


def augmented(trainer, rows, answers):
    """Audio and targets of the first step, by a graph, as the step has it: eagerly they differ."""
    seed = (trainer.recipe.seed, tf.constant(0))
    return tf.function(trainer.augmented)(trainer.task.clips[rows], tf.constant(answers), seed)


@pytest.mark.parametrize("teaching", [0.0, 0.25, 1.0])
def test_a_student_learns_from_labels_and_teacher_by_their_weights(teaching, task, recipe_file):
    recipe = with_students(recipe_file, teaching=teaching)
    trainer = Trainer(task, recipe)
    rows, answers = trainer.draw(np.random.default_rng(0))
    audio, wanted = augmented(trainer, rows, answers)
    features = trainer.front_end(audio)
    shares = recipe.unknown_share, recipe.silence_share
    command = (1 - sum(shares)) / 2
    prior = np.log([command, command, *shares])  # the loss is on logits with these added
    classifiers = [
        keras.Model(n.learner.get_layer("mfcc").output, n.learner.output) for n in trainer.networks
    ]
    logits = [own(features) + prior.astype(np.float32) for own in classifiers]
    logs = [np.asarray(keras.ops.log_softmax(own), float) for own in logits]
    target = (1 - teaching) * np.asarray(wanted) + teaching * np.exp(logs[0])
    expected = [-np.sum(t * g, axis=1).mean() for t, g in ((wanted, logs[0]), (target, logs[1]))]
    losses, _ = trainer.step(rows, answers, 0)
    np.testing.assert_allclose(losses, expected, rtol=1e-4)


@pytest.mark.parametrize("teaching", [0.25, 1.0])
def test_all_learn_from_the_mean_of_their_teachers(teaching, task, recipe_file):
    recipe = with_students(recipe_file, teaching=teaching)
    keras.utils.set_random_seed(7)
    teachers = [build(p, task.labels, recipe.front_end) for p in ("residual", "small")]
    for model in teachers:
        model.get_layer("logits").kernel.assign_add(np.full((1, 4), [[0, 0.1, -0.1, 0.2]]))
    trainer = Trainer(task, recipe, teachers=teachers)
    rows, answers = trainer.draw(np.random.default_rng(0))
    audio, wanted = augmented(trainer, rows, answers)
    taught = [keras.ops.softmax(model(audio) + trainer.prior) for model in teachers]
    assert np.abs(taught[0] - taught[1]).max() > 0.05
    target = (1 - teaching) * np.asarray(wanted) + teaching * np.mean(taught, axis=0)
    guesses = [n.learner(audio) + trainer.prior for n in trainer.networks]
    expected = [
        np.mean(keras.ops.categorical_crossentropy(target, guess, from_logits=True))
        for guess in guesses
    ]
    before = [model.get_weights() for model in teachers]
    losses, _ = trainer.step(rows, answers, 0)
    np.testing.assert_allclose(losses, expected, rtol=1e-4)
    for model, weights in zip(teachers, before, strict=True):
        for one, other in zip(weights, model.get_weights(), strict=True):
            np.testing.assert_array_equal(one, other)


@pytest.mark.parametrize(("share", "number"), [(0.0, 1), (1.0, 1), (1.0, 40)])
def test_clips_go_on_from_the_state_of_the_step_before(share, number, task, recipe_file):
    recipe = dataclasses.replace(load_recipe(str(recipe_file)), carried_share=share)
    trainer = Trainer(task, recipe)
    (network,) = trainer.networks
    rows, answers = trainer.draw(np.random.default_rng(0))
    trainer.step(rows, answers, 0)
    (state,) = trainer._carried
    assert all(np.abs(value).max() > 0.1 for value in state.values())
    if not share or number == recipe.steps:  # the first step of an epoch
        state = {name: keras.ops.zeros(value.shape) for name, value in state.items()}
    audio, wanted = trainer.augmented(task.clips[rows], answers, (recipe.seed, number))
    logits = network.classifier({"mfcc": trainer.front_end(audio), **state})["logits"]
    expected = keras.ops.categorical_crossentropy(wanted, logits + trainer.prior, from_logits=True)
    losses, _ = trainer.step(rows, answers, number)
    np.testing.assert_allclose(losses, [np.mean(expected)], rtol=1e-4)


def test_a_loss_that_is_no_number_stops_the_run(task, recipe_file, tmp_path):
    recipe = dataclasses.replace(load_recipe(str(recipe_file)), learning_rate=1e30, steps=5)
    with pytest.raises(TrainingError, match=r"loss became nan in epoch.*learning_rate"):
        train(Trainer(task, recipe), tmp_path)


def same_weights(one, other):
    for first, second in zip(one, other, strict=True):
        np.testing.assert_array_equal(first, second)


KILLED_WHILE_WRITING = """
import os, signal, sys
import numpy as np
from pathlib import Path

sys.path.insert(0, {root!r})
from training.train import main

write, count = np.savez, 0

def savez(path, **arrays):
    global count
    count += 1
    write(path, **arrays)
    if count == 2:
        Path(path).write_bytes(Path(path).read_bytes()[:5000])  # half of the second checkpoint
        os.kill(os.getpid(), signal.SIGKILL)

np.savez = savez
main({arguments!r})
"""

DISK_FULL = """
import resource, sys

sys.path.insert(0, {root!r})
from training.train import main

resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, 100_000))
sys.exit(main({arguments!r}))
"""


def run_code(code, arguments):
    code = code.format(root=str(SCRIPT.parents[1]), arguments=arguments)
    return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)


def test_a_killed_run_ends_as_if_it_had_not_been_killed(word_folder, recipe_file, tmp_path, capsys):
    recipe = tmp_path / "family.toml"
    recipe.write_text('students = ["medium"]\n' + recipe_file.read_text())
    arguments = ["--data", str(word_folder), "--words", "yes", "no", "--recipe", str(recipe)]
    assert main([*arguments, "--out", str(tmp_path / "whole")]) == 0

    cut = tmp_path / "cut"
    done = run_code(KILLED_WHILE_WRITING, [*arguments, "--out", str(cut)])
    assert done.returncode == -signal.SIGKILL, done.stderr
    assert len(checkpoint.load(cut / LAST)[1]["histories"][0]) == 1

    good = (cut / LAST).read_bytes()
    done = run_code(DISK_FULL, ["--resume", "--out", str(cut)])
    assert (done.returncode, "Traceback" in done.stderr) == (2, False), done.stderr
    assert "train.py: [Errno 27] File too large" in done.stderr
    assert (cut / LAST).read_bytes() == good

    capsys.readouterr()
    assert main(["--resume", "--out", str(cut)]) == 0
    assert "going on after epoch 1 of 3" in capsys.readouterr().out
    found, expected = (checkpoint.load(out / LAST) for out in (cut, tmp_path / "whole"))
    same_weights(found[0], expected[0])
    histories = [state[1]["histories"] for state in (found, expected)]
    for mine, theirs in zip(*histories, strict=True):
        for one, other in zip(mine, theirs, strict=True):
            assert {**one, "seconds": 0} == {**other, "seconds": 0}
    for kept in ("model.keras", "medium/model.keras"):
        models = [keras.saving.load_model(o / kept) for o in (cut, tmp_path / "whole")]
        same_weights(*[model.get_weights() for model in models])
    assert not list(cut.glob(".*"))


def test_resume_wants_the_run_as_it_was_started(run_folder, tmp_path, capsys):
    for arguments, message in (
        (["--out", str(tmp_path / "none")], "expected how the run was started"),
        (["--out", str(run_folder), "--seed", "5"], "found --seed as well"),
    ):
        assert main(["--resume", *arguments]) == 2
        assert message in capsys.readouterr().err
    assert main(["--data", "x", "--out", str(run_folder)]) == 2
    assert "--resume goes on with it" in capsys.readouterr().err


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04 not an archive", None])
def test_a_damaged_checkpoint_is_named(content, run_folder, tmp_path):
    path = tmp_path / LAST
    if content is None:
        path.write_bytes((run_folder / LAST).read_bytes()[:-100])
    else:
        path.write_bytes(content)
    with pytest.raises(checkpoint.CheckpointError, match=re.escape(str(path))):
        checkpoint.load(path)


def damage(path, content):
    if content is None:
        path.unlink()
    else:
        path.write_bytes(content)


@pytest.mark.parametrize("content", [None, b"", b"[]", b"null", b"\xff\xfe", b'{"options": {}}'])
@pytest.mark.parametrize("name", ["run.json", "recipe.json", "task.json", LAST, "model.keras"])
def test_a_damaged_run_is_one_line_at_resume(name, content, run_folder, tmp_path, capsys):
    run = shutil.copytree(run_folder, tmp_path / "run")
    damage(run / name, content)
    code = main(["--resume", "--out", str(run)])
    errors = [e for e in capsys.readouterr().err.splitlines() if not e.startswith("warning")]
    if name == LAST and content is None:  # from the beginning, to the same end
        assert code == 0
    else:
        assert (code, len(errors)) == (2, 1)
        assert name in errors[0]


def test_what_another_run_left_is_refused(run_folder, tmp_path, capsys):
    run = shutil.copytree(run_folder, tmp_path / "run")
    settings = json.loads((run / "recipe.json").read_text())
    (run / "recipe.json").write_text(json.dumps(settings | {"learning_rate": 0.5}))
    assert main(["--resume", "--out", str(run)]) == 2
    assert "found that of another recipe, seed or set of clips" in capsys.readouterr().err


def test_the_report_is_on_the_model_in_the_folder(task, recipe_file, tmp_path):
    trainer = Trainer(task, load_recipe(str(recipe_file)))
    train(trainer, tmp_path)
    before = trainer.networks[0].logits(task.validation)
    fresh = Trainer(task, load_recipe(str(recipe_file))).networks[0].model
    fresh.get_layer("logits").bias.assign([0, 0, 0, 9])  # always silence
    fresh.save(tmp_path / "model.keras")
    report(trainer, tmp_path, [], tmp_path)
    metrics = json.loads((tmp_path / "metrics.json").read_text())
    assert metrics["recall"]["silence"] == 1
    assert metrics["recall"]["yes"] == 0
    assert np.mean(before.argmax(1) == task.targets) > metrics["validation_accuracy"]


def test_a_run_is_resumed_from_anywhere(word_folder, tmp_path, monkeypatch):
    monkeypatch.chdir(word_folder.parent)
    (word_folder.parent / "own.toml").write_text(PLAIN)
    arguments = ["--data", word_folder.name, "--recipe", "own.toml", "--epochs", "1"]
    assert main([*arguments, "--out", str(tmp_path / "run")]) == 0
    (tmp_path / "run" / LAST).unlink()
    monkeypatch.chdir(tmp_path)
    assert main(["--resume", "--out", "run"]) == 0


def test_a_checkpoint_of_another_model_is_refused(run_folder, task, recipe_file, tmp_path):
    arrays, progress = checkpoint.load(run_folder / LAST)
    checkpoint.save(tmp_path / LAST, arrays[:-1], {**progress, "identity": ""})
    shutil.copy(run_folder / "model.keras", tmp_path)
    with pytest.raises(
        checkpoint.CheckpointError, match="expected a checkpoint of speechgru_small"
    ):
        train(Trainer(task, load_recipe(str(recipe_file))), tmp_path)


def test_a_folder_that_cannot_be_written_is_one_line(word_folder, recipe_file, tmp_path, capsys):
    (tmp_path / "file").write_text("")
    arguments = ["--data", str(word_folder), "--recipe", str(recipe_file)]
    assert main([*arguments, "--out", str(tmp_path / "file" / "run")]) == 2
    assert "Not a directory" in capsys.readouterr().err.splitlines()[-1]


def test_a_run_records_what_it_was_made_of(run_folder):
    started = json.loads((run_folder / "run.json").read_text())
    assert "--data" in started["command"]
    lists = json.loads((run_folder / "task.json").read_text())
    assert len(lists["training"]) > len(lists["validation"]) > 0
    assert (run_folder / "passed_over.txt").read_text() == ""
    events = b"".join(p.read_bytes() for p in (run_folder / "tensorboard").iterdir())
    assert b"validation_accuracy" in events


PLAIN = """
preset = "small"
carried_share = 1
epochs = 2
steps = 10
batch_size = 16
silence_share = 0
[augment]
shift_ms = 0
speed_share = 0
noise_share = 0
reverb_share = 0
band_limit_share = 0
telephone_share = 0
eq_db = 0
gain_db = [0, 0]
time_masks = 0
mel_masks = 0
"""


def test_two_workers_lose_what_one_loses(word_folder, tmp_path):
    recipe = tmp_path / "plain.toml"
    recipe.write_text('students = ["medium"]\n' + PLAIN)
    with socket.socket() as one, socket.socket() as other:
        sockets = [one, other]
        for s in sockets:
            s.bind(("127.0.0.1", 0))
        hosts = [f"127.0.0.1:{s.getsockname()[1]}" for s in sockets]
    command = [sys.executable, str(SCRIPT), "--data", str(word_folder), "--words", "yes", "no"]
    command += ["--recipe", str(recipe), "--device", "cpu"]
    workers = []
    for index in range(2):
        cluster = {"cluster": {"worker": hosts}, "task": {"type": "worker", "index": index}}
        workers.append(
            subprocess.Popen(
                [*command, "--strategy", "multiworker", "--out", str(tmp_path / "two")],
                env={**os.environ, "TF_CONFIG": json.dumps(cluster)},
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                text=True,
            )
        )
    try:
        for worker in workers:
            _, errors = worker.communicate(timeout=180)
            assert worker.returncode == 0, errors
    finally:
        for worker in workers:
            worker.kill()
    assert main([*command[2:], "--out", str(tmp_path / "one")]) == 0
    for kept in ("history.json", "medium/history.json"):
        two, one = (json.loads((tmp_path / n / kept).read_text()) for n in ("two", "one"))
        for key in ("loss", "training_accuracy", "validation_loss", "validation_accuracy"):
            np.testing.assert_allclose([e[key] for e in two], [e[key] for e in one], rtol=1e-3)


def test_features_by_librosa_learn_as_those_of_the_graph(word_folder, tmp_path, monkeypatch):
    monkeypatch.setenv("SPEECHGRU_CACHE", str(tmp_path / "cache"))
    recipe = tmp_path / "plain.toml"
    recipe.write_text(PLAIN)
    histories = []
    for features in ("graph", "librosa"):
        out = tmp_path / features
        arguments = ["--data", str(word_folder), "--recipe", str(recipe), "--out", str(out)]
        assert main([*arguments, "--words", "yes", "no", "--features", features]) == 0
        histories.append(json.loads((out / "history.json").read_text())[-1])
    assert histories[0]["validation_accuracy"] == histories[1]["validation_accuracy"]
    assert histories[0]["loss"] == pytest.approx(histories[1]["loss"], rel=1e-2)


def test_a_run_goes_on_from_another(run_folder, word_folder, recipe_file, tmp_path, capsys):
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
    arguments[-1] = str(tmp_path / "other")
    capsys.readouterr()
    assert main([*arguments, "--words", "no", "bird"]) == 2
    assert "expected a model of no bird" in capsys.readouterr().err


def test_students_go_on_with_their_teacher_and_overwrite_no_run(
    run_folder, word_folder, recipe_file, tmp_path, capsys
):
    recipe = tmp_path / "family.toml"
    recipe.write_text('students = ["medium"]\n' + recipe_file.read_text())
    arguments = ["--data", str(word_folder), "--words", "yes", "no", "--recipe", str(recipe)]
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
    assert "taught by labels alone, medium by small too\n" in capsys.readouterr().out
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
    recipe = tmp_path / "convolutions.toml"
    recipe.write_text(recipe_file.read_text().replace('"small"', '"residual"'))
    data = ["--data", str(word_folder), "--epochs", "2"]
    words = ["--words", "yes", "no"]
    taught = [*data, "--recipe", str(recipe_file), "--out", str(tmp_path / "taught")]
    taught += ["--teachers", str(run_folder), str(tmp_path / "conv")]
    assert main([*data, *words, "--recipe", str(recipe), "--out", str(tmp_path / "conv")]) == 0
    assert main([*taught, *words]) == 0
    metrics = json.loads((tmp_path / "taught" / "metrics.json").read_text())
    assert metrics["teacher"] == "small and residual"
    assert len(metrics["commands"]) == 3
    kept = (tmp_path / "taught" / "model.keras").read_bytes()
    assert main(["--resume", "--out", str(tmp_path / "taught")]) == 0
    assert kept == (tmp_path / "taught" / "model.keras").read_bytes()
    assert f"taught by {run_folder} and {tmp_path / 'conv'}\n" in capsys.readouterr().out
    taught[taught.index("--out") + 1] = str(tmp_path / "other")
    assert main([*taught, "--words", "no", "bird"]) == 2
    errors = capsys.readouterr().err
    assert f"{run_folder}: expected a model of no bird unknown silence" in errors
    other = tmp_path / "other.toml"
    other.write_text(recipe_file.read_text() + "[front_end]\nn_mfcc = 20\n")
    changed = [*taught, *words]
    changed[changed.index("--recipe") + 1] = str(other)
    assert main(changed) == 2
    assert f"{run_folder}: expected a model with MFCCConfig(" in capsys.readouterr().err
    (tmp_path / "conv" / "metrics.json").unlink()
    assert main([*taught, *words]) == 2
    assert "metrics.json: expected the labels of model.keras" in capsys.readouterr().err


def test_ctrl_c_keeps_what_was_learnt(word_folder, recipe_file, tmp_path, interrupt):
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
        (["--data", "nowhere"], "nowhere: expected a folder of"),
        (["--data", "WORDS", "--words", "maybe"], "no clips of maybe"),
        (["--data", "WORDS", "--recipe", "secret"], "no recipe 'secret'"),
        (["--data", "WORDS", "--epochs", "0"], "`epochs` must be at least 1"),
        (["--data", "WORDS", "--negative", "nowhere"], "nowhere: expected sound files"),
        (["--data", "WORDS", "--start", "nowhere"], "nowhere: expected a trained model"),
        (["--data", "WORDS", "--teachers", "nowhere"], "nowhere: expected a trained model"),
        (["--data", "WORDS", "--teachers", __file__], "expected the folder of a run, found a file"),
        (["--data", "WORDS", "--start", __file__], "expected the folder of a run, found a file"),
    ],
)
def test_wrong_input_is_one_line_and_exit_code_2(arguments, message, word_folder, tmp_path, capsys):
    arguments = [str(word_folder) if a == "WORDS" else a for a in arguments]
    assert main([*arguments, "--out", str(tmp_path / "run")]) == 2
    errors = capsys.readouterr().err
    assert message in errors
    assert errors.count("\n") == 1
