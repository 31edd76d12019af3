"""Tests of training/loop/report.py: what metrics.json says of the saved models."""

import dataclasses
import json

import keras
import numpy as np
import pytest

from training.loop.fit import train
from training.loop.report import report
from training.loop.trainer import Trainer


@pytest.fixture(scope="module")
def averaged(task, family_recipe, tmp_path_factory):
    """A teacher and a student that were trained with averaged weights, and their run folder."""
    out = tmp_path_factory.mktemp("averaged")
    trainer = Trainer(task, dataclasses.replace(family_recipe, average=0.9))
    assert not train(trainer, out)
    assert trainer.traces == 1
    report(trainer, out, [], out)
    return trainer, out


def test_averaged_weights_learn_and_are_saved(averaged, task):
    trainer, out = averaged
    for network, folder in zip(trainer.networks, (out, out / "medium"), strict=True):
        model = keras.saving.load_model(folder / "model.keras")
        predictions = network.logits(task.validation).argmax(axis=1)
        assert np.mean(predictions == task.targets) > 0.8
        raw, averaged_weights = (
            m.get_layer("logits").get_weights()[0] for m in (network.train_model, model)
        )
        assert 1e-6 < np.abs(raw - averaged_weights).max() < 0.5


def test_a_student_is_saved_with_metrics_of_its_own(averaged, task):
    _, out = averaged
    for folder, preset, teacher in ((out, "small", None), (out / "medium", "medium", "small")):
        metrics = json.loads((folder / "metrics.json").read_text())
        history = json.loads((folder / "history.json").read_text())
        model = keras.saving.load_model(folder / "model.keras")
        predictions = model(task.validation.astype(np.float32) / 32768).numpy().argmax(axis=1)
        assert (model.name, metrics["teacher"]) == (f"speechgru_{preset}", teacher)
        assert metrics["validation_accuracy"] == np.mean(predictions == task.targets) > 0.8
        assert metrics["validation_accuracy"] == history[-1]["validation_accuracy"]
        assert metrics["parameters"] == sum(int(np.prod(w.shape)) for w in model.trainable_weights)


def test_the_report_is_on_the_model_in_the_folder(task, recipe, tmp_path):
    trainer = Trainer(task, recipe)
    train(trainer, tmp_path)
    before = trainer.networks[0].logits(task.validation)
    fresh = Trainer(task, recipe).networks[0].eval_model
    fresh.get_layer("logits").bias.assign([0, 0, 0, 9])  # always silence
    fresh.save(tmp_path / "model.keras")
    report(trainer, tmp_path, [], tmp_path)
    metrics = json.loads((tmp_path / "metrics.json").read_text())
    assert metrics["recall"]["silence"] == 1
    assert metrics["recall"]["yes"] == 0
    assert np.mean(before.argmax(1) == task.targets) > metrics["validation_accuracy"]


@pytest.fixture(scope="module")
def hardly_trained(task, recipe, tmp_path_factory):
    """A trainer after one step, and its run folder."""
    out = tmp_path_factory.mktemp("run")
    trainer = Trainer(task, dataclasses.replace(recipe, epochs=1, steps=1))
    train(trainer, out)
    return trainer, out


def test_the_accuracy_is_stated_with_what_its_unknown_was(
    hardly_trained, task, monkeypatch, capsys
):
    trainer, out = hardly_trained
    report(trainer, out, [], out)
    assert 'clips; its "unknown" was recordings of other words\n' in capsys.readouterr().out
    made_sounds = dataclasses.replace(task, validation_unknown="made sounds")
    monkeypatch.setattr(trainer, "task", made_sounds)
    report(trainer, out, [], out)
    unknown = "so false accepts on real speech are unknown (--negative, or evaluate.py --negatives)"
    assert f'its "unknown" was made sounds alone, {unknown}\n' in capsys.readouterr().out
    metrics = json.loads((out / "metrics.json").read_text())
    assert metrics["validation_unknown"] == "made sounds"
    assert metrics["validation_unknown_clips"] == np.sum(task.targets == 2)
    assert metrics["false_commands"] is None


def test_windows_of_negative_speech_that_are_answered_with_a_command_are_counted(
    hardly_trained, task, monkeypatch, capsys
):
    trainer, out = hardly_trained
    spoken = dataclasses.replace(task, held_out_speech=task.validation)
    monkeypatch.setattr(trainer, "task", spoken)
    for bias, count in (([9, 0, 0, 0], len(task.targets)), ([0, 0, 9, 0], 0)):
        model = trainer.networks[0].eval_model
        model.get_layer("logits").kernel.assign(np.zeros((76, 4)))
        model.get_layer("logits").bias.assign(bias)
        model.save(out / "model.keras")
        report(trainer, out, [], out)
        found = json.loads((out / "metrics.json").read_text())["false_commands"]
        assert (found["count"], found["windows"]) == (count, len(task.targets))
        assert found["hours"] * 3600 == len(task.targets)
        line = f"speech: {count} of {len(task.targets)} windows, {found['share']:.1%}"
        assert line in capsys.readouterr().out
