"""The recurrent cells that are compared."""

from collections.abc import Callable
from typing import Any

import keras
import tensorflow as tf

from speechgru import GRU

MakeLayer = Callable[..., keras.layers.RNN]  # (units, **options of the layer)
CELLS: dict[str, MakeLayer] = {
    "plain RNN": keras.layers.SimpleRNN,
    "LSTM": keras.layers.LSTM,
    "GRU, z keeps, r after": GRU,
    "GRU, z writes, r after": lambda units, **k: GRU(units, update_gate="write", **k),
    "GRU, z keeps, r before": lambda units, **k: GRU(units, reset_after=False, **k),
    "GRU, z writes, r before": lambda units, **k: GRU(
        units, update_gate="write", reset_after=False, **k
    ),
}
REFERENCE = "GRU, z keeps, r after"  # the others are also compared at its number of parameters


class SlowGateBias(keras.initializers.Initializer):
    """Initial biases with which units hold their state for 1 to `steps` steps.

    The method is "chrono initialization" (Tallec & Ollivier 2018, arXiv:1804.11188, section 3).

    Args:
        steps: the longest of these times, at least 2.
        gates: 3 for a GRU with `update_gate="keep"`, 4 for an LSTM.
    """

    def __init__(self, steps: int, gates: int) -> None:
        self.steps, self.gates = steps, gates

    def __call__(self, shape: tuple[int, ...], dtype: Any = None) -> tf.Tensor:
        units = shape[-1] // self.gates
        times = keras.random.uniform((units,), 1, self.steps)
        bias = keras.ops.log(times)
        zeros = keras.ops.zeros((2 * units,))
        if self.gates == 4:
            return keras.ops.concatenate([-bias, bias, zeros])
        row = keras.ops.concatenate([bias, zeros])
        return keras.ops.stack([row, keras.ops.zeros_like(row)])


def lag_cells(lag: int) -> dict[str, MakeLayer]:
    """Return all cells, and three of them with another initialization, for a lag in steps."""
    return {
        **CELLS,
        "plain RNN, U not orthogonal": lambda units, **k: keras.layers.SimpleRNN(
            units, recurrent_initializer="glorot_uniform", **k
        ),
        "LSTM, slow gates": lambda units, **k: keras.layers.LSTM(
            units, unit_forget_bias=False, bias_initializer=SlowGateBias(lag, 4), **k
        ),
        f"{REFERENCE}, slow gates": lambda units, **k: GRU(
            units, bias_initializer=SlowGateBias(lag, 3), **k
        ),
    }
