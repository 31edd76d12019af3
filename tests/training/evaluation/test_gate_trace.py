"""A trace of the gates is what the model computes."""

import keras
import numpy as np
import pytest

from speechgru import build_model
from training.evaluation.gate_trace import trace_gates

LABELS = ("yes", "no", "unknown", "silence")


@pytest.fixture(scope="module")
def traced():
    model = build_model("medium", LABELS)
    samples = np.random.default_rng(0).normal(size=16000).astype(np.float32) / 10
    return model, samples, trace_gates(model, samples)


def test_the_last_probabilities_are_the_models(traced):
    model, samples, trace = traced
    expected = keras.ops.softmax(model(samples[None]))[0]
    np.testing.assert_allclose(trace.probabilities[-1], expected, atol=1e-5)
    assert trace.probabilities.shape == (25, len(LABELS))
    assert trace.step_seconds == pytest.approx(0.04)


def test_a_gate_near_one_writes_the_candidate(traced):
    for layer in traced[2].layers:
        before = np.concatenate([np.zeros((1, layer.h.shape[1])), layer.h[:-1]])
        expected = (1 - layer.z) * before + layer.z * layer.candidate
        np.testing.assert_allclose(layer.h, expected, atol=1e-5)
