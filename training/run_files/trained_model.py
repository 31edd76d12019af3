"""Load a trained model and its metrics from the folder of a run."""

import json
from pathlib import Path
from typing import Any

from speechgru.architectures import window_samples
from speechgru.modelfile import ModelError
from training.clips.window import RATE, WINDOW

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
    shapes = (model.input_shape, model.output_shape)
    expected = ((None, _window(model)), (None, len(metrics["labels"])))
    if shapes != expected:
        raise ModelError(f"{path}: expected input and output of {expected}, found {shapes}")
    check_layers(model, path, streams=streams)
    try:
        window_samples(model.input_shape[1] / RATE, model.get_layer("mfcc").config)
    except ValueError as error:
        raise ModelError(f"{path}: {error}") from error
    return model, metrics


def check_layers(model: Any, path: Path, *, streams: bool) -> None:
    """Raise ModelError unless a model has the layers of `speechgru.build_model`.

    Args:
        model: the Keras model.
        path: its file, for the message.
        streams: whether it must be able to recognise a stream.
    """
    needed = {*LAYERS, "conv"} if streams else {*LAYERS}
    if not {layer.name for layer in model.layers} >= needed:
        raise ModelError(f"{path}: expected a model of speechgru.build_model, found {model.name}")


def _window(model: Any) -> int:
    """The samples of a model's input if it is one of audio, else those of the usual window."""
    shape = model.input_shape
    is_audio = isinstance(shape, tuple) and len(shape) == 2 and isinstance(shape[1], int)
    return shape[1] if is_audio else WINDOW


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
