"""TODO: model."""

from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import scipy.special

from speechgru.modelfile import ModelError
from speechgru.recognizer import NOT_COMMANDS, Recognizer
from training.clips.window import RATE
from training.loop.trained_model import load_trained

Audio = npt.NDArray[np.float32]
Scores = npt.NDArray[np.float64]


class Model(NamedTuple):
    """A model: its file, its labels, and clips (n, WINDOW) -> probabilities (n, labels)."""

    path: Path
    labels: tuple[str, ...]
    score: Callable[[Audio], Scores]


def load_model(path: Path) -> Model:
    """A run's folder, its model.keras, or an exported file.

    Raises:
        ModelError: there is no model, or none with labels, unknown and silence among them.
    """
    path = path / "model.keras" if path.is_dir() else path
    if not path.is_file():
        raise ModelError(f"{path}: expected a trained model, found nothing")
    labels, score = (_keras if path.suffix == ".keras" else _tflite)(path)
    missing = [label for label in NOT_COMMANDS if label not in labels]
    if missing:
        raise ModelError(f"{path}: expected a label {missing[0]}, found {' '.join(labels)}")
    return Model(path, labels, score)


def _tflite(path: Path) -> tuple[tuple[str, ...], Callable[[Audio], Scores]]:
    recognizer = Recognizer(path)

    def score(clips: Audio) -> Scores:
        found = [answer.scores for answer in recognizer.recognize(list(clips), RATE)]
        return np.array([[scores[label] for label in recognizer.labels] for scores in found])

    return recognizer.labels, score


def _keras(path: Path) -> tuple[tuple[str, ...], Callable[[Audio], Scores]]:
    model, metrics = load_trained(path)

    def score(clips: Audio) -> Scores:
        logits = np.asarray(model.predict_on_batch(clips), np.float64)
        return scipy.special.softmax(logits, axis=1)

    return tuple(metrics["labels"]), score
