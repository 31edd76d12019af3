"""Tests of training/loop/network.py."""

import numpy as np
import pytest

from speechgru.features import MFCCConfig
from speechgru.models import initial_state
from training.loop.network import Network, build_preset, without_front_end
from training.loop.teachers import TEACHERS
from training.recipes.recipe import PRESETS, Recipe

LABELS = ("yes", "no", "unknown", "silence")


@pytest.mark.parametrize("preset", PRESETS)
def test_a_model_without_its_front_end_gives_the_logits_of_the_model(preset):
    audio = np.random.default_rng(0).normal(size=(3, 16000)).astype(np.float32) * 0.1
    model = build_preset(preset, LABELS, MFCCConfig())
    assert model.name == f"speechgru_{preset}"
    classifier = without_front_end(model)
    state = initial_state(classifier, len(audio))
    assert bool(state) == (preset not in TEACHERS)
    logits = classifier({"mfcc": model.get_layer("mfcc")(audio), **state})["logits"]
    np.testing.assert_allclose(logits, model(audio), atol=1e-5)


@pytest.mark.parametrize("preset", ["small", "residual"])
@pytest.mark.parametrize("average", [0.0, 0.9])
def test_a_start_with_another_window_gives_its_weights(preset, average, task):
    start = build_preset(preset, task.labels, MFCCConfig(), 1.4)
    start.get_layer("scale").adapt(np.full((1, 70, 40), 3, np.float32))
    network = Network(preset, start, task, Recipe(preset=preset, average=average))
    for model in (network.eval_model, network.train_model):
        assert model.input_shape == (None, 16000)
        for weight, expected in zip(model.get_weights(), start.get_weights(), strict=True):
            np.testing.assert_array_equal(weight, expected)
        scaled = model.get_layer("scale")(np.full((1, 50, 40), 3, np.float32))
        np.testing.assert_allclose(scaled, 0, atol=1e-3)


@pytest.mark.parametrize("preset", ["medium", "convolutions"])
def test_a_longer_window_gives_the_logits_of_the_model_too(preset):
    audio = np.random.default_rng(0).normal(size=(2, 35200)).astype(np.float32) * 0.1
    model = build_preset(preset, LABELS, MFCCConfig(), 2.2)
    classifier = without_front_end(model)
    mfcc = model.get_layer("mfcc")(audio)
    logits = classifier({"mfcc": mfcc, **initial_state(classifier, 2)})["logits"]
    np.testing.assert_allclose(logits, model(audio), atol=1e-5)
