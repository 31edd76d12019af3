"""Metrics from predicted probabilities."""

import math
from collections.abc import Sequence
from typing import Any, TypedDict

import numpy as np
import numpy.typing as npt

from speechgru.detection import NOT_COMMANDS
from training.clips.words import SILENCE, UNKNOWN, label_numbers
from training.data.evaluation_set import EvaluationSet
from training.evaluation.conditions import CLEAN
from training.evaluation.evaluated_model import Probabilities
from training.evaluation.speakers import DEVELOPMENT, HELD_OUT, is_held_out_speaker

QUANTILE_95 = 1.959963984540054  # of the normal distribution, two-sided
Labels = npt.NDArray[np.signedinteger[Any]]
Confusion = npt.NDArray[np.int64]


class Proportion(TypedDict):
    """A count, as a share of a total with its 95 % interval; all None where the total is 0."""

    share: float | None
    low: float | None
    high: float | None
    count: int
    of: int


class Metrics(TypedDict):
    """What a confusion matrix amounts to."""

    accuracy: Proportion
    command_recall: Proportion
    unknown_recall: Proportion
    silence_recall: Proportion
    mean_recall_of_labels: float | None
    false_alarms_on_unknown: Proportion
    false_alarms_on_silence: Proportion


class SpeakerMetrics(Metrics):
    """The metrics of some of the speakers."""

    speakers: int


class LabelMetrics(TypedDict):
    """The metrics of one label."""

    recall: Proportion
    precision: Proportion


class ConfusionCounts(TypedDict):
    """A confusion matrix: counts[spoken][predicted]."""

    rows: str
    labels: list[str]
    counts: list[list[int]]


class Summary(TypedDict):
    """All metrics of an evaluation.

    `clips`, `labels`, `confusion` and `speakers` are those of the clean clips.
    """

    clips: dict[str, int]
    conditions: dict[str, Metrics]
    labels: dict[str, LabelMetrics]
    confusion: ConfusionCounts
    speakers: dict[str, SpeakerMetrics]


def summarise(
    labels: Sequence[str], clips: EvaluationSet, probabilities: dict[str, Probabilities]
) -> Summary:
    """Compute all metrics from the probabilities of each condition, (clips, labels)."""
    spoken = label_numbers(clips.words, labels)
    predictions = {name: values.argmax(axis=1) for name, values in probabilities.items()}
    confusion = {
        name: confusion_matrix(spoken, predicted, len(labels))
        for name, predicted in predictions.items()
    }
    clean = confusion[CLEAN]
    return {
        "clips": dict(zip(labels, clean.sum(axis=1).tolist(), strict=True)),
        "conditions": {name: metrics_of(matrix, labels) for name, matrix in confusion.items()},
        "labels": {
            label: {
                "recall": proportion(clean[number, number], clean[number].sum()),
                "precision": proportion(clean[number, number], clean[:, number].sum()),
            }
            for number, label in enumerate(labels)
        },
        "confusion": {"rows": "spoken", "labels": list(labels), "counts": clean.tolist()},
        "speakers": {
            name: speaker_metrics(labels, clips.speakers, spoken, predictions[CLEAN], held_out)
            for name, held_out in ((DEVELOPMENT, False), (HELD_OUT, True))
        },
    }


def speaker_metrics(
    labels: Sequence[str],
    speakers: Sequence[str],
    spoken: Labels,
    predicted: Labels,
    held_out: bool,
) -> SpeakerMetrics:
    """Compute the metrics of one half of the speakers; clips without a speaker are in neither."""
    rows = np.array([bool(s) and is_held_out_speaker(s) == held_out for s in speakers])
    matrix = confusion_matrix(spoken[rows], predicted[rows], len(labels))
    names = {speaker for speaker, inside in zip(speakers, rows, strict=True) if inside}
    return {"speakers": len(names), **metrics_of(matrix, labels)}


def confusion_matrix(spoken: Labels, predicted: Labels, labels: int) -> Confusion:
    """Count the clips by spoken label (rows) and predicted label (columns)."""
    counts = np.zeros((labels, labels), np.int64)
    np.add.at(counts, (spoken, predicted), 1)
    return counts


def metrics_of(confusion: Confusion, labels: Sequence[str]) -> Metrics:
    """Compute the metrics of a confusion matrix.

    A false alarm is a clip of an unknown word, or of silence, for which a command is predicted.
    """
    correct, clips = np.diag(confusion), confusion.sum(axis=1)
    commands = np.array([label not in NOT_COMMANDS for label in labels])
    unknown, silence = labels.index(UNKNOWN), labels.index(SILENCE)
    recalls = correct[clips > 0] / clips[clips > 0]
    return {
        "accuracy": proportion(correct.sum(), clips.sum()),
        "command_recall": proportion(correct[commands].sum(), clips[commands].sum()),
        "unknown_recall": proportion(correct[unknown], clips[unknown]),
        "silence_recall": proportion(correct[silence], clips[silence]),
        "mean_recall_of_labels": float(recalls.mean()) if recalls.size else None,
        "false_alarms_on_unknown": proportion(confusion[unknown, commands].sum(), clips[unknown]),
        "false_alarms_on_silence": proportion(confusion[silence, commands].sum(), clips[silence]),
    }


def proportion(count: int, of: int) -> Proportion:
    """Return a count as a share of a total, with its 95 % interval."""
    count, of = int(count), int(of)
    if not of:
        return {"share": None, "low": None, "high": None, "count": count, "of": of}
    low, high = wilson_interval(count, of)
    return {"share": count / of, "low": low, "high": high, "count": count, "of": of}


def percent(proportion: Proportion) -> str:
    """Return a proportion in per cent with its interval; "-" where there are no clips."""
    share, low, high = proportion["share"], proportion["low"], proportion["high"]
    if share is None or low is None or high is None:
        return "-"
    return f"{100 * share:.2f}% ({100 * low:.1f} to {100 * high:.1f})"


def wilson_interval(count: int, of: int) -> tuple[float, float]:
    """Return the 95 % score interval of a proportion (Wilson 1927). It lies in [0, 1]."""
    square = QUANTILE_95**2
    centre = (count + square / 2) / (of + square)
    half = QUANTILE_95 / (of + square) * math.sqrt(count * (of - count) / of + square / 4)
    # The ends 0 and 1 are exact, whatever the rounding of the sums.
    return centre - half if count else 0.0, centre + half if count < of else 1.0
