"""The gated recurrent unit of Cho et al. 2014 (arXiv:1406.1078) and Chung et al. 2014
(arXiv:1412.3555) as Keras layers.

    z_t  = sigmoid(W_z [h_{t-1}, x_t])            update gate
    r_t  = sigmoid(W_r [h_{t-1}, x_t])            reset gate
    h~_t = tanh(W_h [r_t * h_{t-1}, x_t])         candidate state
    h_t  = blend of h_{t-1} and h~_t by z_t

Two readings of z_t are in use, and `update_gate` names them:

    "write"   h_t = (1 - z_t) * h_{t-1} + z_t * h~_t      Chung 2014, section 3.2
    "keep"    h_t = z_t * h_{t-1} + (1 - z_t) * h~_t      Cho 2014, section 2.3;
                                                          Keras, PyTorch and cuDNN

With `reset_after=True` the reset gate acts on the state after its product with the recurrent
weights, ``h~_t = tanh(W x_t + b + r_t * (U h_{t-1} + b'))``, which lets one product serve all
three gates (cuDNN's form); with False it acts before, as both papers have it.
"""

from typing import Any, Literal

import keras
import tensorflow as tf

UpdateGate = Literal["keep", "write"]


@keras.saving.register_keras_serializable(package="speechgru")
class GRUCell(keras.layers.GRUCell):
    """One step of the GRU. Weights, their order (z, r, h) and shapes are those of Keras's cell.

    Args:
        units: size of the state.
        update_gate: "keep" (z near 1 keeps the old state) or "write" (z near 1 writes the
            candidate). Default "keep".
        reset_after: whether the reset gate acts after the recurrent product. Default True.
        **kwargs: every other argument of ``keras.layers.GRUCell``.

    Call arguments:
        inputs: float, shape (batch, features).
        states: float, shape (batch, units), or a list of one such tensor.

    Returns:
        h_t of shape (batch, units), and the new state in the form in which it came.

    Raises:
        ValueError: an argument is out of its range.
    """

    def __init__(
        self,
        units: int,
        *,
        update_gate: UpdateGate = "keep",
        reset_after: bool = True,
        **kwargs: Any,
    ) -> None:
        if update_gate not in ("keep", "write"):
            raise ValueError(
                f'`update_gate` must be "keep" or "write". Received: update_gate={update_gate!r}'
            )
        super().__init__(units, reset_after=reset_after, **kwargs)
        self.update_gate = update_gate
        # One recurrent dropout mask serves all three gates (Gal 2016), as one product does.
        if hasattr(self, "dropout_mask_count"):
            del self.dropout_mask_count

    def call(self, inputs: Any, states: Any, training: bool = False) -> tuple[Any, Any]:
        nested = isinstance(states, list | tuple)
        h = states[0] if nested else states
        if training and self.dropout:
            inputs = inputs * self.get_dropout_mask(inputs)
        h_in = h
        if training and self.recurrent_dropout:
            h_in = h * self.get_recurrent_dropout_mask(h)
        h = self.step(self.project(inputs), h, h_in, *self.recurrent_weights())
        return h, [h] if nested else h

    def project(self, inputs: Any) -> Any:
        """The part of all three gates that does not depend on the state: W x + b.

        Args:
            inputs: float, shape (..., features).

        Returns:
            float, shape (..., 3 * units): x_z, x_r, x_h side by side.
        """
        x = tf.matmul(inputs, tf.convert_to_tensor(self.kernel))
        if self.bias is None:
            return x
        return x + (self.bias[0] if self.reset_after else self.bias)

    def recurrent_weights(self) -> tuple[Any, Any]:
        """U and its bias (or None) as tensors; a loop reads them once, before its first step."""
        bias = self.bias[1] if self.reset_after and self.bias is not None else None
        return tf.convert_to_tensor(self.recurrent_kernel), bias

    def step(self, x: Any, h: Any, h_in: Any, U: Any, b: Any) -> Any:
        """The next state.

        Args:
            x: projected input of this step, shape (batch, 3 * units), from `project`.
            h: the state before this step, shape (batch, units).
            h_in: the state as the gates see it: h itself, or h under dropout.
            U: recurrent weights, shape (units, 3 * units).
            b: bias of the recurrent product, shape (3 * units,), or None.

        Returns:
            float, shape (batch, units).
        """
        sigmoid, tanh = self.recurrent_activation, self.activation
        n = self.units
        if self.reset_after:
            u = tf.matmul(h_in, U)
            if b is not None:
                u += b
            zr = sigmoid(x[:, : 2 * n] + u[:, : 2 * n])
            z, r = zr[:, :n], zr[:, n:]
            candidate = tanh(x[:, 2 * n :] + r * u[:, 2 * n :])
        else:
            zr = sigmoid(x[:, : 2 * n] + tf.matmul(h_in, U[:, : 2 * n]))
            z, r = zr[:, :n], zr[:, n:]
            candidate = tanh(x[:, 2 * n :] + tf.matmul(r * h_in, U[:, 2 * n :]))
        if self.update_gate == "write":
            return (1 - z) * h + z * candidate
        return z * h + (1 - z) * candidate

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "update_gate": self.update_gate}


@keras.saving.register_keras_serializable(package="speechgru")
class GRU(keras.layers.RNN):
    """GRU over a sequence.

    Args:
        units: size of the state.
        update_gate: "keep" or "write"; see `GRUCell`. Default "keep".
        reset_after: see `GRUCell`. Default True.
        return_sequences: whether to return the state of every step instead of the last. Default
            False.
        return_state: whether to return the last state as well. Default False.
        go_backwards: whether to read the sequence from its end. Default False.
        stateful: whether the last state is the next batch's first. Default False.
        unroll: whether to unroll the loop over time. Default False.
        **kwargs: arguments of ``keras.layers.GRUCell`` (activations, initializers, dropout, ...)
            and of ``keras.layers.Layer``.

    Call arguments:
        sequences: float, shape (batch, steps, features).
        initial_state: float, shape (batch, units), or a list of one such tensor. Default zeros.
        mask: bool, shape (batch, steps); masked steps keep the state. Default None.
        training: whether dropout acts. Default False.

    Returns:
        float, shape (batch, steps, units) with `return_sequences`, else (batch, units); with
        `return_state` followed by the last state, shape (batch, units).

    Example:

    >>> speechgru.GRU(4, update_gate="write")(np.zeros((2, 50, 40), "float32")).shape
    TensorShape([2, 4])
    """

    def __init__(
        self,
        units: int,
        *,
        update_gate: UpdateGate = "keep",
        reset_after: bool = True,
        return_sequences: bool = False,
        return_state: bool = False,
        go_backwards: bool = False,
        stateful: bool = False,
        unroll: bool = False,
        zero_output_for_mask: bool = False,
        **kwargs: Any,
    ) -> None:
        layer_kwargs = {
            name: kwargs.pop(name)
            for name in ("name", "trainable", "activity_regularizer")
            if name in kwargs
        }
        dtype = kwargs.get("dtype")
        cell = GRUCell(
            units, update_gate=update_gate, reset_after=reset_after, name="gru_cell", **kwargs
        )
        super().__init__(
            cell,
            return_sequences=return_sequences,
            return_state=return_state,
            go_backwards=go_backwards,
            stateful=stateful,
            unroll=unroll,
            zero_output_for_mask=zero_output_for_mask,
            dtype=dtype,
            **layer_kwargs,
        )

    def inner_loop(
        self, sequences: Any, initial_state: Any, mask: Any, training: bool = False
    ) -> tuple[Any, Any, list[Any]]:
        cell = self.cell
        dropout = training and (cell.dropout or cell.recurrent_dropout)
        if mask is not None or self.unroll or dropout:
            return super().inner_loop(sequences, initial_state, mask, training)  # type: ignore[no-any-return]

        # The input's share of the gates needs no state: one large product before the loop.
        x = tf.transpose(cell.project(sequences), (1, 0, 2))
        if self.go_backwards:
            x = tf.reverse(x, axis=[0])
        steps = x.shape[0] or tf.shape(x)[0]
        x = tf.TensorArray(x.dtype, size=steps).unstack(x)
        h = initial_state[0]
        weights = cell.recurrent_weights()
        if not self.return_sequences:
            _, h = tf.while_loop(
                lambda t, h: t < steps,
                lambda t, h: (t + 1, cell.step(x.read(t), h, h, *weights)),
                (0, h),
                maximum_iterations=steps,
            )
            return h, h[:, None], [h]

        def body(t: Any, h: Any, outputs: Any) -> tuple[Any, Any, Any]:
            h = cell.step(x.read(t), h, h, *weights)
            return t + 1, h, outputs.write(t, h)

        outputs = tf.TensorArray(h.dtype, size=steps, element_shape=h.shape)
        _, h, outputs = tf.while_loop(
            lambda t, *_: t < steps, body, (0, h, outputs), maximum_iterations=steps
        )
        return h, tf.transpose(outputs.stack(), (1, 0, 2)), [h]

    def get_config(self) -> dict[str, Any]:
        config = super().get_config()
        cell = self.cell.get_config()
        del config["cell"], cell["name"], cell["trainable"], cell["dtype"]
        return {**config, **cell}

    @classmethod
    def from_config(cls, config: dict[str, Any], custom_objects: Any = None) -> "GRU":
        return cls(**config)
