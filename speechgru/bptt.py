"""The GRU's loop over time with its gradient written out (backpropagation through time).

The same numbers come from differentiating the loop of gru.py, but not as fast. Writing the
gradient out leaves in the backward loop only what needs the step after it. The gradients of the
weights are then one product each over all steps, and every step reads what the forward loop kept,
without copies. On a CPU the halves of a batch are two loops that two cores run side by side.
docs/performance.md has the measurements behind each of these.
"""

from typing import Any

import tensorflow as tf

# A matrix product of this size and below runs on one core in TensorFlow, so the batch is halved
# to keep two cores busy; half of a smaller batch is not worth its overhead.
SMALLEST_BATCH_TO_HALVE = 32


def gru(cell: Any, sequences: Any, h: Any, return_sequences: bool) -> Any:
    """States of a GRU with tanh and sigmoid, for training.

    Args:
        cell: built `GRUCell`, no dropout.
        sequences: float, shape (batch, steps, features).
        h: first state, shape (batch, units).
        return_sequences: whether to return every state instead of the last.

    Returns:
        float, shape (batch, steps, units) or (batch, units). Differentiable once; the second
        derivative raises NotImplementedError. For use in a graph: outside of one there is nothing
        to run side by side, and the plain loop is as fast.
    """
    bias = cell.input_bias()
    W = tf.convert_to_tensor(cell.kernel)
    weights = [W, tf.zeros_like(W[0]) if bias is None else tf.convert_to_tensor(bias)]
    weights += [w for w in cell.recurrent_weights() if w is not None]
    run = _differentiable(cell, return_sequences)

    sequences = tf.ensure_shape(sequences, (None, None, W.shape[0]))
    batch = sequences.shape[0]
    gpu = tf.config.list_logical_devices("GPU")
    if gpu or (batch is not None and batch < SMALLEST_BATCH_TO_HALVE):
        return run(sequences, h, *weights)
    batch = batch or tf.shape(sequences)[0]
    sizes = [batch // 2, batch - batch // 2]
    halves = zip(tf.split(sequences, sizes), tf.split(h, sizes), strict=True)
    return tf.concat([run(part, h, *weights) for part, h in halves], axis=0)


def _differentiable(cell: Any, return_sequences: bool) -> Any:
    n = cell.units

    @tf.custom_gradient  # type: ignore[untyped-decorator]
    def run(sequences: Any, h: Any, W: Any, b: Any, U: Any, *b_state: Any) -> Any:
        batch, steps, features = (
            known or tf.shape(sequences)[axis] for axis, known in enumerate(sequences.shape)
        )
        dtype = sequences.dtype

        def array(size: Any) -> Any:
            shape = (sequences.shape[0], n)
            return tf.TensorArray(dtype, size=size, element_shape=shape, clear_after_read=False)

        def flat(values: Any) -> Any:  # (steps, batch, k) -> (steps * batch, k)
            return tf.reshape(values, (-1, values.shape[-1]))

        # Forward. Products with two parts of W, so that no step has to cut its input up.
        x = flat(tf.transpose(sequences, (1, 0, 2)))
        x_zr = tf.reshape(tf.matmul(x, W[:, : 2 * n]) + b[: 2 * n], (steps, batch, 2 * n))
        x_h = tf.reshape(tf.matmul(x, W[:, 2 * n :]) + b[2 * n :], (steps, batch, n))

        def forward(t: Any, h: Any, states: Any, kept: Any) -> tuple[Any, ...]:
            h, values = cell.step(x_zr[t], x_h[t], h, U, *b_state)
            kept = tuple(a.write(t, v) for a, v in zip(kept, values, strict=True))
            return t + 1, h, states.write(t + 1, h), kept

        states = array(steps + 1).write(0, h)
        kept = tuple(array(steps) for _ in ("z", "r", "candidate", "past"))
        _, last, states, kept = tf.while_loop(
            lambda t, *_: t < steps, forward, (0, h, states, kept), maximum_iterations=steps
        )

        def gradient(d_out: Any) -> Any:
            return written_out(tf.convert_to_tensor(d_out))  # it may be sparse

        @tf.custom_gradient  # type: ignore[untyped-decorator]
        def written_out(d_out: Any) -> Any:
            UT_z, UT_r, UT_h = tf.split(tf.transpose(U), 3)
            d_states = tf.transpose(d_out, (1, 0, 2)) if return_sequences else None

            # a_z, a_r and a_h are the arguments of the sigmoids and the tanh; d_ is the gradient.
            def backward(t: Any, d_h: Any, arrays: Any) -> tuple[Any, ...]:
                if d_states is not None:
                    d_h += d_states[t]
                h = states.read(t)
                z, r, candidate, past = (a.read(t) for a in kept)
                if cell.update_gate == "keep":
                    through, away = d_h * z, h - candidate
                    written = d_h - through
                else:
                    written, away = d_h * z, candidate - h
                    through = d_h - written
                d_a_h = tf.raw_ops.TanhGrad(y=candidate, dy=written)
                d_a_z = tf.raw_ops.SigmoidGrad(y=z, dy=d_h * away)
                if cell.reset_after:  # a_h = x_h + r * (U_h h + b')
                    d_u = d_a_h * r
                    d_a_r = tf.raw_ops.SigmoidGrad(y=r, dy=d_a_h * past)
                    through += tf.matmul(d_u, UT_h)
                else:  # a_h = x_h + U_h (r * h)
                    d_u = tf.matmul(d_a_h, UT_h)
                    d_a_r = tf.raw_ops.SigmoidGrad(y=r, dy=d_u * h)
                    through += d_u * r
                d_h = through + tf.matmul(d_a_z, UT_z) + tf.matmul(d_a_r, UT_r)
                values = (d_a_z, d_a_r, d_a_h, d_u)
                written_arrays = zip(arrays, values, strict=False)
                return t - 1, d_h, tuple(a.write(t, v) for a, v in written_arrays)

            names = ("a_z", "a_r", "a_h", "u") if cell.reset_after else ("a_z", "a_r", "a_h")
            _, d_h, arrays = tf.while_loop(
                lambda t, *_: t >= 0,
                backward,
                (
                    steps - 1,
                    tf.zeros_like(h) if return_sequences else d_out,
                    tuple(array(steps) for _ in names),
                ),
                maximum_iterations=steps,
            )
            d_a_z, d_a_r, d_a_h, *rest = (flat(a.stack()) for a in arrays)

            # The weights' gradients: one product over all steps, for h and x side by side.
            before = flat(states.stack()[:-1])
            both = tf.concat([before, x], axis=1)
            d_z, d_r = (tf.matmul(both, d, transpose_a=True) for d in (d_a_z, d_a_r))
            if cell.reset_after:
                d_u, reset = rest[0], before
            else:
                d_u, reset = d_a_h, flat(kept[1].stack()) * before
            d_U_h = tf.matmul(reset, d_u, transpose_a=True)
            d_W_h = tf.matmul(x, d_a_h, transpose_a=True)
            d_U = tf.concat([d_z[:n], d_r[:n], d_U_h], axis=1)
            d_W = tf.concat([d_z[n:], d_r[n:], d_W_h], axis=1)
            d_b_z, d_b_r, d_b_h = (tf.reduce_sum(d, axis=0) for d in (d_a_z, d_a_r, d_a_h))
            d_b = tf.concat([d_b_z, d_b_r, d_b_h], axis=0)
            d_b_state = [tf.reduce_sum(d_u, axis=0)]

            WT_z, WT_r, WT_h = tf.split(tf.transpose(W), 3)
            d_x = tf.matmul(d_a_z, WT_z) + tf.matmul(d_a_r, WT_r) + tf.matmul(d_a_h, WT_h)
            d_x = tf.transpose(tf.reshape(d_x, (steps, batch, features)), (1, 0, 2))
            return (d_x, d_h, d_W, d_b, d_U, *d_b_state[: len(b_state)]), _no_second_derivative

        found = tf.transpose(states.stack()[1:], (1, 0, 2)) if return_sequences else last
        return found, gradient

    return run


def _no_second_derivative(*_: Any) -> Any:
    raise NotImplementedError(
        "The second derivative of speechgru.GRU is not written out. Call the layer with "
        "training=False, whose loop TensorFlow differentiates as often as wanted."
    )
