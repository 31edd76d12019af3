"""One step of the gated recurrent unit as a Keras layer. The formulas are in gru.py."""

from typing import Any

import keras
import numpy as np
import tensorflow as tf

from speechgru.gru.arguments import (
    Activation,
    Constraint,
    Initializer,
    Regularizer,
    Shape,
    Tensor,
    UpdateGate,
    check_features,
    check_rate,
    check_shape,
    check_tensor,
    only_tensor,
)


@keras.saving.register_keras_serializable(package="speechgru")
class GRUCell(keras.layers.GRUCell):
    """One step of the GRU. Weights, their order (z, r, h) and shapes are those of Keras's cell.

    The arguments are those of ``keras.layers.GRUCell``, in the same order, and `update_gate`.

    Args:
        units: size of the state.
        activation: activation of the candidate. None: no activation. Default "tanh".
        recurrent_activation: activation of both gates. Default "sigmoid".
        use_bias: whether the cell has biases. Default True.
        kernel_initializer: initializer of W. Default "glorot_uniform".
        recurrent_initializer: initializer of U. Default "orthogonal".
        bias_initializer: initializer of the biases. Default "zeros".
        kernel_regularizer: regularizer of W. Default None.
        recurrent_regularizer: regularizer of U. Default None.
        bias_regularizer: regularizer of the biases. Default None.
        kernel_constraint: constraint on W. Default None.
        recurrent_constraint: constraint on U. Default None.
        bias_constraint: constraint on the biases. Default None.
        dropout: fraction of the inputs to drop in training, in [0, 1]. Default 0.
        recurrent_dropout: fraction of the state to drop in training, in [0, 1]. Default 0.
        reset_after: whether to apply the reset gate after the product with U_h. Default True.
        seed: random seed of dropout. Default None: a random one.
        update_gate: "keep" (z near 1 keeps the old state) or "write" (z near 1 writes the
            candidate). Default "keep".
        **kwargs: `implementation` (1 draws a dropout mask for each gate, 2 one for all; default
            2), and arguments of ``keras.layers.Layer``.

    Call arguments:
        inputs: float, shape (batch, features).
        states: float, shape (batch, units), or a list of one such tensor.
        training: whether to apply dropout. Default False.

    Returns:
        h_t of shape (batch, units), and the new state: a list if `states` is a list.

    Raises:
        ValueError: an argument is out of its range, or a shape does not fit.
    """

    def __init__(
        self,
        units: int,
        activation: Activation = "tanh",
        recurrent_activation: Activation = "sigmoid",
        use_bias: bool = True,
        kernel_initializer: Initializer = "glorot_uniform",
        recurrent_initializer: Initializer = "orthogonal",
        bias_initializer: Initializer = "zeros",
        kernel_regularizer: Regularizer = None,
        recurrent_regularizer: Regularizer = None,
        bias_regularizer: Regularizer = None,
        kernel_constraint: Constraint = None,
        recurrent_constraint: Constraint = None,
        bias_constraint: Constraint = None,
        dropout: float = 0.0,
        recurrent_dropout: float = 0.0,
        reset_after: bool = True,
        seed: int | None = None,
        *,
        update_gate: UpdateGate = "keep",
        **kwargs: Any,
    ) -> None:
        if isinstance(units, bool) or not isinstance(units, int | np.integer) or units < 1:
            raise ValueError(f"`units` must be a positive integer. Received: units={units!r}")
        if update_gate not in ("keep", "write"):
            raise ValueError(
                f'`update_gate` must be "keep" or "write". Received: update_gate={update_gate!r}'
            )
        check_rate("dropout", dropout)
        check_rate("recurrent_dropout", recurrent_dropout)
        super().__init__(
            int(units),
            activation=activation,
            recurrent_activation=recurrent_activation,
            use_bias=use_bias,
            kernel_initializer=kernel_initializer,
            recurrent_initializer=recurrent_initializer,
            bias_initializer=bias_initializer,
            kernel_regularizer=kernel_regularizer,
            recurrent_regularizer=recurrent_regularizer,
            bias_regularizer=bias_regularizer,
            kernel_constraint=kernel_constraint,
            recurrent_constraint=recurrent_constraint,
            bias_constraint=bias_constraint,
            dropout=dropout,
            recurrent_dropout=recurrent_dropout,
            reset_after=reset_after,
            seed=seed,
            **kwargs,
        )
        self.update_gate = update_gate

    def build(self, input_shape: Shape) -> None:
        check_shape("inputs", input_shape, "(batch, features)", (None, None))
        check_features("inputs", input_shape)
        super().build(input_shape)

    def call(
        self, inputs: Tensor, states: Tensor | list[Tensor], training: bool = False
    ) -> tuple[Tensor, Tensor | list[Tensor]]:
        h = only_tensor("states", states)
        features = self.kernel.shape[0]
        check_tensor("inputs", inputs, f"(batch, {features})", (None, features))
        check_tensor("states", h, f"(batch, {self.units})", (inputs.shape[0], self.units))
        inputs, h = (tf.cast(tensor, self.compute_dtype) for tensor in (inputs, h))
        dropout = self.dropout_masks(inputs) if training else None
        recurrent_dropout = self.recurrent_dropout_masks(h) if training else None
        x_zr, x_h = self.split(self.project(inputs, dropout))
        U, b_candidate = self.recurrent_weights()
        h, _ = self.step(x_zr, x_h, h, U, b_candidate, recurrent_dropout)
        return h, [h] if isinstance(states, list | tuple) else h

    def step(
        self,
        x_zr: Tensor,
        x_h: Tensor,
        h: Tensor,
        U: Tensor,
        b_candidate: Tensor | None = None,
        masks: list[Tensor] | None = None,
    ) -> tuple[Tensor, tuple[Tensor, Tensor, Tensor, Tensor]]:
        """Compute the next state from the projected input and the last state.

        Args:
            x_zr: W x_t + b + b' of the update and the reset gate, shape (batch, 2 * units).
            x_h: W x_t + b of the candidate, shape (batch, units).
            h: h_{t-1}, shape (batch, units).
            U: recurrent weights, shape (units, 3 * units).
            b_candidate: b' of the candidate, shape (units,). Default None.
            masks: recurrent dropout of z, r and h, three of shape (batch, units). Default None.

        Returns:
            h_t, and the tuple (z_t, r_t, h~_t, recurrent candidate). The recurrent candidate is
            what r_t scales: U_h h_{t-1} + b', or h_{t-1} itself if the reset gate is applied
            before the product. All have shape (batch, units).
        """
        n = self.units
        h_h = h if masks is None else h * masks[2]
        u_zr, u_h = self._recurrent_products(h, h_h, U, masks)
        # z_t, r_t = sigmoid(W_zr x_t + U_zr h_{t-1})
        z, r = tf.split(self.recurrent_activation(x_zr + u_zr), 2, axis=1)
        if self.reset_after:
            # h~_t = tanh(W_h x_t + r_t * (U_h h_{t-1} + b'))
            recurrent_candidate = u_h if b_candidate is None else u_h + b_candidate
            candidate = self.activation(x_h + r * recurrent_candidate)
        else:
            # h~_t = tanh(W_h x_t + U_h (r_t * h_{t-1}))
            recurrent_candidate = h_h
            u_h = tf.matmul(r * recurrent_candidate, U[:, 2 * n :])
            candidate = self.activation(x_h + u_h)
        if self.update_gate == "write":
            h = (1 - z) * h + z * candidate
        else:
            h = z * h + (1 - z) * candidate
        return h, (z, r, candidate, recurrent_candidate)

    def _recurrent_products(
        self, h: Tensor, h_h: Tensor, U: Tensor, masks: list[Tensor] | None
    ) -> tuple[Tensor, Tensor | None]:
        """U_zr h and U_h h; the second is None if the reset gate comes before the product."""
        n = self.units
        if masks is not None:
            U_z, U_r, U_h = tf.split(U, [n, n, n], axis=1)
            products = [tf.matmul(h * masks[0], U_z), tf.matmul(h * masks[1], U_r)]
            if self.reset_after:
                products.append(tf.matmul(h_h, U_h))
            u = tf.concat(products, axis=1)
        else:
            u = tf.matmul(h, U if self.reset_after else U[:, : 2 * n])
        if not self.reset_after:
            return u, None
        u_zr, u_h = tf.split(u, [2 * n, n], axis=1)
        return u_zr, u_h

    def project(self, inputs: Tensor, masks: Tensor | list[Tensor] | None = None) -> Tensor:
        """Compute the part of all three gates that does not depend on the state: W x and biases.

        Args:
            inputs: float, shape (..., features).
            masks: dropout of the inputs, which broadcasts to their shape: one for all gates, or a
                list of one for each. Default None.

        Returns:
            float, shape (..., 3 * units): x_z, x_r, x_h side by side.
        """
        W = tf.convert_to_tensor(self.kernel)
        if isinstance(masks, list):
            parts = zip(masks, tf.split(W, 3, axis=1), strict=True)
            x = tf.concat([tf.matmul(inputs * mask, part) for mask, part in parts], axis=-1)
        else:
            x = tf.matmul(inputs if masks is None else inputs * masks, W)
        b = self.input_bias()
        return x if b is None else x + b

    def split(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Split a projected input into x_zr and x_h of `step`."""
        x_zr, x_h = tf.split(x, [2 * self.units, self.units], axis=-1)
        return x_zr, x_h

    def input_bias(self) -> Tensor | None:
        """Return the bias that `project` adds, shape (3 * units,), or None without biases.

        It is b, plus b' of the two gates. The candidate's b' is not part of it, since the reset
        gate scales it.
        """
        if self.bias is None or not self.reset_after:
            return self.bias
        bias = tf.convert_to_tensor(self.bias)
        return bias[0] + tf.pad(bias[1, : 2 * self.units], [[0, self.units]])

    def recurrent_weights(self) -> tuple[Tensor, Tensor | None]:
        """Return U and the candidate's b' (or None) as tensors, so that a loop reads them once."""
        b_candidate = None
        if self.reset_after and self.bias is not None:
            b_candidate = tf.convert_to_tensor(self.bias)[1, 2 * self.units :]
        return tf.convert_to_tensor(self.recurrent_kernel), b_candidate

    def dropout_masks(self, inputs: Tensor) -> Tensor | list[Tensor] | None:
        """Draw the dropout of the inputs as Keras does: None, one mask, or a list of three."""
        return self.get_dropout_mask(inputs) if 0 < self.dropout < 1 else None

    def recurrent_dropout_masks(self, h: Tensor) -> list[Tensor] | None:
        """Draw the dropout of the state as Keras does: None, or a list of three masks."""
        return self.get_recurrent_dropout_mask(h) if 0 < self.recurrent_dropout < 1 else None

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "update_gate": self.update_gate}
