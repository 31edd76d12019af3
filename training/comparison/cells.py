"""TODO: cells."""

from collections.abc import Callable
from typing import Any

import keras

from speechgru import GRU

CELLS: dict[str, Callable[..., Any]] = {
    "plain RNN": keras.layers.SimpleRNN,
    "LSTM": keras.layers.LSTM,
    "GRU, z keeps, r after": GRU,
    "GRU, z writes, r after": lambda units, **k: GRU(units, update_gate="write", **k),
    "GRU, z keeps, r before": lambda units, **k: GRU(units, reset_after=False, **k),
    "GRU, z writes, r before": lambda units, **k: GRU(
        units, update_gate="write", reset_after=False, **k
    ),
}
REFERENCE = "GRU, z keeps, r after"  # whose parameters the others are given


class Slow(keras.initializers.Initializer):
    """Biases of gates that keep what they hold for 1 to `steps` steps (Tallec & Ollivier 2018,
    arXiv:1804.11188, section 3).

    Args:
        steps: the longest of these times, at least 2.
        gates: 3 for a GRU whose z keeps, 4 for an LSTM.
    """

    def __init__(self, steps: int, gates: int) -> None:
        self.steps, self.gates = steps, gates

    def __call__(self, shape: Any, dtype: Any = None) -> Any:
        units = shape[-1] // self.gates
        times = keras.random.uniform((units,), 1, self.steps)
        closed = keras.ops.log(times)
        zeros = keras.ops.zeros((2 * units,))
        if self.gates == 4:
            return keras.ops.concatenate([-closed, closed, zeros])
        row = keras.ops.concatenate([closed, zeros])
        return keras.ops.stack([row, keras.ops.zeros_like(row)])


def lag_cells(lag: int) -> dict[str, Callable[..., Any]]:
    """All cells as they are, and some with another start."""
    return {
        **CELLS,
        "plain RNN, U not orthogonal": lambda units, **k: keras.layers.SimpleRNN(
            units, recurrent_initializer="glorot_uniform", **k
        ),
        "LSTM, slow gates": lambda units, **k: keras.layers.LSTM(
            units, unit_forget_bias=False, bias_initializer=Slow(lag, 4), **k
        ),
        f"{REFERENCE}, slow gates": lambda units, **k: GRU(
            units, bias_initializer=Slow(lag, 3), **k
        ),
    }
