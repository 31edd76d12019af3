"""Clips, predictions and models that several tests of the evaluation use."""

from pathlib import Path

import numpy as np

from training.data.evaluation_set import EvaluationSet
from training.evaluation.evaluated_model import EvaluatedModel

LABELS = ("yes", "no", "unknown", "silence")
WORDS = ["yes", "no", "bird", "unknown", "silence"]


def noise_clips(words, level=0.05, seed=0):
    """Clips of noise at an RMS, one for each word; every clip has a speaker of its own."""
    rng = np.random.default_rng(seed)
    samples = np.round(32768 * level * rng.normal(size=(len(words), 16000))).astype(np.int16)
    names = [f"{word}/{number}" for number, word in enumerate(words)]
    speakers = [f"{word}{i}" if word != "silence" else "" for i, word in enumerate(words)]
    return EvaluationSet(samples, list(words), names, speakers, [])


def certain(predictions):
    """Probabilities of 1 for the predicted labels."""
    return np.eye(len(LABELS))[[LABELS.index(label) for label in predictions]]


def recording_model():
    """A model that always predicts the first label, and the list of the audio that it is given."""
    inputs = []

    def predict(audio):
        inputs.append(np.array(audio))
        return np.eye(len(LABELS))[np.zeros(len(audio), int)]

    return EvaluatedModel(Path("fake"), LABELS, 16000, predict), inputs
