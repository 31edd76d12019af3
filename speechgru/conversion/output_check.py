"""Comparison of a converted function with the original, on random inputs."""

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import tensorflow as tf
from ai_edge_litert.interpreter import Interpreter

from speechgru.errors import ConversionError

TOLERANCE = 1e-3  # of float32 outputs, relative to the largest one; rounding is far below
FREE_SIZE = 64  # the size that dimensions of any size have in the comparison


def check_outputs(
    converted: bytes,
    function: Callable[..., dict[str, Any]],
    specs: Mapping[str, tf.TensorSpec],
    *,
    check_values: bool,
) -> None:
    """Run a converted function and the original on the same inputs.

    Args:
        converted: a flatbuffer with one signature.
        function: the original; it takes tensors by name and returns a dict of tensors.
        specs: the function's inputs by name.
        check_values: whether to compare numbers, too, and not just shapes: for float32 weights.

    Raises:
        ConversionError: LiteRT cannot run the flatbuffer, or its outputs are others.
    """
    rng = np.random.default_rng(0)
    inputs = {name: _example(spec, rng) for name, spec in specs.items()}
    try:
        with tf.device("/CPU:0"):  # a GPU would compute in TF32
            expected = function(**{name: tf.constant(value) for name, value in inputs.items()})
    except Exception:  # of any type: the model refuses inputs of this size or these values
        return
    try:
        interpreter = Interpreter(model_content=converted)
        found = interpreter.get_signature_runner()(**inputs)
    except (RuntimeError, ValueError) as error:
        raise ConversionError(f"LiteRT cannot run the converted model: {error}") from error
    for name, tensor in expected.items():
        _compare(name, found[name], tensor.numpy(), check_values)


def _example(spec: tf.TensorSpec, rng: np.random.Generator) -> Any:
    shape = [FREE_SIZE if size is None else size for size in spec.shape]
    if spec.dtype.is_floating:
        return (0.1 * rng.normal(size=shape)).astype(spec.dtype.as_numpy_dtype)
    return rng.integers(0, 2, shape).astype(spec.dtype.as_numpy_dtype)


def _compare(name: str, found: Any, expected: Any, check_values: bool) -> None:
    if found.shape != expected.shape:
        raise ConversionError(
            f"expected {name} of shape {expected.shape} as in Keras, LiteRT computes {found.shape}"
        )
    if not check_values or expected.dtype != np.float32 or not expected.size:
        return
    scale = float(np.abs(expected[np.isfinite(expected)]).max(initial=1.0))
    if not np.allclose(found, expected, rtol=0, atol=TOLERANCE * scale, equal_nan=True):
        with np.errstate(invalid="ignore"):
            difference = float(np.abs(found - expected).max())
        raise ConversionError(
            f"expected {name} as in Keras, LiteRT's differs by {difference:.2g} on random input"
        )
