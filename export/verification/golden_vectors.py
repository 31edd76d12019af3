"""Golden vectors: samples and the features, scores and detections that every port must give."""

import base64
import dataclasses
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from export.model_package.reference_clips import SAMPLES
from export.tflite.runner import ModelRunner
from speechgru import audio
from speechgru.detection import CONSTANTS, Detector
from speechgru.modelfile import ModelFile
from training.clips.window import to_int16

WORDS = ("yes", "stop")  # of the repository's samples
STREAM_WORDS = ("yes", "window", "stop")
_NOISE = 1e-3  # RMS of the white noise in the stream


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
            _vector(runner, name, samples)
            for name, samples in golden_windows(file.window_samples).items()
        ],
        "stream": golden_stream(runner, file),
    }


def golden_windows(length: int) -> dict[str, npt.NDArray[np.int16]]:
    """Return sounds of one window, (length,), by their names."""
    sounds = {
        "digital silence": np.zeros(length),
        "white noise": 0.1 * np.random.default_rng(0).normal(size=length),
    }
    for word in WORDS:
        path = _sample(word)
        sounds[path.name] = np.resize(np.pad(audio.load(path), (0, length)), length)
    return {name: to_int16(sound) for name, sound in sounds.items()}


def _vector(runner: ModelRunner, name: str, samples: npt.NDArray[np.int16]) -> dict[str, Any]:
    window = samples.astype(np.float32) / np.float32(32768)
    return {
        "name": name,
        "samples": samples.tolist(),
        "mfcc": _rounded(runner.features(window), 4),
        "scores": _rounded(runner.recognize(window), 6),
        "stream_scores": _rounded(runner.stream(window)[0], 6),
    }


def golden_stream(runner: ModelRunner, file: ModelFile) -> dict[str, Any]:
    """Words over noise, and the detections in them.

    The samples are 16-bit, little-endian, in base64.
    """
    samples = golden_stream_samples(file.sample_rate, file.hop_samples)
    scores, _ = runner.stream(samples.astype(np.float32) / np.float32(32768))
    rule = file.detection_rule()
    detector = Detector(rule)
    detections = [found for row in scores.tolist() if (found := detector.push(row))]
    return {
        "name": f"{', '.join(STREAM_WORDS)} over white noise",
        "samples": base64.b64encode(samples.astype("<i2").tobytes()).decode(),
        "hop_seconds": rule.hop_seconds,
        "rule": {name: getattr(rule, name) for name in CONSTANTS},
        "detections": [
            {**dataclasses.asdict(found), "confidence": round(found.confidence, 6)}
            for found in detections
        ],
    }


def golden_stream_samples(rate: int, hop: int) -> npt.NDArray[np.int16]:
    """Return words over noise.

    A second of noise follows the last word, so that no decision is awaited at the end, and the
    length is a whole number of hops.
    """
    parts: list[npt.NDArray[np.floating]] = [np.zeros(rate // 2)]
    for word in STREAM_WORDS:
        parts += [audio.load(_sample(word)), np.zeros(3 * rate // 5)]
    sound = np.concatenate([*parts, np.zeros(2 * rate // 5)])
    sound = sound[: len(sound) // hop * hop]
    return to_int16(sound + _NOISE * np.random.default_rng(0).normal(size=len(sound)))


def _sample(word: str) -> Path:
    """One of the repository's samples of a word."""
    return min(SAMPLES.glob(f"{word}-*.wav"))


def _rounded(values: npt.NDArray[np.generic], decimals: int) -> Any:
    return values.astype(float).round(decimals).tolist()
