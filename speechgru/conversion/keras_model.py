"""Conversion of any Keras model with recurrent layers to LiteRT."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import keras
import tensorflow as tf

from speechgru.conversion.converter import Quantization, convert
from speechgru.errors import ConversionError
from speechgru.mfcc_layer import MFCC

SIGNATURE = "serve"


def to_tflite(model: keras.Model, *, quantize: Quantization = "none") -> bytes:
    """Convert a Keras model to a LiteRT (TensorFlow Lite) flatbuffer with builtin operators only.

    It converts `speechgru.GRU`, `speechgru.MFCC` and Keras's recurrent layers, stacked, in
    ``keras.layers.Bidirectional``, with masks and with states as inputs and outputs. Keras's own
    ``model.export(format="litert")`` needs the TensorFlow (Flex) operators for recurrent layers.

    The flatbuffer has one signature, "serve", with batch size 1. Its inputs have the names of
    ``keras.Input``; an unnamed input is "input_0", "input_1", ... by its position. Its outputs have
    the keys of a model that returns a dict; otherwise they are "output_0", "output_1", ... In names
    all characters but letters and digits become "_". A dimension that is None in ``keras.Input``,
    such as the number of steps, may have any length in LiteRT.

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
    signature = _input_specs(model)
    with _inference_settings(model):
        function = _trace(model, signature)
        module = tf.Module()
        module.variables_of_the_model = function.variables  # a SavedModel saves what it can reach
        return convert(module, {SIGNATURE: function}, quantize)


def _check_model(model: Any) -> None:
    if not isinstance(model, keras.Model):
        raise ConversionError(f"`model` must be a keras.Model. Received: {model!r}")
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
        if isinstance(layer, keras.layers.RNN) and layer.stateful:
            raise ConversionError(
                f"`model` must not be stateful: layer {layer.name!r} is. Let the model take and "
                "return the state, with initial_state=... and return_state=True"
            )


def _input_specs(model: keras.Model) -> dict[str, tf.TensorSpec]:
    """A specification with batch size 1 for each input, by its name in the signature."""
    tensors = keras.tree.flatten(_input_structure(model))
    specs = {}
    for index, tensor in enumerate(tensors):
        is_unnamed = re.fullmatch(r"keras_tensor(_\d+)?", tensor.name)
        name = f"input_{index}" if is_unnamed else _identifier(tensor.name)
        specs[name] = tf.TensorSpec((1, *tensor.shape[1:]), tensor.dtype, name=name)
    if len(specs) < len(tensors):
        names = [tensor.name for tensor in tensors]
        raise ConversionError(f"`model` must have inputs of different names. Received: {names}")
    return specs


def _input_structure(model: keras.Model) -> Any:
    return model.inputs[0] if isinstance(model, keras.Sequential) else model.input


def _identifier(name: str) -> str:
    name = re.sub(r"\W", "_", name)
    return f"input_{name}" if name[:1].isdigit() else name


def _trace(model: keras.Model, specs: dict[str, tf.TensorSpec]) -> Any:
    """A concrete function of the model for inference."""

    def serve(**inputs: Any) -> dict[str, Any]:
        flat = [inputs[name] for name in specs]
        outputs = model(keras.tree.pack_sequence_as(_input_structure(model), flat), training=False)
        flat_outputs = keras.tree.flatten(outputs)
        if isinstance(outputs, dict) and len(outputs) == len(flat_outputs):
            return {_identifier(name): value for name, value in outputs.items()}
        return {f"output_{index}": value for index, value in enumerate(flat_outputs)}

    try:
        return tf.function(serve, autograph=False).get_concrete_function(**specs)
    except Exception as error:  # layers raise many types
        raise ConversionError(
            f"the model {model.name!r} cannot be called with batch size 1: {error}"
        ) from error


@contextmanager
def _inference_settings(model: keras.Model) -> Iterator[None]:
    """Change what LiteRT cannot run in the layers, and change it back at the end."""
    changes = [
        (layer, name, value)
        for layer in model._flatten_layers()
        for name, value in _inference_attributes(layer).items()
    ]
    before = [(layer, name, getattr(layer, name)) for layer, name, _ in changes]
    try:
        for layer, name, value in changes:
            setattr(layer, name, value)
        yield
    finally:
        for layer, name, value in before:
            setattr(layer, name, value)


def _inference_attributes(layer: Any) -> dict[str, Any]:
    attributes: dict[str, Any] = {}
    if isinstance(layer, MFCC):
        attributes["dtype_policy"] = "float32"  # LiteRT has no Fourier transform in float64
    if hasattr(layer, "use_cudnn"):
        attributes["use_cudnn"] = False  # cuDNN's operator exists on a GPU only
    if hasattr(layer, "get_recurrent_dropout_mask"):  # Keras draws the masks in inference, too
        attributes |= {"dropout": 0.0, "recurrent_dropout": 0.0}
    return attributes
