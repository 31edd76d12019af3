"""One answer for a recording that is longer than the model's window."""

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt

from speechgru.audio.sample_arrays import Samples
from speechgru.detection import NOT_COMMANDS, Detection, DetectionRule, Detector
from speechgru.network import StreamNetwork

TAIL_SECONDS = 0.6
"""Silence after a recording: a word at its end has its greatest scores only later."""

_LEAST_WEIGHT = 1e-6


def score_recording(
    network: StreamNetwork, rule: DetectionRule, samples: Samples
) -> tuple[int, npt.NDArray[np.float64]]:
    """Find the most confident detection in a recording.

    Args:
        network: it is reset.
        rule: the rule for recordings.
        samples: at 16 kHz.

    Returns:
        The index of a label, and scores of all labels that sum to 1. With a detection, they are
        the smoothed scores where its confidence was greatest. Without, the label is "unknown" or
        "silence", whichever has the greater mean score, and they are the mean scores of all hops,
        each weighted by the probability that it is not silence. Before they are made to sum to 1,
        all are limited to the score of the label.
    """
    network.reset()
    weights = _NotSilence(rule.labels)
    found = _detections(network, Detector(rule), samples, weights)
    best = max(found, key=lambda pair: pair[0].confidence, default=None)
    if best is None:
        label, total = weights.label(), weights.total
    else:
        label, total = rule.labels.index(best[0].label), np.array(best[1])
    limited = np.minimum(total, total[label])
    return label, limited / limited.sum()


def _detections(
    network: StreamNetwork, detector: Detector, samples: Samples, weights: "_NotSilence"
) -> Iterator[tuple[Detection, list[float]]]:
    """Yield each detection and its scores; give `weights` the scores of the recording's hops."""
    hops = _hops(samples, network.hop_samples, detector.rule.hop_seconds)
    for number, hop in enumerate(hops):
        scores = network.step(hop)
        if number * network.hop_samples < samples.size:
            weights.add(scores)
        if (found := detector.push(scores)) is not None:
            yield found, detector.peak_scores
    if (found := detector.flush()) is not None:
        yield found, detector.peak_scores


def _hops(samples: Samples, size: int, seconds: float) -> Iterator[Samples]:
    """The hops of a recording and of the silence after it, (1, size)."""
    whole = len(samples) - len(samples) % size
    for start in range(0, whole, size):
        yield samples[np.newaxis, start : start + size]
    if whole < len(samples):
        yield np.pad(samples[whole:], (0, size - len(samples) + whole))[np.newaxis]
    for _ in range(tail_hops(seconds)):
        yield np.zeros((1, size), np.float32)


def tail_hops(hop_seconds: float) -> int:
    """Number of hops of silence after a recording."""
    return round(TAIL_SECONDS / hop_seconds)


class _NotSilence:
    """Sums of hops' scores, weighted by the probability that they are not silence.

    Attributes:
        total: the sum for each label.
    """

    def __init__(self, labels: tuple[str, ...]) -> None:
        self._candidates = [labels.index(label) for label in NOT_COMMANDS if label in labels]
        self._silence = labels.index("silence") if "silence" in labels else None
        self.total = np.zeros(len(labels))

    def add(self, scores: list[float]) -> None:
        silence = 0.0 if self._silence is None else scores[self._silence]
        self.total += max(1 - silence, _LEAST_WEIGHT) * np.array(scores)

    def label(self) -> int:
        """The one of "unknown" and "silence" with the greater sum; without them, any label."""
        candidates = self._candidates or range(len(self.total))
        return max(candidates, key=lambda index: float(self.total[index]))
