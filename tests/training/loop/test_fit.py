"""Tests of training/loop/fit.py: whole trainings, without the script."""

import dataclasses

import numpy as np
import pytest

from training.loop.devices import Device
from training.loop.fit import TrainingError, train
from training.loop.trainer import Trainer


@pytest.mark.usefixtures("on_cpu")
def test_the_step_is_traced_once_and_a_seed_repeats_the_run(task, recipe, tmp_path):
    recipe = dataclasses.replace(recipe, epochs=2, steps=5)
    weights = []
    for number in range(2):
        trainer = Trainer(task, recipe)
        assert not train(trainer, tmp_path / str(number))
        assert trainer.traces == 1, number
        weights.append(trainer.networks[0].eval_model.get_weights())
    for first, second in zip(*weights, strict=True):
        np.testing.assert_array_equal(first, second)


def test_a_loss_that_is_not_finite_stops_the_run(task, recipe, tmp_path):
    trainer = Trainer(task, dataclasses.replace(recipe, steps=5))
    kernel = trainer.networks[0].train_model.get_layer("logits").kernel
    kernel.assign(np.full(kernel.shape, np.nan))
    for is_gpu, hint in ((False, "learning_rate"), (True, "learning_rate.*--device cpu")):
        trainer.device = Device("GPU", is_gpu=is_gpu)
        message = rf"loss became nan in epoch 1: .*{hint}.*; .* holds"
        with pytest.raises(TrainingError, match=message):
            train(trainer, tmp_path)
