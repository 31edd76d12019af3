"""A trained Keras model or an exported file, behind one function that predicts."""

import dataclasses
from collections.abc import Callable
from pathlib import Path

import numpy as np
import numpy.typing as npt
import scipy.special

from speechgru import modelfile
from speechgru.detection import NOT_COMMANDS
from speechgru.modelfile import ModelError
from speechgru.recognizer import Recognizer
from training.clips.window import RATE

Audio = npt.NDArray[np.float32]
Probabilities = npt.NDArray[np.float64]
Predict = Callable[[Audio], Probabilities]


@dataclasses.dataclass(frozen=True)
class EvaluatedModel:
    """A model to evaluate.

    Attributes:
        path: its file.
        labels: its labels, unknown and silence among them.
        window: samples of a clip.
        predict: maps clips (n, window) in [-1, 1] to the probabilities of the labels (n, labels).
    """

    path: Path
    labels: tuple[str, ...]
    window: int
    predict: Predict


def load_model(path: Path) -> EvaluatedModel:
    """Load a model.

    Args:
        path: a run's folder, its model.keras, or an exported .tflite file. TensorFlow is imported
            only for the first two.

    Raises:
        ModelError: there is no model, or it lacks one of the labels unknown and silence.
    """
    path = path / "model.keras" if path.is_dir() else path
    if not path.is_file():
        raise ModelError(f"{path}: expected a trained model, found nothing")
    labels, window, predict = (_load_keras if path.suffix == ".keras" else _load_tflite)(path)
    missing = [label for label in NOT_COMMANDS if label not in labels]
    if missing:
        found = ", ".join(map(repr, labels))
        raise ModelError(f"{path}: expected a label {missing[0]!r}, found {found}")
    return EvaluatedModel(path, labels, window, predict)


def _load_tflite(path: Path) -> tuple[tuple[str, ...], int, Predict]:
    recognizer = Recognizer(path)

    def predict(clips: Audio) -> Probabilities:
        results = recognizer.recognize(list(clips), RATE)
        return np.array(
            [[result.scores[label] for label in recognizer.labels] for result in results]
        )

    return recognizer.labels, modelfile.read(path).window_samples, predict


def _load_keras(path: Path) -> tuple[tuple[str, ...], int, Predict]:
    from training.output.tensorflow_start import start_tensorflow

    start_tensorflow()
    from training.run_files.trained_model import load_trained

    model, metrics = load_trained(path)

    def predict(clips: Audio) -> Probabilities:
        logits = np.asarray(model.predict_on_batch(clips), np.float64)
        probabilities: Probabilities = scipy.special.softmax(logits, axis=1)
        return probabilities

    return tuple(metrics["labels"]), model.input_shape[1], predict
