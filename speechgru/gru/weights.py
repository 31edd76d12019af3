"""Weights of the GRU as other conventions and libraries store them.

The weights of a layer are the list `kernel` W (features, 3 * units), `recurrent_kernel` U
(units, 3 * units) and, with biases, `bias`: (2, 3 * units) with `reset_after`, else (3 * units,).
The gates are side by side in the order z, r, h. The table in gru.py has the other libraries.
"""

from collections.abc import Mapping
from typing import Any

import numpy as np
import tensorflow as tf

TORCH_NAMES = ("weight_ih", "weight_hh", "bias_ih", "bias_hh")


def negate_update_gate(weights: list[Any]) -> list[Any]:
    """Convert weights between update_gate="keep" and "write": sigmoid(-a) = 1 - sigmoid(a).

    Args:
        weights: arrays or tensors.

    Returns:
        A new list of the same kind.
    """
    units = weights[0].shape[-1] // 3
    sign = np.repeat([-1.0, 1.0, 1.0], units)
    return [w * (tf.cast if tf.is_tensor(w) else np.asarray)(sign, w.dtype) for w in weights]


def weights_from_torch(state_dict: Mapping[str, Any], suffix: str) -> list[np.ndarray]:
    """Read the weights of one layer and direction from the state dict of a ``torch.nn.GRU``.

    Args:
        state_dict: arrays by name, or whatever numpy converts to arrays.
        suffix: layer and direction, such as "l0" or "l1_reverse".

    Returns:
        W, U and, unless the layer has no biases, the bias. They follow the convention "keep".

    Raises:
        ValueError: an array is missing, is not float, or its shape does not fit the others.
    """
    names = [f"{name}_{suffix}" for name in TORCH_NAMES]
    has_bias = any(name in state_dict for name in names[2:])
    arrays = []
    for name in names[: 4 if has_bias else 2]:
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
    W, U, *biases = (_swap_z_and_r(array) for array in arrays)
    return [W.T, U.T, np.stack(biases)] if has_bias else [W.T, U.T]


def weights_to_torch(weights: list[np.ndarray], suffix: str) -> dict[str, np.ndarray]:
    """Name and arrange weights as the state dict of a ``torch.nn.GRU`` does.

    Args:
        weights: those of a layer with `reset_after`, in the convention "keep".
        suffix: layer and direction, such as "l0" or "l1_reverse".

    Returns:
        float32 arrays by name.
    """
    W, U, *bias = weights
    arrays = [W.T, U.T, *(bias[0] if bias else ())]
    return {
        f"{name}_{suffix}": _swap_z_and_r(np.asarray(array, np.float32))
        for name, array in zip(TORCH_NAMES, arrays, strict=False)
    }


def _swap_z_and_r(array: np.ndarray) -> np.ndarray:
    """Change the order of the rows from z, r, h to r, z, h, or back."""
    first, second, third = np.split(array, 3)
    return np.concatenate([second, first, third])
