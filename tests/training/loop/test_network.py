"""Tests of training/loop/network.py."""

import numpy as np
import pytest

from speechgru.features import MFCCConfig
from speechgru.models import initial_state
from training.loop.network import build_preset, without_front_end
from training.loop.teachers import TEACHERS
from training.recipes.recipe import PRESETS

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
