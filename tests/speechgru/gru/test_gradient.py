"""The hand-written gradient of the GRU against that which TensorFlow derives from the loop."""

import pytest

pytest.importorskip("keras", reason="the GRU needs Keras: install the extra train")

import numpy as np
import tensorflow as tf

from speechgru import GRU
from tests.speechgru.gru.reference import (
    CONVENTIONS,
    FEATURES,
    STEPS,
    UNITS,
    assert_same,
    randomized,
    results,
)


def traced(layer, compiled=False, batch=None, steps=None):
    signature = [tf.TensorSpec((batch, steps, FEATURES)), tf.TensorSpec((batch, UNITS))]

    @tf.function(input_signature=signature, jit_compile=compiled)
    def found(sequences, start):
        return results(layer, sequences, initial_state=start, training=True)

    return found


@pytest.mark.usefixtures("on_cpu")  # XLA may compute in TF32 on a GPU
@pytest.mark.parametrize("way", [(False, None, None), (False, 48, STEPS), (True, 48, STEPS)])
@pytest.mark.parametrize("return_sequences", [False, True])
@pytest.mark.parametrize(("update_gate", "reset_after"), CONVENTIONS)
def test_the_fused_gradient_equals_that_of_the_loop(
    update_gate, reset_after, return_sequences, way, rng
):
    sequences = rng.normal(size=(48, STEPS, FEATURES)).astype(np.float32)
    start = rng.normal(size=(48, UNITS)).astype(np.float32)
    layer = GRU(
        UNITS,
        update_gate=update_gate,
        reset_after=reset_after,
        return_sequences=return_sequences,
        return_state=True,
        use_cudnn=False,
    )
    randomized(layer, sequences, rng)
    expected = results(layer, sequences, initial_state=start, training=False)
    found = traced(layer, *way)(sequences, start)
    for one, other in zip(found, expected, strict=True):
        np.testing.assert_allclose(one, other, atol=2e-6 * np.abs(other).max())


@pytest.mark.parametrize("batch", [0, 1, 2, 3])
def test_the_halves_of_a_batch_are_joined_in_order(batch, rng):
    sequences = rng.normal(size=(batch, STEPS, FEATURES)).astype(np.float32)
    layer = randomized(GRU(UNITS, return_state=True, use_cudnn=False), sequences, rng)
    start = rng.normal(size=(batch, UNITS)).astype(np.float32)
    found = traced(layer)(sequences, start)[0]
    np.testing.assert_allclose(found, layer(sequences, initial_state=start)[0], atol=1e-6)


@pytest.mark.parametrize(
    ("gpus", "device", "halves"), [(0, None, 2), (1, None, 1), (1, "/CPU:0", 2), (1, "/GPU:0", 1)]
)
def test_the_batch_is_halved_for_two_cores_of_a_cpu(gpus, device, halves, monkeypatch):
    monkeypatch.setattr(tf.config, "list_logical_devices", lambda kind: ["gpu"] * gpus)
    layer = GRU(UNITS, use_cudnn=False)

    @tf.function
    def run(sequences):
        with tf.device(device):
            return layer(sequences, training=True)

    graph = run.get_concrete_function(tf.TensorSpec((48, STEPS, FEATURES))).graph
    loops = [op for op in graph.get_operations() if op.type.endswith("While")]
    assert len(loops) == halves


def test_a_sparse_gradient_of_the_output_is_accepted(sequences, rng):
    layer = randomized(GRU(UNITS, return_sequences=True, use_cudnn=False), sequences, rng)

    @tf.function
    def gradients(training):
        with tf.GradientTape() as tape:
            loss = tf.reduce_sum(tf.gather(layer(sequences, training=training), [0, 2, 2]))
        return tape.gradient(loss, layer.trainable_variables)

    assert_same(gradients(True), gradients(False))


def test_the_second_derivative_raises_instead_of_being_wrong(sequences, rng):
    layer = randomized(GRU(UNITS, use_cudnn=False), sequences, rng)

    @tf.function
    def second(training):
        x = tf.constant(sequences)
        with tf.GradientTape() as outer:
            outer.watch(x)
            with tf.GradientTape() as inner:
                inner.watch(x)
                loss = tf.reduce_sum(layer(x, training=training) ** 2)
            slope = tf.reduce_sum(inner.gradient(loss, x) ** 2)
        return outer.gradient(slope, x)

    assert np.abs(second(False)).max() > 0
    with pytest.raises(NotImplementedError, match=r"second derivative.*training=False"):
        second(True)
