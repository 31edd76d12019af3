"""TensorFlow's converter, restricted to the operators that every LiteRT runtime has built in."""

import re
import tempfile
import warnings
from collections.abc import Callable, Iterable, Mapping
from typing import Any, Literal, get_args

import tensorflow as tf

from speechgru.conversion import flatbuffer
from speechgru.conversion.float16 import weights_to_float16
from speechgru.errors import ConversionError

Quantization = Literal["none", "float16", "dynamic"]
Calibration = Callable[[], Iterable[tuple[str, dict[str, Any]]]]

# The converter quantises weights of at least this many elements. The matrices of the MFCC layer
# are cut smaller, so the front end stays in float32.
MIN_QUANTIZED_ELEMENTS = 1024


def convert(
    module: tf.Module, signatures: Mapping[str, Any], quantize: Quantization = "none"
) -> bytes:
    """Convert concrete functions to one flatbuffer; the functions share their weights.

    Args:
        module: holds every variable that the functions use.
        signatures: concrete functions of static batch size by the names of their signatures.
        quantize: the type of the weights: "none" (float32), "float16", or "dynamic" (int8, with
            one scale a matrix; activations stay float32). Default "none".

    Returns:
        The flatbuffer, in builtin operators only.

    Raises:
        ConversionError: the functions need other operators, or change variables.
    """
    if quantize not in get_args(Quantization):
        expected = ", ".join(map(repr, get_args(Quantization)))
        raise ConversionError(f"`quantize` must be one of {expected}. Received: {quantize!r}")
    model = flatbuffer.load(run_converter(module, signatures, dynamic=quantize == "dynamic"))
    if quantize == "float16":  # the converter would round the front end, too
        weights_to_float16(model, MIN_QUANTIZED_ELEMENTS)
    packed = flatbuffer.pack(model)
    check_operators(packed)
    return packed


def run_converter(
    module: tf.Module,
    signatures: Mapping[str, Any],
    *,
    dynamic: bool = False,
    calibration: Calibration | None = None,
) -> bytes:
    """The flatbuffer that TensorFlow's converter writes, unpacked and unchecked.

    Args:
        module: holds every variable that the functions use.
        signatures: concrete functions by the names of their signatures.
        dynamic: whether large weights become int8. Default False.
        calibration: yields (signature, inputs) pairs. Their ranges turn every weight, activation,
            input and output into int8. Default None.

    Raises:
        ConversionError: the converter refuses the functions.
    """
    try:
        with tempfile.TemporaryDirectory() as folder, warnings.catch_warnings():
            # Calibration uses TensorFlow's own interpreter. Its message begins with a newline.
            warnings.filterwarnings("ignore", r"\s*Warning: tf.lite.Interpreter is deprecated")
            # from_concrete_functions() can write a file without the weights.
            tf.saved_model.save(module, folder, signatures=dict(signatures))
            converter = tf.lite.TFLiteConverter.from_saved_model(
                folder, signature_keys=list(signatures)
            )
            converter.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS]
            if dynamic or calibration:
                converter.optimizations = [tf.lite.Optimize.DEFAULT]
            if calibration:
                converter.representative_dataset = calibration
                converter.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS_INT8]
                converter.inference_input_type = converter.inference_output_type = tf.int8
            # A scale for each row of a matrix would cost 9 KB and no accuracy would be gained
            # (docs/performance.md).
            converter._experimental_disable_per_channel = True
            return bytes(converter.convert())
    except Exception as error:  # the converter raises its own type and builtin ones
        raise ConversionError(_explanation(str(error))) from error


def _explanation(message: str) -> str:
    """The converter's message in one line; it names the operators that LiteRT does not have."""
    missing = dict.fromkeys(re.findall(r"'tf\.(\w+)' op is neither", message))
    if missing:
        names = ", ".join(f"tf.{name}" for name in missing)
        return f"expected builtin operators only; LiteRT has none for {names}"
    operator = re.search(r"'tf\.\w+' op .*", message)
    reason = operator[0] if operator else (message.strip().splitlines() or ["unknown reason"])[0]
    return f"the model cannot be converted: {reason}"


def check_operators(converted: bytes) -> None:
    """Refuse a flatbuffer that needs more than builtin operators, or that lacks its weights.

    Raises:
        ConversionError: it holds custom operators (Flex is one of them) or variables. Weights
            that the converter has not found turn into variables without a value.
    """
    operators = flatbuffer.operators(converted)
    custom = [name for name in operators if name.startswith("CUSTOM")]
    if custom:
        raise ConversionError(f"expected builtin operators only, found {', '.join(custom)}")
    if "VAR_HANDLE" in operators:
        raise ConversionError(
            "expected every weight in the file as a constant, found variables (VAR_HANDLE)"
        )
