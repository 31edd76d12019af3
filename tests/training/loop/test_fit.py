"""Tests of training/loop/fit.py: whole trainings, without the script."""

import dataclasses

import keras
import numpy as np
import pytest

from training.loop.devices import Device
from training.loop.fit import TrainingError, train
from training.loop.trainer import Trainer


@pytest.mark.usefixtures("on_cpu")
def test_the_step_is_traced_once_and_a_seed_repeats_the_run(task, recipe, tmp_path):
    weights = []
    for number in range(2):
        trainer = Trainer(task, recipe)
        assert not train(trainer, tmp_path / str(number))
        assert trainer.traces == 1, number
        weights.append(trainer.networks[0].eval_model.get_weights())
    for first, second in zip(*weights, strict=True):
        np.testing.assert_array_equal(first, second)


def test_averaged_weights_learn_and_are_saved(task, family_recipe, tmp_path):
    trainer = Trainer(task, dataclasses.replace(family_recipe, average=0.9))
    assert not train(trainer, tmp_path)
    for network, folder in zip(trainer.networks, (tmp_path, tmp_path / "medium"), strict=True):
        model = keras.saving.load_model(folder / "model.keras")
        predictions = network.logits(task.validation).argmax(axis=1)
        assert np.mean(predictions == task.targets) > 0.8
        raw, averaged = (
            m.get_layer("logits").get_weights()[0] for m in (network.train_model, model)
        )
        assert 1e-6 < np.abs(raw - averaged).max() < 0.5


@pytest.mark.parametrize(
    ("is_gpu", "hint"), [(False, "learning_rate"), (True, "learning_rate.*--device cpu")]
)
def test_a_loss_that_is_not_finite_stops_the_run(is_gpu, hint, task, recipe, tmp_path):
    device = Device("GPU", is_gpu=is_gpu)
    trainer = Trainer(task, dataclasses.replace(recipe, steps=5), device=device)
    kernel = trainer.networks[0].train_model.get_layer("logits").kernel
    kernel.assign(np.full(kernel.shape, np.nan))
    with pytest.raises(TrainingError, match=rf"loss became nan in epoch 1: .*{hint}.*; .* holds"):
        train(trainer, tmp_path)
