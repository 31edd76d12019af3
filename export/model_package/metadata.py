"""The metadata of a model file: the content of `speechgru.json`."""

import dataclasses
import platform
from importlib.metadata import version
from typing import Any

from export.model_package.run_metrics import RunMetrics
from export.tflite.quantization import Quantization
from export.tflite.streaming_model import StreamingModel
from speechgru.detection import default_settings


def model_metadata(
    model: Any, streaming: StreamingModel, metrics: RunMetrics, quantization: Quantization
) -> dict[str, Any]:
    """Return what `speechgru.json` states about a model.

    Args:
        model: the Keras model.
        streaming: the same model as its file runs it.
        metrics: what its run states about it.
        quantization: the form of the file.
    """
    return {
        "front_end": dataclasses.asdict(model.get_layer("mfcc").config),
        "window_samples": streaming.window_samples,
        "hop_samples": streaming.hop_samples,
        "state": {name: list(shape) for name, shape in streaming.state_shapes.items()},
        "detection": default_settings(metrics.labels),
        "quantization": quantization,
        "parameters": metrics.parameters,
        "training_data": metrics.training_data,
        "validation_accuracy": metrics.validation_accuracy,
        "validation_clips": metrics.validation_clips,
        "validation_unknown": metrics.validation_unknown,
        "false_commands": metrics.false_commands and dataclasses.asdict(metrics.false_commands),
        "licence": metrics.licence,
        "versions": {
            "python": platform.python_version(),
            **{name: version(name) for name in ("tensorflow", "keras", "librosa")},
        },
    }
