"""The bundled models: NAME.tflite to recognise with, NAME.keras to train on, and their cards."""

from pathlib import Path
from typing import Any

from speechgru.errors import ModelError, show
from speechgru.modelfile import BUNDLED

_FOLDER = Path(__file__).parent
NAMES = tuple(BUNDLED)


def load_model(name: str) -> Any:
    """Load a bundled model as a Keras model, to evaluate it, take it apart or train it further.

    The weights are those of the bundled .tflite file: int8 weights times their scales, as float32.
    The float weights from before quantisation do not exist any more.

    Args:
        name: "medium" or "small".

    Returns:
        A model of `speechgru.build_model` without optimizer, from audio (batch, 16000), float32 in
        [-1, 1], to logits (batch, labels). ``speechgru.Recognizer(name).labels`` are the labels in
        the order of the logits.

    Raises:
        ModelError: the name is unknown, or the package's file is damaged.

    Examples:
        >>> model = speechgru.load_model("medium")
        >>> model.compile("adam", keras.losses.SparseCategoricalCrossentropy(from_logits=True))
    """
    import keras

    from speechgru import models  # noqa: F401  registers the layers that the file names

    if name not in NAMES:
        raise ModelError(
            f"`name` must be one of {', '.join(map(repr, NAMES))}. Received: {show(name)}. "
            "keras.saving.load_model reads other .keras files"
        )
    path = _FOLDER / f"{name}.keras"
    try:
        return keras.saving.load_model(path, compile=False)
    except Exception as error:  # Keras and zipfile raise many types
        raise ModelError(f"{path}: expected a bundled model, found: {show(error)}") from error
