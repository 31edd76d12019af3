"""Load a trained model and its metrics from the folder of a run."""

import json
from pathlib import Path
from typing import Any

from speechgru.architectures import window_samples
from speechgru.modelfile import ModelError
from training.clips.window import RATE

LAYERS = ("mfcc", "scale", "logits")


def load_trained(path: Path, *, streams: bool = False) -> tuple[Any, dict[str, Any]]:
    """Load a Keras model and the `metrics.json` beside it.

    Args:
        path: the folder of a run, or a .keras file.
        streams: whether the model must be one of `speechgru.build_model`, which can recognise a
            stream. Default False.

    Returns:
        The ``keras.Model`` and the content of `metrics.json`.

    Raises:
        ModelError: there is no model, or it does not fit its labels, or its window is not one that
            `speechgru.build_model` allows.
    """
    path = path / "model.keras" if path.is_dir() else path
    metrics = read_metrics(path)
    model = load_keras(path)
    labels = len(metrics["labels"])
    if model.output_shape != (None, labels):
        raise ModelError(
            f"{path}: expected an output of {(None, labels)}, found {model.output_shape}"
        )
    needed = {*LAYERS, "conv"} if streams else {*LAYERS}
    if not {layer.name for layer in model.layers} >= needed:
        raise ModelError(f"{path}: expected a model of speechgru.build_model, found {model.name}")
    _check_window(path, model)
    return model, metrics


def _check_window(path: Path, model: Any) -> None:
    config, shape = model.get_layer("mfcc").config, model.input_shape
    try:
        if len(shape) != 2 or not isinstance(shape[1], int) or config.sample_rate != RATE:
            raise ValueError(f"expected clips at {RATE} Hz of one length, found {shape}")
        window_samples(shape[1] / RATE, config)
    except ValueError as error:
        raise ModelError(f"{path}: {error}") from error


def read_metrics(model: Path) -> dict[str, Any]:
    """Read the `metrics.json` beside a model. This does not need TensorFlow.

    Args:
        model: the model's file, which must exist.

    Returns:
        The metrics, among them "labels", a list of different strings.

    Raises:
        ModelError: there is no model, or no metrics with labels beside it.
    """
    if not model.is_file():
        raise ModelError(f"{model}: expected a trained model, found nothing")
    path = model.parent / "metrics.json"
    try:
        metrics: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        labels = metrics["labels"]
    except (OSError, ValueError, KeyError, TypeError, RecursionError) as error:
        reason = error.strerror if isinstance(error, OSError) else repr(error)
        raise ModelError(f"{path}: expected the labels of {model.name}, found {reason}") from error
    named = isinstance(labels, list) and all(isinstance(label, str) for label in labels)
    if not named or len(set(labels)) < len(labels):
        raise ModelError(f"{path}: expected different labels, found {labels!r}")
    return metrics


def load_keras(path: Path) -> Any:
    """Load a model of this project from a .keras file.

    Raises:
        ModelError: it is not one.
    """
    import keras

    import speechgru.models  # noqa: F401  registers the layers

    try:
        model = keras.saving.load_model(path)
        _ = model.input_shape, model.output_shape
    except Exception as error:  # Keras raises many kinds
        reason = str(error).splitlines()[0] if str(error) else repr(error)
        raise ModelError(f"{path}: expected a Keras model, found: {reason}") from error
    return model
