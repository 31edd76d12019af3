"""Types of the GRU's arguments, and the checks that name an argument that does not fit."""

from collections.abc import Callable, Mapping, Sequence
from numbers import Real
from typing import Any, Literal, TypeAlias

import keras
import numpy as np

UpdateGate = Literal["keep", "write"]
UseCudnn = bool | Literal["auto"]

Tensor: TypeAlias = Any  # TensorFlow and Keras have no types
Shape = Sequence[int | None]
Activation = str | Callable[[Any], Any] | None
Initializer = str | Mapping[str, Any] | Callable[..., Any] | None
Regularizer = str | Mapping[str, Any] | Callable[[Any], Any] | None
Constraint = str | Mapping[str, Any] | Callable[[Any], Any] | None


def only_tensor(name: str, value: Any) -> Any:
    """Return a tensor, or the tensor of a list of one, or None if there is none."""
    tensors = [tensor for tensor in keras.tree.flatten(value) if tensor is not None]
    if len(tensors) > 1:
        raise ValueError(
            f"`{name}` must be one tensor, or a list of one. Received: {len(tensors)} values"
        )
    return tensors[0] if tensors else None


def check_rate(name: str, rate: Any) -> None:
    """Raise a ValueError unless a dropout rate is a number in [0, 1]."""
    if isinstance(rate, bool) or not (isinstance(rate, Real) and 0 <= float(rate) <= 1):
        raise ValueError(f"`{name}` must be a number between 0 and 1. Received: {name}={rate!r}")


def check_tensor(name: str, tensor: Any, form: str, *shapes: Shape) -> None:
    """Raise a ValueError unless a tensor holds real numbers and has one of the shapes."""
    if not hasattr(tensor, "shape"):
        tensor = np.asarray(tensor)
    dtype = getattr(tensor.dtype, "name", tensor.dtype)  # a string in keras.KerasTensor
    if not dtype.startswith(("bool", "int", "uint", "float", "bfloat")):
        raise ValueError(f"`{name}` must hold numbers or booleans. Received: dtype={dtype}")
    check_shape(name, tensor.shape, form, *shapes)


def check_shape(name: str, shape: Any, form: str, *expected: Shape) -> None:
    """Raise a ValueError unless `shape` is one of those expected. None is an unknown size."""
    if getattr(shape, "rank", 0) is None:  # unknown in the graph, even the rank
        return
    shape = tuple(shape)
    for sizes in expected:
        pairs = zip(shape, sizes, strict=False)
        if len(shape) == len(sizes) and all(a == b or None in (a, b) for a, b in pairs):
            return
    known = str(tuple(expected[0]))
    here = "" if None in expected[0] or known == form else f", here {known}"
    raise ValueError(f"`{name}` must have shape {form}{here}. Received: shape={shape}")


def check_features(name: str, shape: Shape) -> None:
    """Raise a ValueError unless the last size of a shape is known and not 0."""
    if not shape[-1]:
        raise ValueError(
            f"`{name}` must have at least one feature, and a known number of them when the layer "
            f"is built. Received: shape={tuple(shape)}"
        )
