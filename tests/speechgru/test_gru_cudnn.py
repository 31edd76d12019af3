"""When the GRU uses cuDNN, and with which weights."""

import importlib

import pytest

pytest.importorskip("keras", reason="the GRU needs Keras: install the extra train")

import keras
import numpy as np
import tensorflow as tf

from speechgru import GRU, GRUCell
from tests.speechgru.gru_reference import (
    STEPS,
    UNITS,
    assert_same,
    paper_gru,
    randomized,
    results,
)

keras_rnn = importlib.import_module("keras.src.backend.tensorflow.rnn")


@pytest.fixture
def cudnn(monkeypatch):
    """A GPU, as far as Keras can see; its operator is stock arithmetic, and says that it ran."""
    calls = []

    def operator(inputs, h, kernel, recurrent, bias, mask, time_major, backwards, sequences):
        calls.append(mask)
        weights = [w.numpy() for w in (kernel, recurrent, bias)]
        x = inputs.numpy()[:, ::-1] if backwards else inputs.numpy()
        states = paper_gru(x, h.numpy(), weights, "keep", True).astype("float32")
        last = tf.constant(states[:, -1])
        return last, tf.constant(states if sequences else states[:, -1:]), [last]

    monkeypatch.setattr(keras_rnn, "_is_gpu_available", lambda: True)
    monkeypatch.setattr(keras_rnn, "_cudnn_gru", operator)
    return calls


@pytest.mark.parametrize("training", [False, True])
@pytest.mark.parametrize("options", [{}, {"go_backwards": True, "return_sequences": True}])
@pytest.mark.parametrize("update_gate", ["keep", "write"])
def test_cudnn_gets_the_weights_in_its_convention(
    update_gate, options, training, cudnn, sequences, rng
):
    layer = GRU(UNITS, update_gate=update_gate, **options)
    assert not layer.supports_jit
    randomized(layer, sequences, rng)
    cudnn.clear()
    found = layer(sequences, training=training)
    assert cudnn == [None]
    layer.use_cudnn = False
    np.testing.assert_allclose(found, layer(sequences), atol=2e-6)


class Leaky(GRUCell):
    def step(self, *arguments):
        h, gates = super().step(*arguments)
        return 0.9 * h, gates


@pytest.mark.parametrize(
    "options",
    [
        {"reset_after": False},
        {"use_bias": False},
        {"activation": "relu"},
        {"recurrent_activation": "hard_sigmoid"},
        {"recurrent_dropout": 0.5},
        {"unroll": True},
        {"return_gates": True},
        {"use_cudnn": False},
        {"implementation": 1, "dropout": 0.5},
    ],
    ids=str,
)
def test_cudnn_is_not_used_for_what_it_does_not_compute(options, cudnn, sequences):
    layer = GRU(UNITS, **options)
    assert not layer.takes_cudnn(mask=None)
    layer(sequences, training=True)
    assert not cudnn
    if "use_cudnn" not in options:
        with pytest.raises(ValueError, match="use_cudnn=True"):
            GRU(UNITS, use_cudnn=True, **options)(sequences)


def test_cudnn_is_not_used_with_a_mask(cudnn, sequences):
    layer = GRU(UNITS)
    mask = np.zeros((3, STEPS), bool)  # on which the operator itself would fail
    np.testing.assert_array_equal(layer(sequences, mask=mask), np.zeros((3, UNITS)))
    assert not cudnn


@pytest.mark.parametrize("training", [False, True])
def test_the_step_of_a_subclass_runs_on_a_gpu_and_in_training(training, cudnn, sequences):
    layer = GRU(UNITS)
    layer.cell = Leaky(UNITS)
    looped = keras.layers.RNN(Leaky(UNITS))
    looped(sequences)
    layer.build(sequences.shape)
    layer.set_weights(looped.get_weights())
    found = tf.function(layer)(sequences, training=training)
    np.testing.assert_allclose(found, looped(sequences), atol=1e-6)
    assert not cudnn
    for copy in (layer.get_config, layer.to_keras, lambda: GRU.from_keras(layer)):
        with pytest.raises(ValueError, match=r"cell.*Leaky"):
            copy()


@pytest.mark.gpu
@pytest.mark.skipif(not tf.config.list_physical_devices("GPU"), reason="there is no GPU")
@pytest.mark.parametrize("update_gate", ["keep", "write"])
def test_cudnn_and_the_loop_agree(update_gate, sequences, rng):
    layer = randomized(GRU(UNITS, update_gate=update_gate), sequences, rng)
    assert layer.takes_cudnn(mask=None)
    found = results(layer, sequences, training=True)
    layer.use_cudnn = False
    assert_same(found, results(layer, sequences, training=True))


def test_use_cudnn_can_be_changed_between_calls(cudnn, sequences):
    layer = GRU(UNITS)
    layer(sequences)
    layer.use_cudnn = False
    layer(sequences)
    layer.use_cudnn = "auto"
    layer(sequences)
    assert len(cudnn) == 2
