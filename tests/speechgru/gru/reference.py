"""The GRU in float64 from the formulas of the papers and of PyTorch, and helpers of its tests."""

import itertools

import numpy as np
import tensorflow as tf

CONVENTIONS = list(itertools.product(("keep", "write"), (True, False)))
STEPS, FEATURES, UNITS = 12, 5, 7


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


def paper_gru(x, h, weights, update_gate, reset_after, gates=None):
    """States of every step, float64 (batch, steps, units), from the papers' formulas."""
    W, U, b = (np.asarray(w, np.float64) for w in weights)
    W_z, W_r, W_h = np.split(W, 3, axis=1)
    U_z, U_r, U_h = np.split(U, 3, axis=1)
    b_in, b_state = b if reset_after else (b, np.zeros_like(b))
    (bi_z, bi_r, bi_h), (bs_z, bs_r, bs_h) = np.split(b_in, 3), np.split(b_state, 3)
    states = []
    for t in range(x.shape[1]):
        z = sigmoid(x[:, t] @ W_z + bi_z + h @ U_z + bs_z)
        r = sigmoid(x[:, t] @ W_r + bi_r + h @ U_r + bs_r)
        recurrent = r * (h @ U_h + bs_h) if reset_after else (r * h) @ U_h
        candidate = np.tanh(x[:, t] @ W_h + bi_h + recurrent)
        h = (1 - z) * h + z * candidate if update_gate == "write" else z * h + (1 - z) * candidate
        states.append(h)
        if gates is not None:
            gates.append((z, r, candidate))
    return np.stack(states, axis=1)


def torch_gru(x, state, suffix="l0"):
    """torch.nn.GRU by the formulas of its documentation, from its state dict, in float64."""
    W, U = (np.float64(state[f"weight_{kind}_{suffix}"]) for kind in ("ih", "hh"))
    b, c = (np.float64(state.get(f"bias_{k}_{suffix}", np.zeros(len(U)))) for k in ("ih", "hh"))
    (W_r, W_z, W_n), (U_r, U_z, U_n) = np.split(W, 3), np.split(U, 3)
    (b_r, b_z, b_n), (c_r, c_z, c_n) = np.split(b, 3), np.split(c, 3)
    h = np.zeros((len(x), U.shape[1]))
    for t in range(x.shape[1]):
        r = sigmoid(x[:, t] @ W_r.T + b_r + h @ U_r.T + c_r)
        z = sigmoid(x[:, t] @ W_z.T + b_z + h @ U_z.T + c_z)
        n = np.tanh(x[:, t] @ W_n.T + b_n + r * (h @ U_n.T + c_n))
        h = (1 - z) * n + z * h
    return h


def randomized(layer, sequences, rng):
    layer(sequences)
    layer.set_weights([rng.normal(size=w.shape) * 0.5 for w in layer.get_weights()])
    return layer


def results(layer, sequences, **arguments):
    """Outputs of a layer, and the gradients of their sine by sequences and weights."""
    sequences = tf.convert_to_tensor(sequences)
    with tf.GradientTape() as tape:
        tape.watch(sequences)
        outputs = layer(sequences, **arguments)
        outputs = list(outputs) if isinstance(outputs, tuple) else [outputs]
        loss = sum(tf.reduce_sum(tf.sin(output)) for output in outputs)
    return outputs + tape.gradient(loss, [sequences, *layer.trainable_variables])


def assert_same(found, expected, atol=1e-5):
    assert len(found) == len(expected)
    for one, other in zip(found, expected, strict=True):
        np.testing.assert_allclose(one, other, atol=atol)
