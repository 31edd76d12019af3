"""How far outputs and gradients of the GRU are from those in float64, by dtype and device."""

import functools

import numpy as np
import tensorflow as tf

from speechgru import GRU

# Largest relative error of outputs and gradients. On an H100 TF32 was 6e-4 away from float64
# (2026-11-26); it rounds the factors of a product to 10 bits, as float16 does.
LIMITS = {"float64": 1e-12, "float32": 1e-5, "TF32": 2e-3, "float16": 1e-2, "bfloat16": 5e-2}
POLICIES = {
    "float64": "float64",
    "float32": "float32",
    "TF32": "float32",
    "float16": "mixed_float16",
    "bfloat16": "mixed_bfloat16",
}
NAMES = ("outputs", "inputs", "initial state", "kernel", "recurrent kernel", "bias")
BATCH, STEPS, FEATURES, UNITS = 8, 20, 16, 32


def relative_errors(numbers, update_gate, device, use_cudnn):
    """Relative errors of outputs and gradients, by what they are the gradients of.

    The loss is a weighted sum of all states. In float16 the gradient of the initial state with
    respect to the last state alone would be lost: it is too small.
    """
    expected = _exact(update_gate)
    policy = POLICIES[numbers]
    layer = GRU(UNITS, update_gate=update_gate, return_sequences=True, dtype=policy)
    layer.use_cudnn = use_cudnn
    dtype = "float64" if numbers == "float64" else "float32"
    found = tf.function(_outputs_and_gradients)(layer, dtype, device, training=True)
    errors = (
        np.linalg.norm(f - e) / np.linalg.norm(e) for f, e in zip(found, expected, strict=True)
    )
    return dict(zip(NAMES, map(float, errors), strict=True))


@functools.cache
def _exact(update_gate):
    layer = GRU(UNITS, update_gate=update_gate, return_sequences=True, dtype="float64")
    layer.use_cudnn = False
    return _outputs_and_gradients(layer, "float64", "/CPU:0", training=False)


def _outputs_and_gradients(layer, dtype, device, training):
    """Outputs and gradients as float64, at random numbers at which no gate saturates."""
    rng = np.random.default_rng(0)
    inputs = rng.normal(size=(BATCH, STEPS, FEATURES))
    state = rng.normal(size=(BATCH, UNITS)) / 2
    upstream = rng.normal(size=(BATCH, STEPS, UNITS))
    weights = [
        rng.normal(size=(FEATURES, 3 * UNITS)) / np.sqrt(FEATURES),
        rng.normal(size=(UNITS, 3 * UNITS)) / np.sqrt(UNITS),
        rng.normal(size=(2, 3 * UNITS)) * 0.3,
    ]
    with tf.device(device):
        with tf.init_scope():
            layer.build(inputs.shape)
            layer.set_weights(weights)
        inputs, state = tf.constant(inputs, dtype), tf.constant(state, dtype)
        with tf.GradientTape() as tape:
            tape.watch([inputs, state])
            outputs = layer(inputs, initial_state=state, training=training)
            loss = tf.reduce_sum(tf.cast(outputs, dtype) * upstream)
        gradients = tape.gradient(loss, [inputs, state, *layer.trainable_variables])
        return [tf.cast(value, tf.float64) for value in (outputs, *gradients)]
