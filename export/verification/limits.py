"""The limits within which a form counts as the same model."""

import math
from collections.abc import Mapping
from typing import NamedTuple

from export.model_package.checking import (
    MFCC_TOLERANCE,
    STREAM_TOLERANCE,
    TOLERANCES,
    changed_labels_limit,
)
from export.tflite.quantization import Quantization
from export.verification.forms import FormResult

ACCURACY_LOSS: dict[Quantization, float] = {
    "none": 0.0,
    "float16": 0.002,
    "dynamic": 0.002,
    "int8": 0.01,
}
ROUNDING = 1e-9  # of differences of accuracies
# A state of int8 does not forget: after another first second, LiteRT's own detections in
# 100 minutes of words differ from its first ones by 1.5 %.
CHANGED_DETECTIONS = 0.03
STREAM_ACCURACY_LOSS = 0.01  # between separate clips and one stream of them


class Limit(NamedTuple):
    """A figure and the greatest value that it may have."""

    name: str
    found: float | None
    limit: float

    @property
    def is_exceeded(self) -> bool:
        """Whether the figure is over its limit, or NaN."""
        return self.found is not None and not self.found <= self.limit + ROUNDING


def failures(
    results: Mapping[str, FormResult],
    quantizations: Mapping[str, Quantization],
    keras_accuracy: float,
    clips: int,
    changed_labels_limits: Mapping[str, float],
) -> list[str]:
    """Return a line for each figure that is over its limit.

    Args:
        results: what was measured of each form.
        quantizations: the kind of each form; "none" for forms that are left out.
        keras_accuracy: accuracy of the Keras model.
        clips: number of clips. One clip more or less is within every limit of accuracy.
        changed_labels_limits: share of the clips whose label may differ from the int8 form's, for
            each form that is compared with it.
    """
    return [
        f"{name}: {limit.name} is {limit.found:.2g}, over {limit.limit:.2g}"
        for name, result in results.items()
        for limit in limits_of(
            result,
            quantizations.get(name, "none"),
            keras_accuracy,
            clips,
            changed_labels_limits.get(name, 0.0),
        )
        if limit.is_exceeded
    ]


def share_of_changed_detections(result: FormResult) -> float | None:
    """Return the share, or None where it was not measured."""
    if result.changed_detections is None or result.stream_detections is None:
        return None
    return result.changed_detections / max(result.stream_detections, 1)


def limits_of(
    result: FormResult,
    quantization: Quantization,
    keras_accuracy: float,
    clips: int,
    changed_labels_limit_from_int8: float,
) -> list[Limit]:
    """Return the figures of a form with their limits."""
    loss = keras_accuracy - result.accuracy
    stream_loss = result.accuracy - result.stream_accuracy
    return [
        Limit(
            "difference of a score from Keras",
            result.score_difference,
            TOLERANCES[quantization].score,
        ),
        Limit(
            "share of labels that differ from Keras",
            result.changed_labels,
            changed_labels_limit(quantization, clips),
        ),
        Limit(
            "share of labels that differ from the int8 form",
            result.changed_labels_from_int8,
            math.ceil(changed_labels_limit_from_int8 * clips) / clips,
        ),
        Limit(
            "share of detections that differ from the int8 form",
            share_of_changed_detections(result),
            CHANGED_DETECTIONS,
        ),
        Limit("loss of accuracy against Keras", loss, ACCURACY_LOSS[quantization] + 1 / clips),
        Limit("difference of an MFCC from librosa", result.mfcc_difference, MFCC_TOLERANCE),
        Limit(
            "difference between hop by hop and at once",
            result.hop_by_hop_difference,
            STREAM_TOLERANCE,
        ),
        Limit("loss of accuracy in one stream", stream_loss, STREAM_ACCURACY_LOSS + 1 / clips),
    ]
