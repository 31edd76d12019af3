"""Tests of training/run_files/new_head.py."""

import keras
import numpy as np
import pytest

from speechgru.features import MFCCConfig
from speechgru.models import build_model
from training.loop.network import build_preset
from training.recipes.recipe import PRESETS
from training.run_files.new_head import copy_with_head, head_of

OLD = ("yes", "no", "unknown", "silence")
NEW = ("No", "lights on", "unknown", "silence")


def with_random_weights(model):
    rng = np.random.default_rng(0)
    model.set_weights([w + 0.01 * rng.uniform(size=w.shape) for w in model.get_weights()])
    model.get_layer("scale").finalize_state()
    return model


@pytest.mark.parametrize("preset", PRESETS)
def test_all_layers_but_the_head_have_the_weights_of_the_start(preset):
    start = with_random_weights(build_preset(preset, OLD, MFCCConfig()))
    model = build_preset(preset, NEW, MFCCConfig())
    copy_with_head(start, OLD, model, NEW)
    for old, new in zip(start.weights, model.weights, strict=True):
        if "logits" not in old.path:
            np.testing.assert_array_equal(old, new)
    audio = np.random.default_rng(1).normal(size=(2, 16000)).astype(np.float32) * 0.1
    before, after = (network(audio, training=False).numpy() for network in (start, model))
    np.testing.assert_allclose(after[:, [0, 2, 3]], before[:, [1, 2, 3]], rtol=1e-5)
    assert np.ptp(before[:, 0]) > 0  # the two clips differ


def test_rows_of_labels_that_both_have_are_copied_and_new_rows_have_the_commands_mean_bias():
    start = with_random_weights(build_model("small", OLD))
    keras.utils.set_random_seed(3)
    model = build_model("small", NEW)
    initial, _ = model.get_layer("logits").get_weights()
    copy_with_head(start, OLD, model, NEW)
    (kernel, bias), (old_kernel, old_bias) = (
        network.get_layer("logits").get_weights() for network in (model, start)
    )
    np.testing.assert_array_equal(kernel[:, [0, 2, 3]], old_kernel[:, [1, 2, 3]])
    np.testing.assert_array_equal(bias[[0, 2, 3]], old_bias[[1, 2, 3]])
    np.testing.assert_array_equal(kernel[:, 1], initial[:, 1])
    assert bias[1] == pytest.approx((old_bias[0] + old_bias[1]) / 2)


def test_the_head_is_described_in_one_line():
    assert head_of(NEW, OLD).description == (
        "head: 1 new label (lights on), 3 copied (No, unknown, silence)"
    )
    labels = ("a", "b", "unknown", "silence")
    assert head_of(labels, OLD).description == (
        "head: 2 new labels (a, b), 2 copied (unknown, silence)"
    )
    assert head_of(("no", "unknown", "silence"), OLD).description == (
        "head: no new labels, 3 copied (no, unknown, silence)"
    )
