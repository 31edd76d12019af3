"""The signatures of a model file, as LiteRT runs them."""

import numpy as np
import pytest

from speechgru import ModelError, Recognizer, modelfile
from speechgru.network import StreamNetwork, WindowNetwork


@pytest.fixture(scope="module")
def small():
    return modelfile.read("small")


def test_a_second_hop_by_hop_ends_with_the_scores_of_the_window(small):
    window = np.random.default_rng(0).normal(scale=0.1, size=16000).astype(np.float32)
    stream = StreamNetwork(small)
    hops = [stream.step(window[np.newaxis, i : i + 640]) for i in range(0, 16000, 640)]
    assert hops[-1] == pytest.approx(WindowNetwork(small, 1).scores(window), abs=2e-2)


def test_a_reset_network_is_as_new(small):
    hops = np.random.default_rng(0).normal(scale=0.1, size=(5, 1, 640)).astype(np.float32)
    stream = StreamNetwork(small)
    first = [stream.step(hop) for hop in hops]
    assert [stream.step(hop) for hop in hops] != first
    stream.reset()
    assert [stream.step(hop) for hop in hops] == first


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"hop_samples": 320}, "expected the signature stream with inputs .*320.*, found .*640"),
        ({"window_samples": 8000}, "expected tensors .*8000.*, found .*16000"),
        ({"front_end": {"sample_rate": 8000}}, "expected a model for audio at 16000 Hz, found"),
    ],
)
def test_a_model_that_does_not_fit_its_settings_is_refused(small, tmp_path, changes, message):
    path = tmp_path / "other.tflite"
    modelfile.write(path, small.flatbuffer, small.labels, {**small.settings, **changes})
    with pytest.raises(ModelError, match=message) as caught:
        Recognizer(path)
    assert str(path) in str(caught.value)
