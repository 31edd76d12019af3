"""The model's scores of a stream, and the detections that a rule makes of them."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from speechgru.detection import Detection, DetectionRule, Detector
from speechgru.network import StreamNetwork
from training.evaluation.evaluated_model import Audio

Scores = npt.NDArray[np.float32]


class StreamDetection(NamedTuple):
    """A detection, and the time at which it was made. Times are in seconds of the stream."""

    label: str
    time: float
    confidence: float
    decided: float


def score_stream(network: StreamNetwork, samples: Audio) -> Scores:
    """Return the scores after each hop of a stream, (hops, labels); zeros fill the last hop.

    Args:
        network: starts anew.
        samples: mono, 16 kHz, shape (samples,).
    """
    network.reset()
    hop = network.hop_samples
    hops = np.pad(samples, (0, -samples.size % hop)).reshape(-1, 1, hop)
    return np.array([network.step(one) for one in hops], np.float32)


def detect(rule: DetectionRule, scores: Scores) -> list[StreamDetection]:
    """Apply the detection rule of speechgru to the scores of a stream."""
    return _detect([rule], scores)[0]


def sweep(
    rule: DetectionRule, scores: Scores, thresholds: Sequence[float]
) -> list[list[StreamDetection]]:
    """Apply a rule with each of some thresholds, the same for all commands."""
    return _detect([rule.with_threshold(threshold) for threshold in thresholds], scores)


def _detect(rules: Sequence[DetectionRule], scores: Scores) -> list[list[StreamDetection]]:
    """Apply rules that differ in their thresholds alone."""
    detectors = [Detector(rule) for rule in rules]
    found: list[list[StreamDetection]] = [[] for _ in rules]
    for number, row in enumerate(scores.tolist(), 1):
        evidence = detectors[0].gather(row)
        for detections, detector in zip(found, detectors, strict=True):
            _add(detections, detector.decide(evidence), number * rules[0].hop_seconds)
    for detections, detector in zip(found, detectors, strict=True):
        _add(detections, detector.flush(), len(scores) * rules[0].hop_seconds)
    return found


def _add(detections: list[StreamDetection], one: Detection | None, decided: float) -> None:
    if one is not None:
        detections.append(StreamDetection(one.label, one.time, one.confidence, decided))
