"""One entry for all forms: a trained model to a flatbuffer of builtin operators."""

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from export.tflite.audio_length import require_audio_length
from export.tflite.int8 import to_int8
from export.tflite.quantization import Quantization
from export.tflite.streaming_model import StreamingModel
from speechgru.conversion import converter, flatbuffer
from speechgru.errors import ConversionError

BYTES_PER_WEIGHT = {"none": 4, "float16": 2, "dynamic": 1, "int8": 1}


class Converted(NamedTuple):
    """A converted model.

    Attributes:
        flatbuffer: the model, with the signatures `recognize`, `stream` and `features`.
        step: of an int8 model the network's step alone, with the signature `step`; else None.
    """

    flatbuffer: bytes
    step: bytes | None


def convert(
    model: StreamingModel,
    quantization: Quantization,
    calibration: npt.NDArray[np.float32] | None = None,
) -> Converted:
    """Convert a model to a flatbuffer. The front end stays in float32 in every form.

    Args:
        model: the model.
        quantization: "none" (float32), "float16" (weights), "dynamic" (int8 weights), or "int8"
            (the whole network).
        calibration: float32 audio (clips, samples) that sets the ranges of int8. Default None.

    Raises:
        ConversionError: the result has other operators than builtin ones, or lacks weights; or
            int8 without calibration clips.
    """
    if quantization != "int8":
        found = require_audio_length(converter.convert(model, model.signatures(), quantization))
        return Converted(checked(found, model, quantization), None)
    if calibration is None:
        raise ConversionError("expected calibration clips for int8, found none")
    whole, step = to_int8(model, calibration)
    whole = require_audio_length(whole)
    return Converted(checked(whole, model, "int8"), checked(step, model, "int8"))


def checked(found: bytes, model: StreamingModel, quantization: Quantization) -> bytes:
    """Return a flatbuffer if it has only builtin operators and every large weight of the model."""
    converter.check_operators(found)
    sizes = flatbuffer.constant_sizes(found)
    for elements in model.large_weight_sizes:
        expected = elements * BYTES_PER_WEIGHT[quantization]
        if expected not in sizes:
            raise ConversionError(
                f"expected a weight of {expected:,} bytes in the file, found none"
            )
    return found
