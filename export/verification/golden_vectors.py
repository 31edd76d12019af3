"""Golden vectors: samples and the features and scores that every port of a model must give."""

from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from export.model_package.reference_clips import SAMPLES
from export.tflite.runner import ModelRunner
from speechgru import audio
from speechgru.modelfile import ModelFile

WORDS = ("yes", "stop")  # of the repository's samples


def golden_vectors(file: ModelFile, sha256: str, model: Any) -> dict[str, Any]:
    """Return the content of MODEL.golden.json.

    Args:
        file: the model file.
        sha256: of the file.
        model: the Keras model that it comes from, for the scaling of the features.
    """
    runner = ModelRunner(file.flatbuffer)
    scale = model.get_layer("scale")
    return {
        "model": Path(file.name).name,
        "sha256": sha256,
        "labels": list(file.labels),
        "scale": "a sample of 32768 is 1.0",
        "hop_samples": file.settings["hop_samples"],
        "mfcc_mean": _rounded(np.ravel(scale.mean), 5),
        "mfcc_deviation": _rounded(np.sqrt(np.ravel(scale.variance)), 5),
        "vectors": [
            _vector(runner, name, sound) for name, sound in _sounds(file.window_samples).items()
        ],
    }


def _sounds(length: int) -> dict[str, npt.NDArray[np.float64]]:
    """Sounds of one window by their names, in [-1, 1]."""
    sounds = {
        "digital silence": np.zeros(length),
        "white noise": 0.1 * np.random.default_rng(0).normal(size=length),
    }
    for word in WORDS:
        path = min(SAMPLES.glob(f"{word}-*.wav"))
        sounds[path.name] = np.resize(np.pad(audio.load(path), (0, length)), length)
    return sounds


def _vector(runner: ModelRunner, name: str, sound: npt.NDArray[np.float64]) -> dict[str, Any]:
    samples = np.clip(np.round(32768 * sound), -32768, 32767).astype(np.int16)
    window = samples.astype(np.float32) / np.float32(32768)
    return {
        "name": name,
        "samples": samples.tolist(),
        "mfcc": _rounded(runner.features(window), 4),
        "scores": _rounded(runner.recognize(window), 6),
        "stream_scores": _rounded(runner.stream(window)[0], 6),
    }


def _rounded(values: npt.NDArray[np.generic], decimals: int) -> Any:
    return values.astype(float).round(decimals).tolist()
