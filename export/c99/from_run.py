"""Reads a trained model as the content of the C files."""

import hashlib
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from export.c99.front_end import Scaling
from export.c99.generate import Recogniser
from export.c99.quantized_step import read_step
from export.errors import ExportError
from export.model_package.reference_clips import calibration_clips
from export.tflite.int8 import quantized_step
from export.tflite.streaming_model import StreamingModel
from speechgru import modelfile
from speechgru.architectures import HOP_FRAMES
from speechgru.detection import DetectionRule
from speechgru.errors import ModelError
from training.run_files.trained_model import check_layers, load_keras, load_trained

MIN_DEVIATION = 1e-7  # keras.layers.Normalization


class Trained(NamedTuple):
    """A trained model and what its files state.

    Attributes:
        path: the Keras model's file.
        model: the Keras model.
        labels: classes in the order of the logits.
        settings: content of `speechgru.json` of the model file beside it; {} without one.
        data: folder of the clips that it was trained on. None: not stated.
    """

    path: Path
    model: Any
    labels: Sequence[str]
    settings: dict[str, Any]
    data: Path | None


def read_trained(run: Path) -> Trained:
    """Read a model with the labels and the detection rule of the model file beside it.

    MODEL.tflite beside MODEL.keras states both. Without it, the labels are those of metrics.json,
    and the detection rule has its default constants.

    Args:
        run: the run's folder, or a .keras file.

    Raises:
        ExportError: model, model file and metrics have different labels.
        ModelError: the model or the model file cannot be used.
    """
    path = run / "model.keras" if run.is_dir() else run
    file_path = path.with_suffix(".tflite")
    has_metrics = (path.parent / "metrics.json").is_file()
    if not file_path.is_file():
        model, metrics = load_trained(path, streams=True)
        return Trained(path, model, metrics["labels"], {}, _folder(metrics.get("data")))
    if not path.is_file():
        raise ModelError(f"{path}: expected a trained model, found nothing")
    file = modelfile.read(file_path)
    data = None
    if has_metrics:
        model, metrics = load_trained(path, streams=True)
        data = _folder(metrics.get("data"))
        if list(metrics["labels"]) != list(file.labels):
            raise ExportError(
                f"{file_path}: expected the labels of {path.parent / 'metrics.json'}, found "
                f"{', '.join(map(repr, file.labels))}"
            )
    else:
        model = load_keras(path)
        check_layers(model, path, streams=True)
    if model.output_shape != (None, len(file.labels)):
        raise ExportError(
            f"{path}: expected {len(file.labels)} outputs as {file_path} has labels, "
            f"found {model.output_shape}"
        )
    return Trained(path, model, file.labels, file.settings, data)


def recogniser(trained: Trained, data: Path | None) -> Recogniser:
    """Quantise a model and return the content of its C files.

    Args:
        trained: the model.
        data: folder of clips that set the ranges of int8. None: the run's data, or the
            repository's samples if that folder is gone.

    Raises:
        ConversionError: the model cannot be converted.
        DataError: the data cannot be used.
    """
    streaming = StreamingModel(trained.model)
    calibration = calibration_clips(data or trained.data, trained.labels, streaming.window_samples)
    step = quantized_step(streaming, calibration.samples)
    return recogniser_of_step(trained, step, calibration.source)


def recogniser_of_step(trained: Trained, step: Any, calibrated_on: str) -> Recogniser:
    """Return the content of the C files of a model whose step was quantised before.

    Args:
        trained: the model.
        step: its int8 step as flatbuffer objects (ModelT).
        calibrated_on: the clips that set the ranges of int8, in words.

    Raises:
        ConversionError: the step cannot be represented in C.
    """
    network = read_step(step)
    scale = trained.model.get_layer("scale")
    config = trained.model.get_layer("mfcc").config
    deviation = np.maximum(np.sqrt(np.ravel(scale.variance)), MIN_DEVIATION)
    sha256 = hashlib.sha256(trained.path.read_bytes()).hexdigest()
    origin = [f"{trained.path.name}, SHA-256 {sha256}.", f"Calibrated on {calibrated_on}."]
    origin += [f"Licence: {trained.settings['licence']}"] if trained.settings.get("licence") else []
    return Recogniser(
        config,
        Scaling(np.ravel(scale.mean).astype(np.float64), deviation, network.mfcc),
        network,
        DetectionRule.from_settings(
            trained.settings, trained.labels, HOP_FRAMES * config.hop_length / config.sample_rate
        ),
        origin,
    )


def _folder(data: Any) -> Path | None:
    return Path(data) if isinstance(data, str) and os.path.isdir(data) else None
