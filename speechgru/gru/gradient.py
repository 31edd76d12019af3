"""The GRU's loop over time with a fused, hand-written gradient (backpropagation through time).

TensorFlow can differentiate the loop in gru.py and computes the same numbers, but more slowly. This
module is faster for four reasons; docs/performance.md has the measurements:

- The backward loop computes only what depends on the following step.
- The gradient of each weight matrix is one product over all steps.
- The backward loop reads what the forward loop saved, without copying it.
- On a CPU the batch is split into halves. Their loops run on two cores at the same time.

Names: W, U and b are the weights. a_z, a_r and a_h are the arguments of the two sigmoids and of the
tanh. d_x is the gradient of the loss with respect to x.
"""

from functools import partial
from typing import Any, NamedTuple, TypeAlias

import tensorflow as tf

from speechgru.gru.device import runs_on_gpu

Tensor: TypeAlias = Any  # TensorFlow has no types

# TensorFlow computes a matrix product of this size or a smaller one on one core, so halves of the
# batch keep two cores busy. Half of a smaller batch does not pay for its overhead.
SMALLEST_BATCH_TO_HALVE = 32


class Weights(NamedTuple):
    """The weights of a cell as tensors; see `GRUCell.project` and `GRUCell.step`."""

    W: Tensor  # (features, 3 * units)
    b: Tensor  # (3 * units,)
    U: Tensor  # (units, 3 * units)
    b_candidate: Tensor = None  # (units,), or None


class ForwardPass(NamedTuple):
    """What the forward pass saves for the gradient. Each array has one (batch, units) per step."""

    x: Tensor  # inputs of all steps as rows, (steps * batch, features)
    h_0: Tensor  # initial state, (batch, units)
    states: tf.TensorArray  # h_0 to h_T, one more than there are steps
    z: tf.TensorArray
    r: tf.TensorArray
    candidate: tf.TensorArray
    recurrent_candidate: tf.TensorArray  # see `GRUCell.step`


class StepGradients(NamedTuple):
    """Gradients of all steps as rows, each (steps * batch, units)."""

    a_z: Tensor
    a_r: Tensor
    a_h: Tensor
    product: Tensor  # with respect to the candidate's product with U_h


def gru_with_fused_gradient(
    cell: Any, sequences: Tensor, h: Tensor, return_sequences: bool
) -> Tensor:
    """Run a GRU with tanh and sigmoid over sequences, for training.

    Call it inside a graph. In eager mode nothing runs in parallel and the plain loop is as fast.

    Args:
        cell: built `GRUCell`, without dropout.
        sequences: float, shape (batch, steps, features).
        h: initial state, shape (batch, units).
        return_sequences: whether to return every state instead of the last one.

    Returns:
        float, shape (batch, steps, units) or (batch, units). It has a first derivative; the second
        derivative raises NotImplementedError.
    """
    W = tf.convert_to_tensor(cell.kernel)
    bias = cell.input_bias()
    b = tf.zeros_like(W[0]) if bias is None else tf.convert_to_tensor(bias)
    weights = [W, b, *(w for w in cell.recurrent_weights() if w is not None)]
    run = _differentiable_loop(cell, return_sequences)

    sequences = tf.ensure_shape(sequences, (None, None, W.shape[0]))
    batch = sequences.shape[0]
    is_small = batch is not None and batch < SMALLEST_BATCH_TO_HALVE
    if is_small or runs_on_gpu():
        return run(sequences, h, *weights)
    batch = batch or tf.shape(sequences)[0]
    sizes = [batch // 2, batch - batch // 2]
    halves = zip(tf.split(sequences, sizes), tf.split(h, sizes), strict=True)
    return tf.concat([run(part, state, *weights) for part, state in halves], axis=0)


def _differentiable_loop(cell: Any, return_sequences: bool) -> Any:
    """The forward pass as a function of tensors, with the gradient of this module attached."""

    @tf.custom_gradient  # type: ignore[untyped-decorator]
    def run(sequences: Tensor, h: Tensor, *tensors: Tensor) -> Any:
        weights = Weights(*tensors)
        last, saved = _forward_pass(cell, sequences, h, weights)

        def gradient(d_output: Tensor) -> Any:
            backward = partial(_backward_pass, cell, return_sequences, sequences, weights, saved)
            # The gradient may arrive as sparse slices.
            return _differentiable_once(backward)(tf.convert_to_tensor(d_output))

        if return_sequences:
            return tf.transpose(saved.states.stack()[1:], (1, 0, 2)), gradient
        return last, gradient

    return run


def _differentiable_once(function: Any) -> Any:
    """A function of one tensor whose own gradient raises NotImplementedError."""

    @tf.custom_gradient  # type: ignore[untyped-decorator]
    def run(tensor: Tensor) -> Any:
        return function(tensor), _no_second_derivative

    return run


def _no_second_derivative(*_: Tensor) -> None:
    raise NotImplementedError(
        "speechgru.GRU has no second derivative when it is called with training=True in a graph. "
        "Call the layer with training=False: TensorFlow can differentiate that loop repeatedly."
    )


def _forward_pass(
    cell: Any, sequences: Tensor, h: Tensor, weights: Weights
) -> tuple[Tensor, ForwardPass]:
    """The last state, and what the gradient needs."""
    n = cell.units
    W, b, U, b_candidate = weights
    batch, steps, _ = _sizes(sequences)
    x = _rows(tf.transpose(sequences, (1, 0, 2)))
    # Two products with parts of W, so that no step has to slice its input.
    x_zr = tf.reshape(tf.matmul(x, W[:, : 2 * n]) + b[: 2 * n], (steps, batch, 2 * n))
    x_h = tf.reshape(tf.matmul(x, W[:, 2 * n :]) + b[2 * n :], (steps, batch, n))
    last, states, gates = _forward_loop(cell, x_zr, x_h, h, U, b_candidate, steps)
    return last, ForwardPass(x, h, states, *gates)


def _forward_loop(
    cell: Any,
    x_zr: Tensor,
    x_h: Tensor,
    h: Tensor,
    U: Tensor,
    b_candidate: Tensor,
    steps: int | Tensor,
) -> tuple[Tensor, tf.TensorArray, tuple[tf.TensorArray, ...]]:
    """The last state, all states, and arrays of z, r, candidate and recurrent candidate."""

    def step(t: Tensor, h: Tensor, states: Any, gates: Any) -> tuple[Any, ...]:
        h, values = cell.step(x_zr[t], x_h[t], h, U, b_candidate)
        gates = tuple(array.write(t, v) for array, v in zip(gates, values, strict=True))
        return t + 1, h, states.write(t + 1, h), gates

    shape = x_h.shape[1:]
    states = _array(h.dtype, shape, steps + 1).write(0, h)
    gates = tuple(_array(h.dtype, shape, steps) for _ in range(4))
    _, last, states, gates = tf.while_loop(
        lambda t, *_: t < steps, step, (0, h, states, gates), maximum_iterations=steps
    )
    return last, states, gates


def _backward_pass(
    cell: Any,
    return_sequences: bool,
    sequences: Tensor,
    weights: Weights,
    saved: ForwardPass,
    d_output: Tensor,
) -> tuple[Tensor, ...]:
    """Gradients by sequences, initial state and each weight, in this order."""
    batch, steps, features = _sizes(sequences)
    if return_sequences:
        d_states, d_h = tf.transpose(d_output, (1, 0, 2)), tf.zeros_like(saved.h_0)
    else:
        d_states, d_h = None, d_output
    d_h, d = _backward_loop(cell, weights.U, saved, d_states, d_h, steps)
    d_weights = _weight_gradients(cell, saved, d)
    # a = W x + ..., so d_x = d_a W^T
    WT_z, WT_r, WT_h = tf.split(tf.transpose(weights.W), 3)
    d_x = tf.matmul(d.a_z, WT_z) + tf.matmul(d.a_r, WT_r) + tf.matmul(d.a_h, WT_h)
    d_x = tf.transpose(tf.reshape(d_x, (steps, batch, features)), (1, 0, 2))
    return d_x, d_h, *(d_weights[:3] if weights.b_candidate is None else d_weights)


def _backward_loop(
    cell: Any,
    U: Tensor,
    saved: ForwardPass,
    d_states: Tensor | None,
    d_h: Tensor,
    steps: int | Tensor,
) -> tuple[Tensor, StepGradients]:
    """From the last step to the first: the gradient by the initial state, and those of all steps.

    Args:
        cell, U, saved, steps: those of the forward pass.
        d_states: gradient of the output at each step, (steps, batch, units), or None.
        d_h: gradient of the last state, (batch, units).
    """
    UT = tf.split(tf.transpose(U), 3)

    def step(t: Tensor, d_h: Tensor, arrays: Any) -> tuple[Any, ...]:
        if d_states is not None:
            d_h += d_states[t]
        h, *gates = (array.read(t) for array in saved[2:])
        d_h, gradients = _backward_step(cell, UT, h, gates, d_h)
        written = zip(arrays, gradients[: len(arrays)], strict=True)
        return t - 1, d_h, tuple(array.write(t, gradient) for array, gradient in written)

    # With the reset gate before the product, a_h = x_h + product: both have the same gradient.
    count = 4 if cell.reset_after else 3
    arrays = tuple(_array(saved.h_0.dtype, saved.z.element_shape, steps) for _ in range(count))
    _, d_h, arrays = tf.while_loop(
        lambda t, *_: t >= 0, step, (steps - 1, d_h, arrays), maximum_iterations=steps
    )
    d_a_z, d_a_r, d_a_h, *d_product = (_rows(array.stack()) for array in arrays)
    return d_h, StepGradients(d_a_z, d_a_r, d_a_h, d_product[0] if d_product else d_a_h)


def _backward_step(
    cell: Any, UT: list[Tensor], h: Tensor, gates: list[Tensor], d_h: Tensor
) -> tuple[Tensor, StepGradients]:
    """One step of the backward loop: the gradient by h_{t-1} from the gradient by h_t.

    Args:
        cell: `GRUCell`.
        UT: the transposed recurrent weights of z, r and h.
        h: h_{t-1}, shape (batch, units), as all other tensors of the step.
        gates: z_t, r_t, h~_t and the recurrent candidate; see `GRUCell.step`.
        d_h: gradient by h_t.
    """
    z, r, candidate, recurrent_candidate = gates
    UT_z, UT_r, UT_h = UT
    if cell.update_gate == "keep":  # h_t = z * h_{t-1} + (1 - z) * h~
        d_h_kept = d_h * z
        d_candidate = d_h - d_h_kept
        d_z = d_h * (h - candidate)
    else:  # h_t = (1 - z) * h_{t-1} + z * h~
        d_candidate = d_h * z
        d_h_kept = d_h - d_candidate
        d_z = d_h * (candidate - h)
    d_a_h = tf.raw_ops.TanhGrad(y=candidate, dy=d_candidate)
    d_a_z = tf.raw_ops.SigmoidGrad(y=z, dy=d_z)
    if cell.reset_after:  # a_h = x_h + r * (U_h h_{t-1} + b')
        d_product = d_a_h * r
        d_a_r = tf.raw_ops.SigmoidGrad(y=r, dy=d_a_h * recurrent_candidate)
        d_h_reset = tf.matmul(d_product, UT_h)
    else:  # a_h = x_h + U_h (r * h_{t-1})
        d_product = d_a_h
        d_reset_state = tf.matmul(d_product, UT_h)
        d_a_r = tf.raw_ops.SigmoidGrad(y=r, dy=d_reset_state * h)
        d_h_reset = d_reset_state * r
    # a_z = x_z + U_z h_{t-1}, a_r = x_r + U_r h_{t-1}
    d_h = d_h_kept + d_h_reset + tf.matmul(d_a_z, UT_z) + tf.matmul(d_a_r, UT_r)
    return d_h, StepGradients(d_a_z, d_a_r, d_a_h, d_product)


def _weight_gradients(cell: Any, saved: ForwardPass, d: StepGradients) -> Weights:
    """Gradients of the weights, each from one product over all steps."""
    n = cell.units
    h = _rows(saved.states.stack()[:-1])  # h_{t-1} of every step
    # a_z = W_z x + U_z h: one product gives the gradients of U_z and W_z. Likewise for r.
    h_and_x = tf.concat([h, saved.x], axis=1)
    d_UW_z = tf.matmul(h_and_x, d.a_z, transpose_a=True)
    d_UW_r = tf.matmul(h_and_x, d.a_r, transpose_a=True)
    d_W_h = tf.matmul(saved.x, d.a_h, transpose_a=True)
    reset_h = h if cell.reset_after else _rows(saved.r.stack()) * h
    d_U_h = tf.matmul(reset_h, d.product, transpose_a=True)
    return Weights(
        W=tf.concat([d_UW_z[n:], d_UW_r[n:], d_W_h], axis=1),
        b=tf.concat([tf.reduce_sum(g, axis=0) for g in (d.a_z, d.a_r, d.a_h)], axis=0),
        U=tf.concat([d_UW_z[:n], d_UW_r[:n], d_U_h], axis=1),
        b_candidate=tf.reduce_sum(d.product, axis=0),
    )


def _sizes(sequences: Tensor) -> tuple[int | Tensor, ...]:
    """batch, steps and features; as scalar tensors where they are unknown in the graph."""
    shape = sequences.shape
    return tuple(shape[axis] or tf.shape(sequences)[axis] for axis in range(3))


def _rows(values: Tensor) -> Tensor:
    """Shape (steps, batch, k) as (steps * batch, k)."""
    return tf.reshape(values, (-1, values.shape[-1]))


def _array(dtype: Any, shape: Any, size: int | Tensor) -> tf.TensorArray:
    """An array of `size` tensors of one shape, which can be read more than once."""
    return tf.TensorArray(dtype, size=size, element_shape=shape, clear_after_read=False)
