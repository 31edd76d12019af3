"""Running a model hop by hop."""

import numpy as np
import pytest

from export.tflite.runner import ModelRunner
from speechgru import modelfile


@pytest.fixture(scope="module")
def runner(model_file):
    return ModelRunner(modelfile.read(model_file).flatbuffer)


@pytest.fixture(scope="module")
def noise():
    return np.random.default_rng(0).normal(size=16000).astype(np.float32) / 10


def test_a_stream_can_be_fed_in_parts(runner, noise):
    at_once, _ = runner.stream(noise)
    first, state = runner.stream(noise[:6400])
    second, _ = runner.stream(noise[6400:], state)
    np.testing.assert_array_equal(np.concatenate([first, second]), at_once)


def test_samples_after_the_last_whole_hop_are_left_out(runner, noise):
    scores, _ = runner.stream(noise[: 3 * runner.hop_samples + 639])
    assert scores.shape == (3, 4)


def test_results_do_not_change_with_the_next_call(runner, noise):
    first = runner.recognize(noise)
    copy = first.copy()
    runner.recognize(np.zeros_like(noise))
    np.testing.assert_array_equal(first, copy)


def test_every_tensor_of_the_state_matters(runner, noise):
    _, state = runner.stream(noise)
    hop = noise[: runner.hop_samples]
    _, expected = runner.hop(hop, state)
    for name, zeros in runner.initial_state().items():
        _, found = runner.hop(hop, state | {name: zeros})
        assert np.abs(found["h_1"] - expected["h_1"]).max() > 1e-4, name
