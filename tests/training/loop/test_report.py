"""Tests of training/loop/report.py: what metrics.json says of the saved models."""

import json

import keras
import numpy as np

from training.loop.fit import train
from training.loop.report import report
from training.loop.trainer import Trainer


def test_a_student_is_saved_with_metrics_of_its_own(task, family_recipe, tmp_path):
    trainer = Trainer(task, family_recipe)
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
