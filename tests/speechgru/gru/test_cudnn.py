"""When the GRU uses cuDNN, and with which weights and dtypes."""

import importlib
from typing import Any, NamedTuple

import pytest

pytest.importorskip("keras", reason="the GRU needs Keras: install the extra train")

import keras
import numpy as np
import tensorflow as tf

from speechgru import GRU, GRUCell
from tests.speechgru.gru.accuracy import LIMITS, relative_errors
from tests.speechgru.gru.reference import (
    STEPS,
    UNITS,
    assert_same,
    randomized,
    results,
)

keras_rnn = importlib.import_module("keras.src.backend.tensorflow.rnn")


class Call(NamedTuple):
    """A call of the operator: its mask, and the dtypes of inputs, state and weights."""

    mask: Any
    dtypes: set


@tf.custom_gradient
def with_gradient_nan(x):
    return tf.identity(x), lambda gradient: gradient * np.nan


def stock_gru(x, h, W, U, b):
    """States of every step, (batch, steps, units), in stock arithmetic."""
    states = []
    for t in range(x.shape[1]):
        x_z, x_r, x_h = tf.split(x[:, t] @ W + b[0], 3, axis=1)
        u_z, u_r, u_h = tf.split(h @ U + b[1], 3, axis=1)
        z, r = tf.sigmoid(x_z + u_z), tf.sigmoid(x_r + u_r)
        h = z * h + (1 - z) * tf.tanh(x_h + r * u_h)
        states.append(h)
    return tf.stack(states, axis=1)


@pytest.fixture
def cudnn(monkeypatch):
    """A GPU, as far as Keras can see. Its operator is stock arithmetic and notes its calls.

    As in TensorFlow 2.21, outputs in bfloat16 are right and their gradients are NaN.
    """
    calls = []

    def operator(inputs, h, kernel, recurrent, bias, mask, time_major, backwards, sequences):
        tensors = [inputs, h, kernel, recurrent, bias]
        calls.append(Call(mask, {tensor.dtype.name for tensor in tensors}))
        if inputs.dtype == tf.bfloat16:
            tensors = [with_gradient_nan(tensor) for tensor in tensors]
        x, *rest = tensors
        states = stock_gru(x[:, ::-1] if backwards else x, *rest)
        last = states[:, -1]
        return last, states if sequences else states[:, -1:], [last]

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
    assert [call.mask for call in cudnn] == [None]
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


DTYPES = {  # by policy: those of cuDNN and of the outputs
    "float32": ("float32", "float32"),
    "float64": ("float64", "float64"),
    "mixed_float16": ("float16", "float16"),
    "float16": ("float16", "float16"),
    "mixed_bfloat16": ("float32", "bfloat16"),
    "bfloat16": ("float32", "bfloat16"),
}


@pytest.mark.parametrize("call", [lambda f: f, tf.function], ids=["eager", "graph"])
@pytest.mark.parametrize("return_sequences", [False, True])
@pytest.mark.parametrize("policy", DTYPES)
def test_bfloat16_never_reaches_cudnn(policy, return_sequences, call, cudnn, sequences):
    dtype, output_dtype = DTYPES[policy]
    layer = GRU(
        UNITS,
        dtype=policy,
        return_sequences=return_sequences,
        return_state=True,
        recurrent_initializer="glorot_uniform",  # TensorFlow has no "orthogonal" in bfloat16
    )
    output, state = call(layer)(sequences)
    assert {call.dtypes == {dtype} for call in cudnn} == {True}
    assert output.dtype == state.dtype == output_dtype


@pytest.mark.parametrize("update_gate", ["keep", "write"])
@pytest.mark.parametrize("numbers", [numbers for numbers in LIMITS if numbers != "TF32"])
def test_outputs_and_gradients_through_cudnn_are_those_of_float64(numbers, update_gate, cudnn):
    errors = relative_errors(numbers, update_gate, device=None, use_cudnn=True)
    assert cudnn
    assert all(error < LIMITS[numbers] for error in errors.values()), errors


def test_cudnn_is_not_used_inside_the_device_scope_of_a_cpu(cudnn, sequences):
    layer = GRU(UNITS)
    with tf.device("/CPU:0"):
        layer(sequences)
    assert not cudnn
    layer.use_cudnn = True
    with pytest.raises(ValueError, match=r"tf\.device of a CPU=True"), tf.device("/CPU:0"):
        layer(sequences)
    layer(sequences)
    with tf.device("/GPU:0"):
        layer(sequences)
    assert len(cudnn) == 2


def placed(device, function):
    def run(x):
        with tf.device(device):
            return function(x)

    return run


@pytest.mark.parametrize(
    ("wrap", "uses_cudnn"),
    [
        (lambda f: f, True),
        (lambda f: placed("/CPU:0", f), False),
        (lambda f: placed("/GPU:0", f), True),
        (lambda f: placed("/CPU:0", placed("/GPU:0", f)), True),
        (lambda f: placed("/GPU:0", placed("/CPU:0", f)), False),
        (lambda f: placed("/CPU:0", tf.function(f)), False),
        (lambda f: placed("/CPU:0", lambda x: tf.map_fn(f, x[None])), False),
    ],
    ids=["none", "CPU", "GPU", "GPU in CPU", "CPU in GPU", "function in CPU", "loop in CPU"],
)
def test_device_scopes_in_graphs_choose_the_implementation(wrap, uses_cudnn, cudnn, sequences):
    layer = GRU(UNITS)
    tf.function(wrap(layer)).get_concrete_function(tf.constant(sequences))
    assert bool(cudnn) == uses_cudnn


def test_a_function_traced_inside_the_scope_of_a_cpu_takes_no_cudnn(cudnn, sequences):
    layer = GRU(UNITS)
    with tf.device("/CPU:0"):
        tf.function(layer)(sequences)
    assert not cudnn


def test_asking_for_the_device_adds_no_operator(cudnn):
    layer = GRU(UNITS)
    with tf.Graph().as_default() as graph, tf.device("/CPU:0"):
        layer.takes_cudnn(mask=None)
        assert not graph.get_operations()

    @tf.function
    def traced():
        assert layer.takes_cudnn(mask=None)

    found = traced.get_concrete_function().graph.get_operations()
    empty = tf.function(lambda: None).get_concrete_function().graph.get_operations()
    assert [op.type for op in found] == [op.type for op in empty]


def test_a_layer_made_inside_the_scope_of_a_cpu_is_not_compiled_by_xla(cudnn):
    """It may be trained on the GPU, with cuDNN, which XLA cannot compile."""
    with tf.device("/CPU:0"):
        assert not GRU(UNITS).supports_jit


def test_use_cudnn_can_be_changed_between_calls(cudnn, sequences):
    layer = GRU(UNITS)
    layer(sequences)
    layer.use_cudnn = False
    layer(sequences)
    layer.use_cudnn = "auto"
    layer(sequences)
    assert len(cudnn) == 2
