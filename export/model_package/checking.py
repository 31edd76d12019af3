"""Compares an exported file with the Keras model that it comes from."""

import math
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
from scipy.special import softmax

from export.tflite.quantization import Quantization
from export.tflite.runner import ModelRunner
from speechgru.errors import ConversionError

MFCC_TOLERANCE = 1e-3
STREAM_TOLERANCE = 1e-4  # between a clip fed hop by hop and the same clip at once


class Tolerance(NamedTuple):
    """How far a form may be from the Keras model.

    Attributes:
        score: greatest difference of a score.
        changed_labels: share of the clips whose label may change; see `changed_labels_limit`.
    """

    score: float
    changed_labels: float


TOLERANCES: dict[Quantization, Tolerance] = {
    "none": Tolerance(1e-4, 0.0),
    "float16": Tolerance(0.02, 0.002),
    "dynamic": Tolerance(0.3, 0.01),
    "int8": Tolerance(0.5, 0.02),
}


def changed_labels_limit(quantization: Quantization, clips: int) -> float:
    """Return the share of clips whose label may change, rounded up to whole clips."""
    return math.ceil(TOLERANCES[quantization].changed_labels * clips) / clips


def check_against_keras(
    flatbuffer: bytes, model: Any, clips: npt.NDArray[np.float32], quantization: Quantization
) -> str:
    """Compare a converted model with the Keras model on clips.

    Args:
        flatbuffer: the converted model.
        model: the Keras model.
        clips: audio, (clips, samples).
        quantization: the form of the converted model.

    Returns:
        One line with the differences.

    Raises:
        ConversionError: a difference is over its limit.
    """
    runner = ModelRunner(flatbuffer)
    front_end = model.get_layer("mfcc")
    expected = softmax(model.predict(clips, batch_size=64, verbose=0), axis=1)
    scores = np.array([runner.recognize(clip) for clip in clips])
    streamed = np.array([runner.stream(clip)[0][-1] for clip in clips])
    score_error = float(np.abs(scores - expected).max())
    stream_error = float(np.abs(streamed - scores).max())
    mfcc_error = max(
        float(np.abs(runner.features(clip) - front_end(clip[None])[0]).max()) for clip in clips
    )
    changed = float(np.mean(scores.argmax(axis=1) != expected.argmax(axis=1)))
    line = (
        f"{len(clips)} clips: scores differ by at most {score_error:.1e}, MFCC by at most "
        f"{mfcc_error:.1e}; {changed:.1%} of the labels changed; hop by hop, scores differ by at "
        f"most {stream_error:.1e}"
    )
    limits = (
        (score_error, TOLERANCES[quantization].score),
        (changed, changed_labels_limit(quantization, len(clips))),
        (mfcc_error, MFCC_TOLERANCE),
        (stream_error, STREAM_TOLERANCE),
    )
    if not all(found <= limit for found, limit in limits):  # NaN must not pass
        raise ConversionError(f"expected a file that agrees with the Keras model, found on {line}")
    return line
