"""A trained model and what its run says of it."""

import json
from pathlib import Path
from typing import Any

from speechgru.modelfile import ModelError
from training.clips.window import WINDOW

LAYERS = ("mfcc", "scale", "logits")


def load_trained(path: Path, *, streams: bool = False) -> tuple[Any, dict[str, Any]]:
    """The Keras model of a run's folder, or a .keras file, and the metrics.json beside it.

    Args:
        path: the folder or the file.
        streams: whether it must be a model of `speechgru.build_model`, and no other teacher.

    Raises:
        ModelError: nothing is there, or no such model with these labels.
    """
    import keras

    import speechgru.models  # noqa: F401  registers the layers that the file names

    path = path / "model.keras" if path.is_dir() else path
    if not path.is_file():
        raise ModelError(f"{path}: expected a trained model, found nothing")
    notes = path.parent / "metrics.json"
    try:
        metrics = json.loads(notes.read_text(encoding="utf-8"))
        labels = metrics["labels"]
    except (OSError, ValueError, KeyError, TypeError) as error:
        reason = error.strerror if isinstance(error, OSError) else repr(error)
        raise ModelError(f"{notes}: expected the labels of {path.name}, found {reason}") from error
    named = isinstance(labels, list) and all(isinstance(label, str) for label in labels)
    if not named or len(set(labels)) < len(labels):
        raise ModelError(f"{notes}: expected different labels, found {labels!r}")
    try:
        model = keras.saving.load_model(path)
        found = (model.input_shape, model.output_shape)
    except Exception as error:  # Keras raises many kinds for what is no model
        reason = str(error).splitlines()[0]
        raise ModelError(f"{path}: expected a Keras model, found {reason}") from error
    expected = ((None, WINDOW), (None, len(labels)))
    if found != expected:
        raise ModelError(f"{path}: expected input and output of {expected}, found {found}")
    needed = {*LAYERS, "conv"} if streams else {*LAYERS}
    if not {layer.name for layer in model.layers} >= needed:
        raise ModelError(f"{path}: expected a model of speechgru.build_model, found {model.name}")
    return model, metrics
