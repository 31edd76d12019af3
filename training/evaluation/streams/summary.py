"""What is measured in streams, from their scores."""

import dataclasses
from collections.abc import Sequence
from typing import Any, NamedTuple, TypedDict

import numpy as np

from speechgru.detection import DetectionRule
from training.evaluation.metrics import Proportion, proportion
from training.evaluation.speakers import is_held_out_speaker
from training.evaluation.streams.metrics import (
    Rate,
    WordMetrics,
    WordResult,
    match,
    rate,
    word_metrics,
)
from training.evaluation.streams.options import StreamOptions
from training.evaluation.streams.scored_streams import ScoredNegative, ScoredWords
from training.evaluation.streams.scores import StreamDetection, detect, sweep
from training.evaluation.streams.thresholds import GRID, FalseAccepts, count_false_accepts

ALL_FOLDERS = "all folders"


class NegativeMetrics(TypedDict):
    """False accepts in the streams of one source; the halves are those of the speakers."""

    speakers: int
    all: Rate
    development: Rate
    held_out: Rate


class StreamLabelMetrics(TypedDict):
    """A command in streams; its recall by condition, and its false accepts in recorded speech."""

    threshold: float
    recall: dict[str, Proportion]
    false_accepts: Rate


class DetCurve(TypedDict):
    """The trade between false accepts and missed words, with one threshold for all commands."""

    thresholds: list[float]
    false_accepts_per_hour: list[float]
    missed: dict[str, list[float]]


class StreamReport(TypedDict):
    """All that is measured in streams.

    Attributes:
        recipe: what the streams consist of.
        rule: the constants of the detection rule.
        speakers: whose words and recordings were used.
        words: metrics by condition.
        labels: metrics by command.
        negatives: false accepts by source; the folders together are the source "all folders".
        expected: false accepts an hour of held-out speakers, as the tail of their scores predicts
            them; None without folders.
        det: the DET curve; None without folders.
        chosen_for: false accepts an hour for which the thresholds were chosen, or None.
    """

    recipe: dict[str, Any]
    rule: dict[str, Any]
    speakers: str
    words: dict[str, WordMetrics]
    labels: dict[str, StreamLabelMetrics]
    negatives: dict[str, NegativeMetrics]
    expected: float | None
    det: DetCurve | None
    chosen_for: float | None


class FalseAccept(NamedTuple):
    """A detection in a stream without a command; the time is that in the recording."""

    source: str
    recording: str
    time: float
    label: str
    confidence: float


class StreamResult(NamedTuple):
    """The report, and each word and each false accept for its tables.

    Attributes:
        report: the metrics.
        words: the results for each word, by condition.
        false_accepts: all of them.
    """

    report: StreamReport
    words: dict[str, list[WordResult]]
    false_accepts: list[FalseAccept]


def measure(
    rule: DetectionRule,
    positives: dict[str, list[ScoredWords]],
    negatives: Sequence[ScoredNegative],
    options: StreamOptions,
) -> StreamResult:
    """Apply a rule to scored streams and compute all metrics.

    Args:
        rule: the detection rule with its thresholds.
        positives: streams of words, by condition.
        negatives: streams without a command.
        options: what was evaluated.
    """
    late = options.recipe.late_seconds
    words, metrics = {}, {}
    for name, streams in positives.items():
        words[name], others = match_words(rule, streams, late)
        metrics[name] = word_metrics(words[name], others)
    detected = [detect(rule, one.scores) for one in negatives]
    spoken = [one for one in negatives if one.speaker]
    held_out = [one for one in spoken if is_held_out_speaker(one.speaker)]
    report: StreamReport = {
        "recipe": dataclasses.asdict(options.recipe),
        "rule": rule_constants(rule),
        "speakers": options.speakers.description,
        "words": metrics,
        "labels": _measure_labels(rule, words, negatives, detected),
        "negatives": _measure_negatives(negatives, detected),
        "expected": _expected(rule, held_out),
        "det": _det_curve(rule, positives, spoken, late) if spoken else None,
        "chosen_for": options.choose,
    }
    false_accepts = [
        _false_accept(one, detection)
        for one, detections in zip(negatives, detected, strict=True)
        for detection in detections
    ]
    return StreamResult(report, words, false_accepts)


def match_words(
    rule: DetectionRule, streams: Sequence[ScoredWords], late: float
) -> tuple[list[WordResult], int]:
    """Return the results for the words of streams, and the number of other detections."""
    results: list[WordResult] = []
    others = 0
    for stream in streams:
        matched, more = match(stream.words, detect(rule, stream.scores), late)
        results += matched
        others += len(more)
    return results, others


def count_in(rule: DetectionRule, negatives: Sequence[ScoredNegative]) -> FalseAccepts:
    """Count false accepts in streams at each threshold of the grid."""
    hours = sum(one.hours for one in negatives)
    return count_false_accepts(rule, [one.scores for one in negatives], hours)


def _measure_labels(
    rule: DetectionRule,
    words: dict[str, list[WordResult]],
    negatives: Sequence[ScoredNegative],
    detected: Sequence[Sequence[StreamDetection]],
) -> dict[str, StreamLabelMetrics]:
    spoken = [pair for pair in zip(negatives, detected, strict=True) if pair[0].speaker]
    hours = sum(one.hours for one, _ in spoken)
    counts = [detection.label for _, found in spoken for detection in found]
    return {
        label: {
            "threshold": rule.thresholds[label],
            "recall": {name: _recall_of(label, results) for name, results in words.items()},
            "false_accepts": rate(counts.count(label), hours),
        }
        for label in rule.thresholds
    }


def _recall_of(label: str, results: Sequence[WordResult]) -> Proportion:
    of_label = [result for result in results if result.word.label == label]
    return proportion(sum(result.found is not None for result in of_label), len(of_label))


def _measure_negatives(
    negatives: Sequence[ScoredNegative], detected: Sequence[Sequence[StreamDetection]]
) -> dict[str, NegativeMetrics]:
    pairs = [(one, len(found)) for one, found in zip(negatives, detected, strict=True)]
    by_source: dict[str, list[tuple[ScoredNegative, int]]] = {}
    for stream, count in pairs:
        by_source.setdefault(stream.source, []).append((stream, count))
    spoken = [(stream, count) for stream, count in pairs if stream.speaker]
    if spoken:
        by_source = {ALL_FOLDERS: spoken, **by_source}
    return {source: _negative_metrics(rows) for source, rows in by_source.items()}


def _negative_metrics(rows: Sequence[tuple[ScoredNegative, int]]) -> NegativeMetrics:
    def total(chosen: Sequence[tuple[ScoredNegative, int]]) -> Rate:
        return rate(sum(count for _, count in chosen), sum(stream.hours for stream, _ in chosen))

    spoken = [row for row in rows if row[0].speaker]
    return {
        "speakers": len({stream.speaker for stream, _ in spoken}),
        "all": total(rows),
        "development": total([row for row in spoken if not is_held_out_speaker(row[0].speaker)]),
        "held_out": total([row for row in spoken if is_held_out_speaker(row[0].speaker)]),
    }


def _det_curve(
    rule: DetectionRule,
    positives: dict[str, list[ScoredWords]],
    spoken: Sequence[ScoredNegative],
    late: float,
) -> DetCurve:
    counted = count_in(rule, spoken)
    missed: dict[str, list[float]] = {}
    for name, streams in positives.items():
        found = np.zeros(len(GRID))
        for stream in streams:
            for column, detections in enumerate(sweep(rule, stream.scores, GRID)):
                results = match(stream.words, detections, late)[0]
                found[column] += sum(result.found is not None for result in results)
        missed[name] = (1 - found / sum(len(stream.words) for stream in streams)).tolist()
    return {
        "thresholds": list(GRID),
        "false_accepts_per_hour": (counted.counts.sum(axis=0) / counted.hours).tolist(),
        "missed": missed,
    }


def _expected(rule: DetectionRule, held_out: Sequence[ScoredNegative]) -> float | None:
    return count_in(rule, held_out).expected(rule.thresholds) if held_out else None


def _false_accept(stream: ScoredNegative, detection: StreamDetection) -> FalseAccept:
    started = [one for one in stream.recordings if one.start <= detection.time]
    recording = started[-1] if started else stream.recordings[0]
    return FalseAccept(
        stream.source,
        recording.name,
        detection.time - recording.start,
        detection.label,
        detection.confidence,
    )


def rule_constants(rule: DetectionRule) -> dict[str, Any]:
    """Return the constants of a rule as the model file has them."""
    names = [field.name for field in dataclasses.fields(rule)]
    constants = {
        name: getattr(rule, name) for name in names if name not in ("labels", "hop_seconds")
    }
    return {**constants, "thresholds": dict(rule.thresholds)}
