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

One turns into the other by negating the update gate's weights and biases, because
sigmoid(-a) = 1 / (1 + e^a) = 1 - sigmoid(a): where one layer's z_t is, the other's is 1 - z_t.

With `reset_after=True` the reset gate acts on the state after its product with the recurrent
weights, ``h~_t = tanh(W x_t + b + r_t * (U h_{t-1} + b'))``, which lets one product serve all
three gates (cuDNN's form); with False it acts before, as both papers have it.

The weights are Keras's: `kernel` W (features, 3 * units), `recurrent_kernel` U (units, 3 * units)
and `bias` (2, 3 * units), b and b' (without `reset_after` there is no b' and its shape is
(3 * units,)), the gates side by side in the order z, r, h. Others store the same numbers so:

    PyTorch   weight_ih (3 * units, features), weight_hh (3 * units, units), bias_ih, bias_hh;
              order r, z, h ("n"); always "keep" and reset_after
    ONNX      W (directions, 3 * units, features), R (directions, 3 * units, units),
              B (directions, 6 * units) with b before b'; order z, r, h; always "keep";
              linear_before_reset=1 is reset_after=True
    cuDNN     as PyTorch
"""

from collections.abc import Mapping
from numbers import Real
from typing import Any, Literal

import keras
import numpy as np
import tensorflow as tf
from keras.src import backend  # the one place that knows whether cuDNN can run, and runs it

from speechgru import bptt

UpdateGate = Literal["keep", "write"]

CELL_ARGUMENTS = (
    "activation",
    "recurrent_activation",
    "use_bias",
    "kernel_initializer",
    "recurrent_initializer",
    "bias_initializer",
    "kernel_regularizer",
    "recurrent_regularizer",
    "bias_regularizer",
    "kernel_constraint",
    "recurrent_constraint",
    "bias_constraint",
    "dropout",
    "recurrent_dropout",
    "seed",
    "implementation",
)


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
        training: whether dropout acts. Default False.

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
        if isinstance(units, bool) or not isinstance(units, int | np.integer) or units < 1:
            raise ValueError(f"`units` must be a positive integer. Received: units={units!r}")
        if update_gate not in ("keep", "write"):
            raise ValueError(
                f'`update_gate` must be "keep" or "write". Received: update_gate={update_gate!r}'
            )
        for name in ("dropout", "recurrent_dropout"):
            rate: Any = kwargs.get(name, 0.0)
            if not (isinstance(rate, Real) and 0 <= float(rate) <= 1):
                raise ValueError(f"`{name}` must be between 0 and 1. Received: {name}={rate!r}")
        super().__init__(units, reset_after=reset_after, **kwargs)
        self.update_gate = update_gate

    def call(self, inputs: Any, states: Any, training: bool = False) -> tuple[Any, Any]:
        nested = isinstance(states, list | tuple)
        inputs = tf.cast(inputs, self.compute_dtype)
        x = self.project(inputs, self.dropout_masks(inputs) if training else None)
        h = states[0] if nested else states
        masks = self.recurrent_dropout_masks(h) if training else None
        x_zr, x_h = self.split(x)
        U, b = self.recurrent_weights()
        h, _ = self.step(x_zr, x_h, h, U, b, masks)
        return h, [h] if nested else h

    def step(
        self, x_zr: Any, x_h: Any, h: Any, U: Any, b: Any = None, masks: Any = None
    ) -> tuple[Any, tuple[Any, Any, Any, Any]]:
        """The next state, and what made it.

        Args:
            x_zr: W x_t + b + b' of the update and the reset gate, shape (batch, 2 * units).
            x_h: W x_t + b of the candidate, shape (batch, units).
            h: h_{t-1}, shape (batch, units).
            U: recurrent weights, shape (units, 3 * units).
            b: b' of the candidate, shape (units,). Default None.
            masks: three of shape (batch, units), recurrent dropout for z, r and h. Default None.

        Returns:
            h_t, and (z_t, r_t, h~_t, past), where past is what r_t scales: U_h h_{t-1} + b', or
            h_{t-1} itself if the reset gate acts before the product. All (batch, units).
        """
        n = self.units
        h_h = h if masks is None else h * masks[2]
        if masks is not None:
            U_z, U_r, U_h = tf.split(U, [n, n, n], axis=1)
            products = [tf.matmul(h * masks[0], U_z), tf.matmul(h * masks[1], U_r)]
            products += [tf.matmul(h_h, U_h)] if self.reset_after else []
            u = tf.concat(products, axis=1)
        else:
            u = tf.matmul(h, U if self.reset_after else U[:, : 2 * n])

        u_zr, u_h = tf.split(u, [2 * n, n], axis=1) if self.reset_after else (u, None)
        # z_t, r_t = sigmoid(W_zr x_t + U_zr h_{t-1})
        z, r = tf.split(self.recurrent_activation(x_zr + u_zr), 2, axis=1)
        if self.reset_after:
            # h~_t = tanh(W_h x_t + r_t * (U_h h_{t-1} + b'))
            past = u_h if b is None else u_h + b
            candidate = self.activation(x_h + r * past)
        else:
            # h~_t = tanh(W_h x_t + U_h (r_t * h_{t-1}))
            past = h_h
            candidate = self.activation(x_h + tf.matmul(r * past, U[:, 2 * n :]))
        # h_t, by the reading of z_t
        if self.update_gate == "write":
            h = (1 - z) * h + z * candidate
        else:
            h = z * h + (1 - z) * candidate
        return h, (z, r, candidate, past)

    def project(self, inputs: Any, masks: Any = None) -> Any:
        """The part of all three gates that does not depend on the state: W x and the biases.

        Args:
            inputs: float, shape (..., features).
            masks: dropout of the inputs, broadcast to their shape: one for all gates, or a list
                of one for each. Default None.

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

    def split(self, x: Any) -> tuple[Any, Any]:
        """A projected input as (x_zr, x_h) of `step`."""
        x_zr, x_h = tf.split(x, [2 * self.units, self.units], axis=-1)
        return x_zr, x_h

    def input_bias(self) -> Any:
        """What `project` adds, shape (3 * units,), or None: b, and b' but for the candidate.

        The reset gate scales the candidate's b', and no other: the rest need not wait for a state.
        """
        if self.bias is None or not self.reset_after:
            return self.bias
        bias = tf.convert_to_tensor(self.bias)
        return bias[0] + tf.pad(bias[1, : 2 * self.units], [[0, self.units]])

    def recurrent_weights(self) -> tuple[Any, Any]:
        """U and the candidate's b' (or None) as tensors, for a loop to read once."""
        bias = None
        if self.reset_after and self.bias is not None:
            bias = tf.convert_to_tensor(self.bias)[1, 2 * self.units :]
        return tf.convert_to_tensor(self.recurrent_kernel), bias

    def dropout_masks(self, inputs: Any) -> Any:
        """Dropout of the inputs as Keras draws it: None, one mask, or a list of three."""
        return self.get_dropout_mask(inputs) if 0 < self.dropout < 1 else None

    def recurrent_dropout_masks(self, h: Any) -> Any:
        """Dropout of the state as Keras draws it: None, or a list of three masks."""
        return self.get_recurrent_dropout_mask(h) if 0 < self.recurrent_dropout < 1 else None

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "update_gate": self.update_gate}


def _of_cell(name: str) -> Any:
    return property(lambda layer: getattr(layer.cell, name))


@keras.saving.register_keras_serializable(package="speechgru")
class GRU(keras.layers.RNN):
    """GRU over a sequence; stands in for ``keras.layers.GRU``.

    Three ways lead through the sequence. On a GPU, where the configuration allows, cuDNN. In
    training with the usual activations, a loop with its gradient written out (speechgru/bptt.py).
    Otherwise a loop over the steps, with the inputs' product before it. All give the same numbers
    to rounding; a cell whose class is not `GRUCell` always takes the last, which runs its `step`.
    The written-out gradient has two limits: it has no second derivative, and a SavedModel cannot
    hold a call that was traced with ``training=True`` (`unroll` or `return_gates` avoid it).

    Args:
        units: size of the state.
        update_gate: "keep" or "write"; see `GRUCell`. Default "keep".
        reset_after: see `GRUCell`. Default True.
        return_gates: whether to return z, r and h~ of every step as well. Default False.
        return_sequences: whether to return the state of every step instead of the last. Default
            False.
        return_state: whether to return the last state as well. Default False.
        go_backwards: whether to read the sequence from its end. Default False.
        stateful: whether the last state is the next batch's first. Default False.
        unroll: whether to unroll the loop over time. Default False.
        use_cudnn: "auto", True (raise a ValueError where cuDNN cannot run) or False. cuDNN wants
            tanh and sigmoid, biases, `reset_after`, no recurrent dropout, no mask, no
            `return_gates` and no `unroll`. Default "auto".
        zero_output_for_mask: whether the outputs of masked steps are zeros instead of the output
            before. Default False.
        **kwargs: arguments of ``keras.layers.GRUCell`` (activations, initializers, dropout, ...)
            and of ``keras.layers.Layer``.

    Call arguments:
        sequences: float, shape (batch, steps, features).
        initial_state: float, shape (batch, units), or a list of one such tensor. Default zeros.
        mask: bool, shape (batch, steps); masked steps keep the state. Default None.
        training: whether dropout acts. Default False.

    Returns:
        float, shape (batch, steps, units) with `return_sequences`, else (batch, units); with
        `return_state` followed by the last state, shape (batch, units); with `return_gates`
        followed by z, r and h~, each of shape (batch, steps, units), in the order of the loop.

    Raises:
        ValueError: an argument is out of its range, or a shape does not fit.

    Examples:

    >>> speechgru.GRU(4, update_gate="write")(np.zeros((2, 50, 40), "float32")).shape
    TensorShape([2, 4])
    """

    def __init__(
        self,
        units: int,
        *,
        update_gate: UpdateGate = "keep",
        reset_after: bool = True,
        return_gates: bool = False,
        return_sequences: bool = False,
        return_state: bool = False,
        go_backwards: bool = False,
        stateful: bool = False,
        unroll: bool = False,
        use_cudnn: bool | Literal["auto"] = "auto",
        zero_output_for_mask: bool = False,
        **kwargs: Any,
    ) -> None:
        if use_cudnn not in ("auto", True, False):
            raise ValueError(
                f'`use_cudnn` must be "auto", True or False. Received: use_cudnn={use_cudnn!r}'
            )
        of_cell = {name: kwargs.pop(name) for name in CELL_ARGUMENTS if name in kwargs}
        cell = GRUCell(
            units,
            update_gate=update_gate,
            reset_after=reset_after,
            name="gru_cell",
            dtype=kwargs.get("dtype"),
            trainable=kwargs.get("trainable", True),
            **of_cell,
        )
        super().__init__(
            cell,
            return_sequences=bool(return_sequences),
            return_state=bool(return_state),
            go_backwards=bool(go_backwards),
            stateful=bool(stateful),
            unroll=bool(unroll),
            zero_output_for_mask=bool(zero_output_for_mask),
            **kwargs,
        )
        self.input_spec = keras.layers.InputSpec(ndim=3)
        self.return_gates = bool(return_gates)
        self.use_cudnn = use_cudnn
        if self.takes_cudnn(mask=None):
            self.supports_jit = False  # XLA cannot compile cuDNN's operator

    units = _of_cell("units")
    update_gate = _of_cell("update_gate")
    reset_after = _of_cell("reset_after")
    activation = _of_cell("activation")
    recurrent_activation = _of_cell("recurrent_activation")
    use_bias = _of_cell("use_bias")
    kernel_initializer = _of_cell("kernel_initializer")
    recurrent_initializer = _of_cell("recurrent_initializer")
    bias_initializer = _of_cell("bias_initializer")
    kernel_regularizer = _of_cell("kernel_regularizer")
    recurrent_regularizer = _of_cell("recurrent_regularizer")
    bias_regularizer = _of_cell("bias_regularizer")
    kernel_constraint = _of_cell("kernel_constraint")
    recurrent_constraint = _of_cell("recurrent_constraint")
    bias_constraint = _of_cell("bias_constraint")
    dropout = _of_cell("dropout")
    recurrent_dropout = _of_cell("recurrent_dropout")

    def call(
        self, sequences: Any, initial_state: Any = None, mask: Any = None, training: bool = False
    ) -> Any:
        if sequences.shape[1] == 0:
            raise ValueError(
                f"`sequences` must have at least one step. Received: shape={sequences.shape}"
            )
        for state in keras.tree.flatten(initial_state) if initial_state is not None else ():
            if len(state.shape) != 2 or state.shape[1] != self.units:
                raise ValueError(
                    f"`initial_state` must have shape (batch, {self.units}). "
                    f"Received: shape={tuple(state.shape)}"
                )
        outputs = super().call(sequences, initial_state, mask, training)
        if not self.return_gates:
            return outputs
        return (*(outputs if self.return_state else (outputs,)), *self._gates)

    def inner_loop(
        self, sequences: Any, initial_state: Any, mask: Any, training: bool = False
    ) -> tuple[Any, Any, list[Any]]:
        cell = self.cell
        sequences = tf.cast(sequences, self.compute_dtype)
        h = keras.tree.flatten(initial_state)[0]
        if mask is not None:
            mask = _two_dimensional(keras.tree.flatten(mask)[0])
        masks = cell.dropout_masks(sequences[:, 0]) if training else None
        if isinstance(masks, list):
            masks = [m[:, None] for m in masks]
        elif masks is not None:
            sequences, masks = sequences * masks[:, None], None
        recurrent_masks = cell.recurrent_dropout_masks(h) if training else None

        if self.takes_cudnn(mask):
            try:
                return self._cudnn(sequences, h)
            except NotImplementedError:  # there is a GPU, but not for this operator
                pass
        if self.use_cudnn is True:
            raise ValueError(
                "`use_cudnn=True` needs a GPU, tanh and sigmoid, biases, reset_after, and no "
                "recurrent dropout, mask, return_gates or unroll. Received: "
                f"{len(tf.config.list_logical_devices('GPU'))} GPUs, mask={mask is not None}, "
                f"configuration {self.get_config()}"
            )
        written_out = (
            training
            and not tf.executing_eagerly()
            and self._is_textbook()
            and mask is masks is recurrent_masks is None
            and not (self.unroll or self.return_gates)
        )
        if written_out:
            return self._written_out(sequences, h)
        return self._loop(cell.project(sequences, masks), h, mask, recurrent_masks)

    def takes_cudnn(self, mask: Any) -> bool:
        """Whether a call with this mask (or None) goes to cuDNN.

        Masks do not: cuDNN knows padding at the right alone, and gives zeros where Keras's loop
        repeats the last output.
        """
        return bool(
            self.use_cudnn in ("auto", True)
            and self._is_textbook()
            and mask is None
            and not (self.recurrent_dropout or self.return_gates)
            and not isinstance(getattr(self.cell, "dropout_mask_count", None), int)
            and backend.cudnn_ok(
                self.activation,
                self.recurrent_activation,
                self.unroll,
                self.use_bias,
                reset_after=self.reset_after,
            )
        )

    def _has_own_cell(self) -> bool:
        # Any other may compute something else: a subclass with a `step` of its own must never be
        # run, copied or saved by code that does not know it.
        return type(self.cell) is GRUCell

    def _is_textbook(self) -> bool:
        return (
            self._has_own_cell()
            and self.activation in (keras.activations.tanh, keras.ops.tanh, tf.tanh)
            and self.recurrent_activation
            in (keras.activations.sigmoid, keras.ops.sigmoid, tf.sigmoid)
        )

    def _cudnn(self, sequences: Any, h: Any) -> tuple[Any, Any, list[Any]]:
        weights = [tf.convert_to_tensor(w) for w in self.cell.weights]
        if self.update_gate == "write":
            weights = _negate_update_gate(weights)
        kernel, recurrent_kernel, bias = weights
        return backend.gru(  # type: ignore[no-any-return]
            sequences,
            h,
            None,
            kernel=kernel,
            recurrent_kernel=recurrent_kernel,
            bias=bias,
            activation=self.activation,
            recurrent_activation=self.recurrent_activation,
            return_sequences=self.return_sequences,
            go_backwards=self.go_backwards,
            unroll=self.unroll,
            reset_after=self.reset_after,
        )

    def _written_out(self, sequences: Any, h: Any) -> tuple[Any, Any, list[Any]]:
        if self.go_backwards:
            sequences = tf.reverse(sequences, axis=[1])
        found = bptt.gru(self.cell, sequences, h, self.return_sequences)
        if self.return_sequences:
            return found[:, -1], found, [found[:, -1]]
        return found, found[:, None], [found]

    def _loop(
        self, x: Any, h: Any, mask: Any = None, recurrent_masks: Any = None
    ) -> tuple[Any, Any, list[Any]]:
        cell = self.cell
        weights = cell.recurrent_weights()
        x = tf.transpose(x, (1, 0, 2))
        x = tf.reverse(x, axis=[0]) if self.go_backwards else x
        steps = x.shape[0] or tf.shape(x)[0]
        x = tf.TensorArray(x.dtype, size=steps).unstack(x)
        if mask is not None:
            mask = tf.transpose(mask)[..., None]
            mask = tf.reverse(mask, axis=[0]) if self.go_backwards else mask
            mask = tf.TensorArray(tf.bool, size=steps).unstack(mask)
        zeros = tf.zeros_like(h)

        def advance(t: Any, state: tuple[Any, ...]) -> tuple[tuple[Any, ...], tuple[Any, ...]]:
            h, gates = cell.step(*cell.split(x.read(t)), state[0], *weights, recurrent_masks)
            if mask is None:
                return (h,), gates[:3]
            on = mask.read(t)
            output = tf.where(on, h, zeros if self.zero_output_for_mask else state[1])
            return (tf.where(on, h, state[0]), output), gates[:3]

        # The state, and where there is a mask the last output, which may differ from it.
        state = (h,) if mask is None else (h, zeros)
        # What is kept of every step.
        kept = self.return_sequences + 3 * self.return_gates
        arrays = tuple(
            tf.TensorArray(h.dtype, size=steps, element_shape=h.shape) for _ in range(kept)
        )

        def body(t: Any, state: Any, arrays: Any) -> tuple[Any, Any, Any]:
            state, gates = advance(t, state)
            values = state[-1:] * self.return_sequences + gates * self.return_gates
            return t + 1, state, tuple(a.write(t, v) for a, v in zip(arrays, values, strict=True))

        if self.unroll:
            for t in range(steps):
                _, state, arrays = body(t, state, arrays)
        else:
            _, state, arrays = tf.while_loop(
                lambda t, *_: t < steps, body, (0, state, arrays), maximum_iterations=steps
            )
        stacked = [tf.transpose(a.stack(), (1, 0, 2)) for a in arrays]
        output = state[-1]
        outputs = stacked.pop(0) if self.return_sequences else output[:, None]
        self._gates = stacked  # for `call`, in whose base class there is no place for them
        return output, outputs, [state[0]]

    def compute_output_shape(self, sequences_shape: Any, initial_state_shape: Any = None) -> Any:
        shape = super().compute_output_shape(sequences_shape, initial_state_shape)
        if not self.return_gates:
            return shape
        gates = ((*sequences_shape[:2], self.units),) * 3
        return (*(shape if self.return_state else (shape,)), *gates)

    def compute_mask(self, sequences: Any, mask: Any) -> Any:
        masks = super().compute_mask(sequences, mask)
        if not self.return_gates:
            return masks
        return [*(masks if self.return_state else [masks]), None, None, None]

    def get_config(self) -> dict[str, Any]:
        if not self._has_own_cell():
            raise ValueError(
                "`cell` must be a speechgru.GRUCell for the layer to be saved, cloned or "
                f"converted; keras.layers.RNN saves others. Received: cell={self.cell!r}"
            )
        config = super().get_config()
        cell = self.cell.get_config()
        del config["cell"], cell["name"], cell["trainable"], cell["dtype"]
        config["activity_regularizer"] = keras.regularizers.serialize(self.activity_regularizer)
        return {
            **config,
            **cell,
            "implementation": self.cell.implementation,
            "return_gates": self.return_gates,
            "use_cudnn": self.use_cudnn,
        }

    @classmethod
    def from_config(cls, config: dict[str, Any], custom_objects: Any = None) -> "GRU":
        return cls(**config)

    @classmethod
    def from_keras(cls, layer: Any, **changes: Any) -> "GRU":
        """The same layer as a `speechgru.GRU`, weights included.

        Args:
            layer: a ``keras.layers.GRU``, or a `speechgru.GRU` to be changed.
            **changes: arguments that shall differ, as ``return_gates=True`` to look into a
                trained model, or ``update_gate="write"``, which negates the update gate's weights.

        Returns:
            A new layer with weights of its own; built if `layer` is.

        Raises:
            ValueError: not a GRU, or a change that the weights do not fit.

        Examples:

        >>> looking = speechgru.GRU.from_keras(model.get_layer("gru_1"), return_gates=True)
        """
        if not isinstance(layer, keras.layers.GRU | GRU):
            raise ValueError(
                f"`layer` must be a keras.layers.GRU or a speechgru.GRU. Received: {layer!r}"
            )
        config = {
            **layer.get_config(),
            "use_cudnn": layer.use_cudnn,
            "implementation": layer.cell.implementation,
        }
        for name in ("units", "use_bias", "reset_after"):
            if changes.get(name, config[name]) != config[name]:
                raise ValueError(
                    f"`{name}` must be the layer's, {config[name]!r}, for its weights to fit. "
                    f"Received: {name}={changes[name]!r}"
                )
        new = cls(**{**config, **changes})
        _copy_weights(layer, new)
        return new

    def to_keras(self) -> Any:
        """The same layer as a ``keras.layers.GRU``, weights included.

        The update gate's weights are negated where this layer's convention is "write".

        Raises:
            ValueError: the layer returns its gates, which Keras's cannot.
        """
        if self.return_gates:
            raise ValueError(
                "`return_gates` must be False for keras.layers.GRU. Received: return_gates=True"
            )
        config = self.get_config()
        del config["update_gate"], config["return_gates"]
        new = keras.layers.GRU(**config)
        _copy_weights(self, new)
        return new

    @classmethod
    def from_torch(cls, state_dict: Mapping[str, Any], suffix: str = "l0", **kwargs: Any) -> "GRU":
        """A layer with the weights of a ``torch.nn.GRU``.

        Args:
            state_dict: its ``state_dict()``: arrays, or anything numpy reads as such.
            suffix: which layer and direction, "l0", "l0_reverse", "l1", ... Default "l0". The
                reversed direction wants ``go_backwards=True``; its sequence comes out in the
                order in which it was read.
            **kwargs: arguments of `GRU` but `units`, `reset_after`, `use_bias` and `stateful`.

        Returns:
            A built layer, with torch's own convention "keep" unless `update_gate` says otherwise.

        Raises:
            ValueError: an array is missing or its shape does not fit the others.
        """
        fixed = {"units", "reset_after", "use_bias", "stateful"} & kwargs.keys()
        if fixed:
            raise ValueError(f"`{min(fixed)}` must be left to the state dict. Received: {kwargs}")
        names = [f"{name}_{suffix}" for name in ("weight_ih", "weight_hh", "bias_ih", "bias_hh")]
        use_bias = any(name in state_dict for name in names[2:])
        arrays = []
        for name in names[: 4 if use_bias else 2]:
            if name not in state_dict:
                raise ValueError(f"`state_dict` must hold {name!r}. Received: {list(state_dict)}")
            arrays.append(np.asarray(state_dict[name]))
        features, units = (a.shape[1] if a.ndim == 2 else 0 for a in arrays[:2])
        shapes = [(3 * units, features), (3 * units, units), (3 * units,), (3 * units,)]
        for name, array, shape in zip(names, arrays, shapes, strict=False):
            if array.shape != shape or array.dtype.kind != "f":
                raise ValueError(
                    f"{name!r} must be float of shape {shape}. "
                    f"Received: {array.dtype} of shape {array.shape}"
                )
        arrays = [_swap_gates(a) for a in arrays]
        layer = cls(units, reset_after=True, use_bias=use_bias, **kwargs)
        layer.build((None, None, features))
        weights = [arrays[0].T, arrays[1].T] + ([np.stack(arrays[2:])] if use_bias else [])
        layer.set_weights(_negate_update_gate(weights) if layer.update_gate == "write" else weights)
        return layer

    def to_torch(self, suffix: str = "l0") -> dict[str, np.ndarray]:
        """The weights as a ``torch.nn.GRU`` names, shapes and orders them.

        Args:
            suffix: which layer and direction of it. Default "l0".

        Returns:
            float32 arrays by name; as tensors, they are what ``load_state_dict`` takes.

        Raises:
            ValueError: the layer has no weights yet, its reset gate acts before the product, or
                its activations are not torch's.
        """
        if not self.built:
            raise ValueError(f"The layer must be built. Received: {self.name!r}, without weights")
        if not (self.reset_after and self._is_textbook()):
            raise ValueError(
                "torch.nn.GRU has reset_after=True, tanh and sigmoid. Received: "
                f"reset_after={self.reset_after}, activation={self.activation}, "
                f"recurrent_activation={self.recurrent_activation}"
            )
        weights = self.get_weights()
        if self.update_gate == "write":
            weights = _negate_update_gate(weights)
        arrays = [weights[0].T, weights[1].T, *(weights[2] if self.use_bias else ())]
        names = ("weight_ih", "weight_hh", "bias_ih", "bias_hh")
        return {
            f"{name}_{suffix}": _swap_gates(np.asarray(array, np.float32))
            for name, array in zip(names, arrays, strict=False)
        }


def _negate_update_gate(weights: list[Any]) -> list[Any]:
    """ "keep" weights from "write" ones, and the other way: sigmoid(-a) = 1 - sigmoid(a)."""
    units = weights[0].shape[-1] // 3
    sign = np.repeat([-1.0, 1.0, 1.0], units)
    return [w * (tf.cast if tf.is_tensor(w) else np.asarray)(sign, w.dtype) for w in weights]


def _two_dimensional(mask: Any) -> Any:
    """A mask as bool (batch, steps); Keras takes (batch, steps, 1) as well."""
    mask = tf.cast(mask, tf.bool)
    if mask.shape.rank == 3 and mask.shape[2] == 1:
        return mask[..., 0]
    if mask.shape.rank != 2:
        raise ValueError(f"`mask` must have shape (batch, steps). Received: shape={mask.shape}")
    return mask


def _swap_gates(array: np.ndarray) -> np.ndarray:
    """Rows in the order r, z, h from the order z, r, h, and the other way."""
    first, second, third = np.split(array, 3)
    return np.concatenate([second, first, third])


def _copy_weights(source: Any, target: Any) -> None:
    if not source.built:
        return
    batch = source.states[0].shape[0] if source.stateful else None
    target.build((batch, None, source.cell.kernel.shape[0]))
    conventions = {getattr(layer, "update_gate", "keep") for layer in (source, target)}
    weights = source.get_weights()
    target.set_weights(_negate_update_gate(weights) if len(conventions) == 2 else weights)
