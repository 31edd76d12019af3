"""The gated recurrent unit of Cho et al. 2014 (arXiv:1406.1078) and Chung et al. 2014
(arXiv:1412.3555) as Keras layers.

    z_t  = sigmoid(W_z x_t + U_z h_{t-1} + b_z)           update gate
    r_t  = sigmoid(W_r x_t + U_r h_{t-1} + b_r)           reset gate
    h~_t = tanh(W_h x_t + U_h (r_t * h_{t-1}) + b_h)      candidate state
    h_t  = a mean of h_{t-1} and h~_t, weighted by z_t    new state

Two conventions for z_t are in use. `update_gate` names them:

    "write"   h_t = (1 - z_t) * h_{t-1} + z_t * h~_t      Chung 2014, section 3.2
    "keep"    h_t = z_t * h_{t-1} + (1 - z_t) * h~_t      Cho 2014, section 2.3;
                                                          Keras, PyTorch and cuDNN

Negating the weights and biases of the update gate converts one into the other, because
sigmoid(-a) = 1 - sigmoid(a).

`reset_after=False` applies the reset gate before the product with U_h, as both papers and the
formula above do. `reset_after=True` applies it after the product,
``h~_t = tanh(W_h x_t + b_h + r_t * (U_h h_{t-1} + b'_h))``. One product then serves all three
gates. This is the form of cuDNN.

The weights are those of Keras: `kernel` W (features, 3 * units), `recurrent_kernel` U
(units, 3 * units) and `bias` (2, 3 * units), which holds b and b'. Without `reset_after` there is
no b' and the bias has shape (3 * units,). The gates are side by side in the order z, r, h. Other
libraries store the same numbers as follows:

    PyTorch   weight_ih (3 * units, features), weight_hh (3 * units, units), bias_ih, bias_hh;
              order r, z, h (called n); always "keep" and reset_after
    ONNX      W (directions, 3 * units, features), R (directions, 3 * units, units),
              B (directions, 6 * units) with b before b'; order z, r, h; always "keep";
              linear_before_reset=1 is reset_after=True
    cuDNN     as PyTorch
"""

from collections.abc import Mapping
from typing import Any, NamedTuple

import keras
import numpy as np
import tensorflow as tf
from keras.src import backend  # only here: it knows whether cuDNN can run, and runs it

from speechgru.gru.arguments import (
    Activation,
    Constraint,
    Initializer,
    Regularizer,
    Shape,
    Tensor,
    UpdateGate,
    UseCudnn,
    check_features,
    check_shape,
    check_tensor,
    only_tensor,
)
from speechgru.gru.cell import GRUCell
from speechgru.gru.device import is_placed_on_cpu
from speechgru.gru.gradient import gru_with_fused_gradient
from speechgru.gru.weights import negate_update_gate, weights_from_torch, weights_to_torch

__all__ = ["GRU"]


def _cell_attribute(name: str) -> Any:
    """A property of the layer that its cell has."""
    return property(lambda layer: getattr(layer.cell, name))


class _Result(NamedTuple):
    output: Tensor  # (batch, steps, units), or (batch, units) without `return_sequences`
    state: Tensor  # (batch, units)
    gates: tuple[Tensor, ...] = ()  # z, r and h~ with `return_gates`, each (batch, steps, units)


@keras.saving.register_keras_serializable(package="speechgru")
class GRU(keras.layers.RNN):
    """GRU over a sequence. It can replace ``keras.layers.GRU``.

    The arguments are those of ``keras.layers.GRU``, in the same order, and `update_gate` and
    `return_gates`. With the defaults, outputs, gradients and weights equal those of Keras.

    The layer has three implementations, which give the same numbers up to rounding:

    - cuDNN, on a GPU, if the configuration allows it (see `use_cudnn`). In bfloat16 it computes in
      float32: cuDNN's gradients in bfloat16 are wrong in TensorFlow 2.21 (docs/gru.md). Inside
      ``tf.device("/CPU:0")`` the layer does not use it. A ``tf.function`` makes this choice when it
      is traced.
    - A loop with a hand-written gradient (speechgru/gru_gradient.py), for training in a graph with
      tanh and sigmoid, without mask, dropout of the state, `unroll` and `return_gates`. It has no
      second derivative, and a SavedModel cannot contain a call that was traced with
      ``training=True``. `unroll=True` avoids both limits.
    - A plain loop over the steps otherwise. The product of the inputs with W is computed before the
      loop. A cell of another class than `GRUCell` always uses this loop, which calls its `step`.

    Args:
        units: size of the state.
        activation: activation of the candidate. None: no activation. Default "tanh".
        recurrent_activation: activation of both gates. Default "sigmoid".
        use_bias: whether the layer has biases. Default True.
        kernel_initializer: initializer of W. Default "glorot_uniform".
        recurrent_initializer: initializer of U. Default "orthogonal".
        bias_initializer: initializer of the biases. Default "zeros".
        kernel_regularizer: regularizer of W. Default None.
        recurrent_regularizer: regularizer of U. Default None.
        bias_regularizer: regularizer of the biases. Default None.
        activity_regularizer: regularizer of the output. Default None.
        kernel_constraint: constraint on W. Default None.
        recurrent_constraint: constraint on U. Default None.
        bias_constraint: constraint on the biases. Default None.
        dropout: fraction of the inputs to drop in training, in [0, 1]. Default 0.
        recurrent_dropout: fraction of the state to drop in training, in [0, 1]. Default 0.
        seed: random seed of dropout. Default None: a random one.
        return_sequences: whether to return the state of every step instead of the last one. Default
            False.
        return_state: whether to return the last state as well. Default False.
        go_backwards: whether to read the sequence from its end. The outputs are then in the order
            in which the steps were read. Default False.
        stateful: whether to start each batch from the last state of the batch before. Default
            False.
        unroll: whether to unroll the loop over time. Default False.
        reset_after: whether to apply the reset gate after the product with U_h. Default True.
        use_cudnn: "auto", True (raise a ValueError where cuDNN cannot run) or False. cuDNN needs
            tanh, sigmoid, biases and `reset_after`, and neither recurrent dropout, a mask,
            `return_gates` nor `unroll`. The attribute can be changed between calls. Default "auto".
        update_gate: "keep" (z near 1 keeps the old state, as in Keras) or "write" (z near 1 writes
            the candidate). Default "keep".
        return_gates: whether to return z, r and h~ of every step as well. Default False.
        **kwargs: `zero_output_for_mask` (whether the outputs of masked steps are zeros instead of
            the output of the step before; default False), `implementation` (see `GRUCell`), and
            arguments of ``keras.layers.Layer``.

    Call arguments:
        sequences: float, shape (batch, steps, features).
        initial_state: float, shape (batch, units), or a list of one such tensor. Default zeros.
        mask: bool or number, shape (batch, steps) or (batch, steps, 1). Steps where it is False or
            0 do not change the state. Default None.
        training: whether to apply dropout. Default False.

    Returns:
        float, shape (batch, steps, units) with `return_sequences`, else (batch, units). With
        `return_state` the last state follows, shape (batch, units). With `return_gates` z, r and h~
        follow, each of shape (batch, steps, units), in the order in which the steps were read.

    Raises:
        ValueError: an argument is out of its range, or a shape does not fit.

    Examples:
        >>> speechgru.GRU(4, update_gate="write")(np.zeros((2, 50, 40), "float32")).shape
        TensorShape([2, 4])
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
        activity_regularizer: Regularizer = None,
        kernel_constraint: Constraint = None,
        recurrent_constraint: Constraint = None,
        bias_constraint: Constraint = None,
        dropout: float = 0.0,
        recurrent_dropout: float = 0.0,
        seed: int | None = None,
        return_sequences: bool = False,
        return_state: bool = False,
        go_backwards: bool = False,
        stateful: bool = False,
        unroll: bool = False,
        reset_after: bool = True,
        use_cudnn: UseCudnn = "auto",
        *,
        update_gate: UpdateGate = "keep",
        return_gates: bool = False,
        **kwargs: Any,
    ) -> None:
        if use_cudnn not in ("auto", True, False):
            raise ValueError(
                f'`use_cudnn` must be "auto", True or False. Received: use_cudnn={use_cudnn!r}'
            )
        cell = GRUCell(
            units,
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
            update_gate=update_gate,
            implementation=kwargs.pop("implementation", 2),
            name="gru_cell",
            dtype=kwargs.get("dtype"),
            trainable=kwargs.get("trainable", True),
        )
        super().__init__(
            cell,
            return_sequences=bool(return_sequences),
            return_state=bool(return_state),
            go_backwards=bool(go_backwards),
            stateful=bool(stateful),
            unroll=bool(unroll),
            zero_output_for_mask=bool(kwargs.pop("zero_output_for_mask", False)),
            activity_regularizer=activity_regularizer,
            **kwargs,
        )
        self.input_spec = keras.layers.InputSpec(ndim=3)
        self.return_gates = bool(return_gates)
        self.use_cudnn = use_cudnn
        if self._allows_cudnn(mask=None):
            self.supports_jit = False  # XLA cannot compile the operator of cuDNN

    units = _cell_attribute("units")
    update_gate = _cell_attribute("update_gate")
    reset_after = _cell_attribute("reset_after")
    activation = _cell_attribute("activation")
    recurrent_activation = _cell_attribute("recurrent_activation")
    use_bias = _cell_attribute("use_bias")
    kernel_initializer = _cell_attribute("kernel_initializer")
    recurrent_initializer = _cell_attribute("recurrent_initializer")
    bias_initializer = _cell_attribute("bias_initializer")
    kernel_regularizer = _cell_attribute("kernel_regularizer")
    recurrent_regularizer = _cell_attribute("recurrent_regularizer")
    bias_regularizer = _cell_attribute("bias_regularizer")
    kernel_constraint = _cell_attribute("kernel_constraint")
    recurrent_constraint = _cell_attribute("recurrent_constraint")
    bias_constraint = _cell_attribute("bias_constraint")
    dropout = _cell_attribute("dropout")
    recurrent_dropout = _cell_attribute("recurrent_dropout")

    def build(self, sequences_shape: Shape, initial_state_shape: Any = None) -> None:
        check_shape("sequences", sequences_shape, "(batch, steps, features)", (None,) * 3)
        check_features("sequences", sequences_shape)
        super().build(sequences_shape, initial_state_shape)

    def call(
        self,
        sequences: Tensor,
        initial_state: Tensor | list[Tensor] | None = None,
        mask: Tensor | list[Tensor] | None = None,
        training: bool = False,
    ) -> Tensor | tuple[Tensor, ...]:
        initial_state = only_tensor("initial_state", initial_state)
        mask = only_tensor("mask", mask)
        self._check_call(sequences, initial_state, mask)
        if self.unroll and sequences.shape[1] is None:
            raise ValueError(
                "`sequences` must have a known number of steps with unroll=True: state it in the "
                f"shape of keras.Input. Received: shape={sequences.shape}"
            )
        sequences = tf.cast(sequences, self.compute_dtype)
        h = self._first_state(sequences, initial_state)
        dropout, recurrent_dropout = self._draw_dropout(sequences, h, training)
        mask = None if mask is None else _two_dimensional(mask)
        result = self._run(sequences, h, mask, dropout, recurrent_dropout, training)
        if self.stateful:
            self.states[0].assign(result.state)
        outputs = (result.output, *((result.state,) if self.return_state else ()), *result.gates)
        return outputs if len(outputs) > 1 else result.output

    def compute_output_spec(
        self,
        sequences: Any,
        initial_state: Any = None,
        mask: Any = None,
        training: bool = False,
    ) -> Any:
        state = only_tensor("initial_state", initial_state)
        self._check_call(sequences, state, only_tensor("mask", mask))
        return super().compute_output_spec(sequences, initial_state, mask, training)

    def _check_call(self, sequences: Any, initial_state: Any, mask: Any) -> None:
        """Raise a ValueError that names the argument whose shape or dtype does not fit."""
        batch = self.states[0].shape[0] if self.stateful and self.states else None
        features = self.cell.kernel.shape[0] if self.built else None
        form = f"({batch or 'batch'}, steps, {features or 'features'})"
        check_tensor("sequences", sequences, form, (batch, None, features))
        batch, steps = sequences.shape[:2]
        if steps == 0:
            raise ValueError(
                f"`sequences` must have at least one step. Received: shape={sequences.shape}"
            )
        if initial_state is not None:
            form, shape = f"(batch, {self.units})", (batch, self.units)
            check_tensor("initial_state", initial_state, form, shape)
        if mask is not None:
            form = f"({batch or 'batch'}, {steps or 'steps'})"
            check_tensor("mask", mask, form, (batch, steps), (batch, steps, 1))

    def _first_state(self, sequences: Tensor, initial_state: Tensor | None) -> Tensor:
        if initial_state is None and self.stateful:
            initial_state = self.states[0]
        elif initial_state is None:
            (initial_state,) = self.get_initial_state(batch_size=keras.ops.shape(sequences)[0])
        return keras.ops.convert_to_tensor(initial_state, dtype=self.compute_dtype)

    def _draw_dropout(self, sequences: Tensor, h: Tensor, training: bool) -> tuple[Any, Any]:
        """Dropout of inputs and state, each None, one mask, or a list of three.

        As in Keras, every call draws them, so that the seed advances in inference, too.
        """
        cell = self.cell
        dropout = cell.get_dropout_mask(sequences[:, 0])
        recurrent_dropout = cell.get_recurrent_dropout_mask(h)
        cell.reset_dropout_mask()
        cell.reset_recurrent_dropout_mask()
        return (
            dropout if training and cell.dropout < 1 else None,
            recurrent_dropout if training and cell.recurrent_dropout < 1 else None,
        )

    def _run(
        self,
        sequences: Tensor,
        h: Tensor,
        mask: Tensor | None,
        dropout: Tensor | list[Tensor] | None,
        recurrent_dropout: list[Tensor] | None,
        training: bool,
    ) -> _Result:
        """Choose one of the three implementations and run it."""
        if isinstance(dropout, list):
            dropout = [gate[:, None] for gate in dropout]
        elif dropout is not None:
            sequences, dropout = sequences * dropout[:, None], None

        if self.takes_cudnn(mask):
            try:
                return self._run_cudnn(sequences, h)
            except NotImplementedError:  # there is a GPU, but not for this operator
                pass
        if self.use_cudnn is True:
            raise ValueError(
                "`use_cudnn=True` needs a GPU, tanh and sigmoid, biases, reset_after, and no "
                "recurrent dropout, mask, return_gates, unroll or tf.device of a CPU. Received: "
                f"{len(tf.config.list_logical_devices('GPU'))} GPUs, "
                f"tf.device of a CPU={is_placed_on_cpu()}, mask={mask is not None}, "
                f"configuration {self.get_config()}"
            )
        can_fuse = (
            self._has_default_activations()
            and not (self.unroll or self.return_gates)
            and mask is dropout is recurrent_dropout is None
        )
        if can_fuse and training and not tf.executing_eagerly():
            return self._run_fused_gradient(sequences, h)
        return self._run_loop(self.cell.project(sequences, dropout), h, mask, recurrent_dropout)

    def takes_cudnn(self, mask: Tensor | None) -> bool:
        """Return whether a call with this mask (or None) uses cuDNN.

        It depends on where the call is: inside ``tf.device("/CPU:0")`` it does not. (TensorFlow
        would run cuDNN's operator on the GPU all the same.)
        """
        return self._allows_cudnn(mask) and not is_placed_on_cpu()

    def _allows_cudnn(self, mask: Tensor | None) -> bool:
        """Return whether there is a GPU, and the configuration and the mask allow cuDNN.

        A mask does not: cuDNN supports padding at the end only, and returns zeros for masked steps
        where Keras's loop repeats the last output.
        """
        # With implementation=1 each gate drops other inputs; cuDNN takes the same for all.
        one_dropout_mask = not isinstance(getattr(self.cell, "dropout_mask_count", None), int)
        return bool(
            self.use_cudnn in ("auto", True)
            and self._has_default_activations()
            and mask is None
            and one_dropout_mask
            and not (self.recurrent_dropout or self.return_gates)
            and backend.cudnn_ok(
                self.activation,
                self.recurrent_activation,
                self.unroll,
                self.use_bias,
                reset_after=self.reset_after,
            )
        )

    def _has_own_cell(self) -> bool:
        # A subclass may compute something else in `step`. Code that replaces or copies the
        # arithmetic of `GRUCell` must not be applied to it.
        return type(self.cell) is GRUCell

    def _has_default_activations(self) -> bool:
        return (
            self._has_own_cell()
            and self.activation in (keras.activations.tanh, keras.ops.tanh, tf.tanh)
            and self.recurrent_activation
            in (keras.activations.sigmoid, keras.ops.sigmoid, tf.sigmoid)
        )

    def _run_cudnn(self, sequences: Tensor, h: Tensor) -> _Result:
        # cuDNN's gradients in bfloat16 are NaN or wrong in TensorFlow 2.21. Its operator computes
        # in float32 then anyway.
        dtype = "float32" if self.compute_dtype == "bfloat16" else self.compute_dtype
        weights = [tf.cast(w, dtype) for w in self.cell.weights]
        if self.update_gate == "write":
            weights = negate_update_gate(weights)
        kernel, recurrent_kernel, bias = weights
        last, outputs, (state,) = backend.gru(
            tf.cast(sequences, dtype),
            tf.cast(h, dtype),
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
        output = outputs if self.return_sequences else last
        return _Result(tf.cast(output, self.compute_dtype), tf.cast(state, self.compute_dtype))

    def _run_fused_gradient(self, sequences: Tensor, h: Tensor) -> _Result:
        if self.go_backwards:
            sequences = tf.reverse(sequences, axis=[1])
        output = gru_with_fused_gradient(self.cell, sequences, h, self.return_sequences)
        return _Result(output, output[:, -1] if self.return_sequences else output)

    def _run_loop(
        self,
        x: Tensor,
        h: Tensor,
        mask: Tensor | None,
        recurrent_dropout: list[Tensor] | None,
    ) -> _Result:
        """Run the cell's `step` over projected inputs x, shape (batch, steps, 3 * units)."""
        cell = self.cell
        U, b_candidate = cell.recurrent_weights()
        steps = x.shape[1] or tf.shape(x)[1]
        inputs = self._array_of_steps(x, steps)
        masks = None if mask is None else self._array_of_steps(mask[..., None], steps)
        zeros = tf.zeros_like(h)

        def run_step(t: Tensor, last: dict[str, Tensor], saved: dict[str, Any]) -> tuple[Any, ...]:
            x_zr, x_h = cell.split(inputs.read(t))
            h, gates = cell.step(x_zr, x_h, last["h"], U, b_candidate, recurrent_dropout)
            z, r, candidate, _ = gates
            output = h
            if masks is not None:  # a masked step keeps the last state and repeats the last output
                is_on = masks.read(t)
                off = zeros if self.zero_output_for_mask else last["output"]
                h, output = tf.where(is_on, h, last["h"]), tf.where(is_on, h, off)
            step = {"h": h, "output": output, "z": z, "r": r, "candidate": candidate}
            saved = {name: array.write(t, step[name]) for name, array in saved.items()}
            return t + 1, {name: step[name] for name in last}, saved

        # Without a mask the output is the state: the loop then carries one tensor, not two.
        last = {"h": h} if masks is None else {"h": h, "output": zeros}
        names = ["output"] if self.return_sequences else []
        names += ["z", "r", "candidate"] if self.return_gates else []
        saved = {name: tf.TensorArray(h.dtype, size=steps, element_shape=h.shape) for name in names}
        if self.unroll:
            for t in range(steps):
                _, last, saved = run_step(t, last, saved)
        else:
            _, last, saved = tf.while_loop(
                lambda t, *_: t < steps, run_step, (0, last, saved), maximum_iterations=steps
            )
        stacked = {name: tf.transpose(array.stack(), (1, 0, 2)) for name, array in saved.items()}
        output = stacked.get("output", last.get("output", last["h"]))
        gates = tuple(stacked[name] for name in ("z", "r", "candidate") if name in stacked)
        return _Result(output, last["h"], gates)

    def _array_of_steps(self, values: Tensor, steps: int | Tensor) -> Any:
        """(batch, steps, ...) as an array of (batch, ...), in the order of the loop."""
        values = tf.transpose(values, (1, 0, 2))
        if self.go_backwards:
            values = tf.reverse(values, axis=[0])
        return tf.TensorArray(values.dtype, size=steps).unstack(values)

    def compute_output_shape(self, sequences_shape: Shape, initial_state_shape: Any = None) -> Any:
        shape = super().compute_output_shape(sequences_shape, initial_state_shape)
        if not self.return_gates:
            return shape
        gates = ((*sequences_shape[:2], self.units),) * 3
        return (*(shape if self.return_state else (shape,)), *gates)

    def compute_mask(self, sequences: Tensor, mask: Tensor | list[Tensor] | None) -> Any:
        masks = super().compute_mask(sequences, mask)
        if not self.return_gates:
            return masks
        return [*(masks if self.return_state else [masks]), None, None, None]

    def get_config(self) -> dict[str, Any]:
        if not self._has_own_cell():
            raise ValueError(
                "`cell` must be a speechgru.GRUCell for the layer to be saved, cloned or "
                f"converted. Use keras.layers.RNN for other cells. Received: cell={self.cell!r}"
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
        """Return a copy of a Keras GRU as a `speechgru.GRU`, with its weights.

        Args:
            layer: a ``keras.layers.GRU``, or a `speechgru.GRU` whose arguments shall change.
            **changes: arguments of `GRU` that shall differ from the layer's, such as
                ``return_gates=True`` to inspect a trained model. With another `update_gate` the
                weights of the update gate are negated.

        Returns:
            A new layer with its own weights. It is built if `layer` is.

        Raises:
            ValueError: the layer is not a GRU, or its weights do not fit a change.

        Examples:
            >>> with_gates = speechgru.GRU.from_keras(model.get_layer("gru_1"), return_gates=True)
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
        """Return a copy of the layer as a ``keras.layers.GRU``, with its weights.

        The weights of the update gate are negated if `update_gate` is "write".

        Raises:
            ValueError: the layer returns its gates. The layer of Keras cannot.
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
        """Return a layer with the weights of a ``torch.nn.GRU``.

        Args:
            state_dict: its ``state_dict()``. The values are arrays, or whatever numpy converts.
            suffix: layer and direction in torch: "l0", "l0_reverse", "l1", ... Default "l0". Pass
                ``go_backwards=True`` for the reverse direction. Its outputs are in the order in
                which the steps were read.
            **kwargs: arguments of `GRU` except `units`, `reset_after`, `use_bias` and `stateful`.

        Returns:
            A built layer. Its `update_gate` is "keep", as in torch, unless `kwargs` change it.

        Raises:
            ValueError: an array is missing, or its shape does not fit the others.
        """
        fixed = {"units", "reset_after", "use_bias", "stateful"} & kwargs.keys()
        if fixed:
            raise ValueError(
                f"`{min(fixed)}` must not be given: the state dict defines it. Received: {kwargs}"
            )
        weights = weights_from_torch(state_dict, suffix)
        features, units = weights[0].shape[0], weights[1].shape[0]
        layer = cls(units, reset_after=True, use_bias=len(weights) == 3, **kwargs)
        layer.build((None, None, features))
        layer.set_weights(negate_update_gate(weights) if layer.update_gate == "write" else weights)
        return layer

    def to_torch(self, suffix: str = "l0") -> dict[str, np.ndarray]:
        """Return the weights with the names, shapes and gate order of a ``torch.nn.GRU``.

        Args:
            suffix: layer and direction in torch. Default "l0".

        Returns:
            float32 arrays by name. Convert them to tensors for ``load_state_dict``.

        Raises:
            ValueError: the layer is not built, or differs from torch's GRU: `reset_after` is False
                or an activation is not the default.
        """
        if not self.built:
            raise ValueError(f"The layer must be built. Received: {self.name!r}, without weights")
        if not (self.reset_after and self._has_default_activations()):
            raise ValueError(
                "torch.nn.GRU has reset_after=True, tanh and sigmoid. Received: "
                f"reset_after={self.reset_after}, activation={self.activation}, "
                f"recurrent_activation={self.recurrent_activation}"
            )
        weights = self.get_weights()
        if self.update_gate == "write":
            weights = negate_update_gate(weights)
        return weights_to_torch(weights, suffix)


def _copy_weights(source: Any, target: Any) -> None:
    """Copy the weights of a built GRU into another one, whichever convention each has."""
    if not source.built:
        return
    batch = source.states[0].shape[0] if source.stateful else None
    target.build((batch, None, source.cell.kernel.shape[0]))
    conventions = {getattr(layer, "update_gate", "keep") for layer in (source, target)}
    weights = source.get_weights()
    target.set_weights(negate_update_gate(weights) if len(conventions) == 2 else weights)


def _two_dimensional(mask: Tensor) -> Tensor:
    """A mask of shape (batch, steps) or (batch, steps, 1) as bool (batch, steps)."""
    mask = tf.cast(mask, tf.bool)
    if mask.shape.rank is None:
        mask = tf.ensure_shape(mask, (None, None))
    return mask[..., 0] if mask.shape.rank == 3 else mask
