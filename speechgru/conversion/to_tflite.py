"""Conversion of any Keras model with recurrent layers to LiteRT."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import keras
import tensorflow as tf

from speechgru.conversion.converter import Quantization, convert
from speechgru.conversion.flatbuffer import rename_signature
from speechgru.conversion.output_check import check_outputs
from speechgru.errors import ConversionError, show

SIGNATURE = "serve"


def to_tflite(model: keras.Model, *, quantize: Quantization = "none") -> bytes:
    """Convert a Keras model to a LiteRT (TensorFlow Lite) flatbuffer with builtin operators only.

    It converts `speechgru.GRU`, `speechgru.MFCC` and Keras's recurrent layers, stacked, in
    ``keras.layers.Bidirectional``, with masks and with states as inputs and outputs. Keras's own
    ``model.export(format="litert")`` needs the TensorFlow (Flex) operators for recurrent layers.
    The result is run once, on random input, and compared with the model.

    The flatbuffer has one signature, "serve", with batch size 1. Its inputs have the names of
    ``keras.Input``; an unnamed input is "input_0", "input_1", ... by its position. Its outputs have
    the keys of a model that returns a dict; otherwise they are "output_0", "output_1", ... A
    dimension that is None in ``keras.Input``, such as the number of steps, may have any size in
    LiteRT. All layers compute in float32, also those with another dtype policy.

    Args:
        model: a Sequential or functional model. It is not changed.
        quantize: the type of weights with 1024 or more elements: "none" (float32), "float16", or
            "dynamic" (int8 with one scale a matrix; activations stay float32). Default "none".

    Returns:
        The content of a .tflite file.

    Raises:
        ConversionError: LiteRT cannot run the model with builtin operators. The message names the
            layer or the operators.

    Examples:
        >>> model = keras.Sequential([keras.Input((None, 40), name="x"), speechgru.GRU(64)])
        >>> interpreter = Interpreter(model_content=speechgru.to_tflite(model))
        >>> serve = interpreter.get_signature_runner("serve")
        >>> serve(x=np.zeros((1, 98, 40), "float32"))["output_0"].shape
        (1, 64)
    """
    _check_model(model)
    tensors = keras.tree.flatten(_input_structure(model))
    input_names = _input_names(tensors)
    # TensorFlow changes or refuses some names, such as "Audio" and "class".
    specs = {
        f"input_{i}": tf.TensorSpec((1, *tensor.shape[1:]), tensor.dtype, name=f"input_{i}")
        for i, tensor in enumerate(tensors)
    }
    call = _ModelCall(model)
    with _inference_settings(model):
        function = _trace(call, specs)
        module = tf.Module()
        module.variables_of_the_model = function.variables  # a SavedModel saves what it can reach
        converted = convert(module, {SIGNATURE: function}, quantize)
        check_outputs(converted, call, specs, check_values=quantize == "none")
    return rename_signature(
        converted, dict(zip(specs, input_names, strict=True)), call.output_names
    )


def _check_model(model: Any) -> None:
    if not isinstance(model, keras.Model):
        raise ConversionError(f"`model` must be a keras.Model. Received: {show(model)}")
    if not getattr(model, "inputs", None):
        raise ConversionError(
            "`model` must be a Sequential or functional model with a keras.Input. Wrap another "
            f"one in keras.Model(x, model(x)) with x = keras.Input(...). Received: {model.name!r}"
        )
    for tensor in model.inputs:
        if tensor.shape[0] not in (None, 1):
            raise ConversionError(
                f"`model` must take batches of any size or of size 1. Received: input "
                f"{tensor.name!r} with shape {tuple(tensor.shape)}"
            )
    for layer in model._flatten_layers():
        if not isinstance(layer, keras.Model):
            _check_layer(layer)


def _check_layer(layer: Any) -> None:
    if isinstance(layer, keras.layers.RNN) and layer.stateful:
        raise ConversionError(
            f"`model` must not be stateful: layer {layer.name!r} is. Let the model take and return "
            "the state, with initial_state=... and return_state=True"
        )
    if layer.weights and layer.variable_dtype in ("float16", "bfloat16", "float64"):
        raise ConversionError(
            f"`model` must have float32 weights: those of layer {layer.name!r} are "
            f'{layer.variable_dtype}. Build it with dtype="float32" and copy the weights'
        )


def _input_structure(model: keras.Model) -> Any:
    return model.inputs[0] if isinstance(model, keras.Sequential) else model.input


def _input_names(tensors: list[Any]) -> list[str]:
    names = [
        f"input_{i}" if re.fullmatch(r"keras_tensor(_\d+)?", tensor.name) else tensor.name
        for i, tensor in enumerate(tensors)
    ]
    if len(set(names)) < len(names):
        raise ConversionError(f"`model` must have inputs of different names. Received: {names}")
    return names


class _ModelCall:
    """Calls a model for inference, from "input_0", ... to a dict of "output_0", ...

    Attributes:
        output_names: after a call, the name in the signature of each output.
    """

    def __init__(self, model: keras.Model) -> None:
        self.model = model
        self.output_names: dict[str, str] = {}

    def __call__(self, **inputs: Any) -> dict[str, Any]:
        structure = _input_structure(self.model)
        flat_inputs = [inputs[f"input_{i}"] for i in range(len(inputs))]
        outputs = self.model(keras.tree.pack_sequence_as(structure, flat_inputs), training=False)
        found = {f"output_{i}": value for i, value in enumerate(keras.tree.flatten(outputs))}
        # Dicts are flattened in the order of their keys.
        is_flat_dict = isinstance(outputs, dict) and len(outputs) == len(found)
        names = sorted(outputs) if is_flat_dict else list(found)
        self.output_names = dict(zip(found, names, strict=True))
        return found


def _trace(call: _ModelCall, specs: dict[str, tf.TensorSpec]) -> Any:
    """A concrete function of a model."""
    try:
        return tf.function(call, autograph=False).get_concrete_function(**specs)
    except Exception as error:  # layers raise many types; Keras adds colours and the arguments
        message = re.sub(r"\x1b\[\d*m", "", str(error)).partition("Arguments received by")[0]
        raise ConversionError(
            f"{call.model.name!r} cannot be called with batch size 1: {' '.join(message.split())}"
        ) from error


@contextmanager
def _inference_settings(model: keras.Model) -> Iterator[None]:
    """Change what LiteRT cannot run in the layers, and change it back at the end."""
    changes = [
        (layer, name, value, getattr(layer, name))
        for layer in model._flatten_layers()
        for name, value in _inference_attributes(layer).items()
    ]
    try:
        for layer, name, value, _ in changes:
            setattr(layer, name, value)
        yield
    finally:
        for layer, name, _, before in changes:
            setattr(layer, name, before)


def _inference_attributes(layer: Any) -> dict[str, Any]:
    attributes: dict[str, Any] = {}
    if layer.compute_dtype in ("float16", "bfloat16", "float64"):
        attributes["dtype_policy"] = "float32"  # few operators of LiteRT have another one
    if hasattr(layer, "use_cudnn"):
        attributes["use_cudnn"] = False  # cuDNN's operator exists on a GPU only
    if hasattr(layer, "get_recurrent_dropout_mask"):  # Keras draws the masks in inference, too
        attributes |= {"dropout": 0.0, "recurrent_dropout": 0.0}
    return attributes
