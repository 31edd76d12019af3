"""The model's scores of a stream, and the detections that a rule makes of them."""

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from speechgru.detection import DetectionRule, Detector
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
    detector = Detector(rule)
    detections = []
    for number, row in enumerate(scores.tolist(), 1):
        found = detector.push(row)
        if found is not None:
            decided = number * rule.hop_seconds
            detections.append(StreamDetection(found.label, found.time, found.confidence, decided))
    found = detector.flush()
    if found is not None:
        decided = len(scores) * rule.hop_seconds
        detections.append(StreamDetection(found.label, found.time, found.confidence, decided))
    return detections
