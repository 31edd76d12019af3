"""Tests of training/loop/run.py: what a run learns and leaves behind, and how it continues."""

import json
import os
import resource
import signal
import socket
import subprocess
import sys
from pathlib import Path

import keras
import numpy as np
import pytest

from training.loop import run
from training.loop.devices import Device
from training.run_files import checkpoint
from training.run_files.epoch_files import LAST
from training.train import main

SCRIPT = Path(__file__).resolve().parents[1] / "short_run.py"


def test_a_run_learns_and_says_how_well(run_folder):
    metrics = json.loads((run_folder / "metrics.json").read_text())
    assert metrics["labels"] == ["yes", "no", "unknown", "silence"]
    assert metrics["validation_accuracy"] > 0.8
    assert 30_000 < metrics["parameters"] <= 40_000
    confusion = np.array(metrics["confusion"])
    assert confusion.sum() == metrics["validation_clips"]
    accuracy = np.trace(confusion) / confusion.sum()
    assert accuracy == pytest.approx(metrics["validation_accuracy"])


def test_the_saved_model_is_the_last_epochs(run_folder, task):
    metrics = json.loads((run_folder / "metrics.json").read_text())
    history = json.loads((run_folder / "history.json").read_text())
    last = history[-1]["validation_accuracy"]
    model = keras.saving.load_model(run_folder / "model.keras")
    predictions = model(task.validation.astype(np.float32) / 32768).numpy().argmax(axis=1)
    assert len(history) == 3
    assert metrics["validation_accuracy"] == last == np.mean(predictions == task.targets)


def test_a_run_leaves_its_recipe_and_pictures(run_folder):
    recipe = json.loads((run_folder / "recipe.json").read_text())
    assert (recipe["steps"], recipe["augment"]["speed"]) == (40, 0.05)
    for name in ("curves.png", "confusion.png"):
        assert (run_folder / name).read_bytes().startswith(b"\x89PNG")
    assert not list(run_folder.glob(".*"))  # nothing half-written is left


def same_weights(one, other):
    for first, second in zip(one, other, strict=True):
        np.testing.assert_array_equal(first, second)


KILLED_WHILE_WRITING = """
import os, signal, sys
import numpy as np
from pathlib import Path

sys.path.insert(0, {folder!r})
from short_run import main

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


def test_a_killed_run_ends_as_if_it_had_not_been_killed(
    word_folder, short_family_file, tmp_path, capsys
):
    arguments = ["--data", str(word_folder), "--words", "yes", "no"]
    arguments += ["--recipe", str(short_family_file)]
    # On a CPU: a GPU does not repeat a run bit for bit.
    arguments += ["--device", "cpu", "--epochs", "2"]
    assert main([*arguments, "--out", str(tmp_path / "whole")]) == 0

    cut = tmp_path / "cut"
    code = KILLED_WHILE_WRITING.format(
        folder=str(SCRIPT.parent), arguments=[*arguments, "--out", str(cut)]
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.returncode == -signal.SIGKILL, done.stderr
    assert len(checkpoint.load(cut / LAST)[1]["histories"][0]) == 1

    capsys.readouterr()
    assert main([*arguments, "--out", str(cut), "--resume"]) == 0
    assert "continuing after epoch 1 of 2" in capsys.readouterr().out
    found, expected = (checkpoint.load(out / LAST) for out in (cut, tmp_path / "whole"))
    same_weights(found[0], expected[0])
    histories = [state[1]["histories"] for state in (found, expected)]
    for mine, theirs in zip(*histories, strict=True):
        for one, other in zip(mine, theirs, strict=True):
            assert {**one, "seconds": 0} == {**other, "seconds": 0}
    for saved in ("model.keras", "medium/model.keras"):
        models = [keras.saving.load_model(o / saved) for o in (cut, tmp_path / "whole")]
        same_weights(*[model.get_weights() for model in models])
    assert not list(cut.glob(".*"))


def test_a_full_disk_ends_a_run_and_leaves_its_last_state(
    word_folder, plain_file, tmp_path, monkeypatch, capsys
):
    out, write, good = tmp_path / "run", np.savez, []

    def savez(path, **arrays):
        if not (out / LAST).exists():
            return write(path, **arrays)
        good.append((out / LAST).read_bytes())
        limits = resource.getrlimit(resource.RLIMIT_FSIZE)
        resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, limits[1]))
        try:
            return write(path, **arrays)
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, limits)

    monkeypatch.setattr(np, "savez", savez)
    arguments = ["--data", str(word_folder), "--recipe", str(plain_file), "--out", str(out)]
    assert main([*arguments, "--words", "yes", "no"]) == 2
    errors = capsys.readouterr().err
    assert ": File too large" in errors
    assert "Traceback" not in errors
    assert good == [(out / LAST).read_bytes()]
    assert len(checkpoint.load(out / LAST)[1]["histories"][0]) == 1
    assert not list(out.glob(".*"))


def test_two_workers_have_the_losses_of_one(word_folder, plain_file, tmp_path):
    recipe = tmp_path / "family.toml"
    plain = plain_file.read_text().replace("steps = 10", "steps = 4")
    recipe.write_text('students = ["medium"]\n' + plain)
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
            _, errors = worker.communicate(timeout=300)
            assert worker.returncode == 0, errors
    finally:
        for worker in workers:
            worker.kill()
            worker.wait()
    assert main([*command[2:], "--out", str(tmp_path / "one")]) == 0
    for saved in ("history.json", "medium/history.json"):
        two, one = (json.loads((tmp_path / n / saved).read_text()) for n in ("two", "one"))
        for key in ("loss", "training_accuracy", "validation_loss", "validation_accuracy"):
            np.testing.assert_allclose([e[key] for e in two], [e[key] for e in one], rtol=1e-3)


def test_features_by_librosa_learn_as_those_of_the_graph(
    word_folder, plain_file, tmp_path, monkeypatch
):
    monkeypatch.setenv("SPEECHGRU_CACHE", str(tmp_path / "cache"))
    histories = []
    for features in ("graph", "librosa"):
        out = tmp_path / features
        arguments = ["--data", str(word_folder), "--recipe", str(plain_file), "--out", str(out)]
        assert main([*arguments, "--words", "yes", "no", "--features", features]) == 0
        histories.append(json.loads((out / "history.json").read_text())[-1])
    assert histories[0]["validation_accuracy"] == histories[1]["validation_accuracy"]
    assert histories[0]["loss"] == pytest.approx(histories[1]["loss"], rel=1e-2)


def test_auto_takes_the_batch_of_a_gpu(word_folder, plain_file, tmp_path, capsys, monkeypatch):
    """The GPU is a stand-in; what it trains on is the CPU."""
    plain_file.write_text("gpu_batch_size = 64\n" + plain_file.read_text())
    arguments = ["--data", str(word_folder), "--recipe", str(plain_file), "--epochs", "1"]
    found = {}
    for is_gpu in (False, True):
        device = Device("a GPU" if is_gpu else "a CPU", is_gpu=is_gpu)
        monkeypatch.setattr(run, "choose_device", lambda _, device=device: device)
        out = tmp_path / device.name
        assert main([*arguments, "--batch", "auto", "--out", str(out)]) == 0
        recipe = json.loads((out / "recipe.json").read_text())
        found[is_gpu] = [recipe[name] for name in ("batch_size", "steps", "learning_rate")]
        assert main(["--resume", "--out", str(out)]) == 0  # in its own batches
    assert found == {False: [16, 10, 2e-3], True: [64, 2, 4e-3]}
    output = capsys.readouterr().out
    assert "device: a CPU; batches of 16, 10 an epoch, learning rate 0.002" in output
    assert "device: a GPU; batches of 64, 2 an epoch, learning rate 0.004" in output


def test_a_gpu_is_offered_a_larger_batch(word_folder, plain_file, tmp_path, capsys, monkeypatch):
    monkeypatch.setattr(run, "choose_device", lambda _: Device("a GPU", is_gpu=True))
    monkeypatch.setattr(run, "train", lambda *_: False)  # what is printed before is tested
    monkeypatch.setattr(run, "report", lambda *_: None)
    arguments = ["--data", str(word_folder), "--recipe", str(plain_file), "--epochs", "1"]
    assert main([*arguments, "--out", str(tmp_path / "run")]) == 0
    assert "(--batch auto trains with 512, which keeps a GPU busier)" in capsys.readouterr().out
