"""One answer for a recording that is longer than the model's window."""

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt

from speechgru.audio.sample_arrays import Samples
from speechgru.detection import NOT_COMMANDS, SILENCE, UNKNOWN, RecordingRule
from speechgru.network import StreamNetwork

Scores = npt.NDArray[np.float32]
Values = npt.NDArray[np.float64]

TAIL_SECONDS = 0.6
"""Silence after a recording: a word at its end has its greatest scores only later."""

_PAUSE = 0.5  # score of silence in a pause
_LEAST_WEIGHT = 1e-6


def score_recording(
    network: StreamNetwork, rule: RecordingRule, samples: Samples
) -> tuple[int, Values]:
    """Find the most confident command in a recording.

    Args:
        network: it is reset.
        rule: the rule for recordings.
        samples: at 16 kHz.

    Returns:
        The index of a label, and scores of all labels that sum to 1. With a command, they are the
        smoothed scores where its own was greatest. Without, the label is "unknown" or "silence",
        whichever has the greater mean score, and they are the mean scores of all hops, each
        weighted by the probability that it is not silence. Before they are made to sum to 1, all
        are limited to the score of the label.
    """
    scores = hop_scores(network, rule, samples)
    smoothed = smooth(scores, rule.smoothing_hops)
    best = find_command(rule, smoothed, unknown_around(rule, scores))
    if best is None:
        label, total = _no_command(rule.labels, scores[: -tail_hops(rule.hop_seconds)])
    else:
        hop, label = best
        total = smoothed[hop]
    limited = np.minimum(total, total[label])
    return label, limited / limited.sum()


def hop_scores(network: StreamNetwork, rule: RecordingRule, samples: Samples) -> Scores:
    """Score a recording and the silence after it: (hops, labels)."""
    network.reset()
    hops = _hops(samples, network.hop_samples, rule.hop_seconds)
    row = np.dtype((np.float32, len(rule.labels)))
    return np.fromiter(map(network.step, hops), row)


def smooth(scores: Scores, hops: int) -> Values:
    """The mean of the last scores at each hop; hops before the start count as zeros."""
    last = np.arange(len(scores))
    return _sum_between(scores, last + 1 - hops, last) / hops


def unknown_around(rule: RecordingRule, scores: Scores) -> Values:
    """The sum of the scores of "unknown" around each hop, in its utterance: (hops,)."""
    hops = np.arange(len(scores))
    if UNKNOWN not in rule.labels:
        return np.zeros(len(scores))
    first, last = _utterances(rule, scores)
    return _sum_between(
        scores[:, rule.labels.index(UNKNOWN)],
        np.maximum(first, hops + 1 - rule.context_hops),
        np.minimum(last, hops + rule.context_hops),
    )


def find_command(rule: RecordingRule, smoothed: Values, unknown: Values) -> tuple[int, int] | None:
    """The hop and the label of the command with the greatest smoothed score, or None.

    Args:
        rule: its thresholds and `max_unknown_hops` decide which commands there are.
        smoothed: what `smooth` returns.
        unknown: what `unknown_around` returns.
    """
    thresholds = np.array([rule.thresholds.get(label, np.inf) for label in rule.labels])
    possible = (smoothed >= thresholds) & (unknown <= rule.max_unknown_hops)[:, np.newaxis]
    if not possible.any():
        return None
    hop, label = np.unravel_index(np.where(possible, smoothed, -1).argmax(), smoothed.shape)
    return int(hop), int(label)


def tail_hops(hop_seconds: float) -> int:
    """Number of hops of silence after a recording."""
    return round(TAIL_SECONDS / hop_seconds)


def _hops(samples: Samples, size: int, seconds: float) -> Iterator[Samples]:
    """The hops of a recording and of the silence after it, (1, size)."""
    whole = len(samples) - len(samples) % size
    for start in range(0, whole, size):
        yield samples[np.newaxis, start : start + size]
    if whole < len(samples):
        yield np.pad(samples[whole:], (0, size - len(samples) + whole))[np.newaxis]
    for _ in range(tail_hops(seconds)):
        yield np.zeros((1, size), np.float32)


def _utterances(
    rule: RecordingRule, scores: Scores
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """The first and the last hop of the utterance of each hop."""
    silent = np.zeros(len(scores) + 2, np.int8)
    if SILENCE in rule.labels:
        silent[1:-1] = scores[:, rule.labels.index(SILENCE)] > _PAUSE
    edges = np.diff(silent)
    starts, ends = np.flatnonzero(edges == 1), np.flatnonzero(edges == -1)
    long = ends - starts >= rule.pause_hops
    bounds = np.array([0, *(starts + ends)[long] // 2, len(scores)])  # the middles of pauses
    number = np.searchsorted(bounds, np.arange(len(scores)), side="right") - 1
    return bounds[number], bounds[number + 1] - 1


def _sum_between(
    values: Scores, first: npt.NDArray[np.int64], last: npt.NDArray[np.int64]
) -> Values:
    """Sums of the values from each first to each last row, both included."""
    sums = np.zeros((len(values) + 1, *values.shape[1:]))
    np.cumsum(values, axis=0, out=sums[1:])
    between: Values = sums[np.minimum(last + 1, len(values))] - sums[np.maximum(first, 0)]
    return np.maximum(between, 0)


def _no_command(labels: tuple[str, ...], scores: Scores) -> tuple[int, Values]:
    """The one of "unknown" and "silence" with the greater mean, and the sums of all labels."""
    scores = scores.astype(np.float64)
    silence = scores[:, labels.index(SILENCE)] if SILENCE in labels else np.zeros(len(scores))
    total: Values = np.maximum(1 - silence, _LEAST_WEIGHT) @ scores
    candidates = [labels.index(label) for label in NOT_COMMANDS if label in labels]
    label = max(candidates or range(len(labels)), key=lambda index: float(total[index]))
    return label, total
