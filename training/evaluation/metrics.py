"""TODO: metrics."""

import hashlib
import math
import os
from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from speechgru.recognizer import NOT_COMMANDS
from training.clips.words import SILENCE, UNKNOWN
from training.data.evaluation_set import EvaluationSet
from training.evaluation.conditions import CLEAN
from training.evaluation.model import Scores

NORMAL_95 = 1.959963984540054  # a normal variable is within this with a probability of 95 %
PARTS = ("development speakers", "held-out speakers")


def held_out_speaker(speaker: str) -> bool:
    """Whether a speaker is of the half that no choice is to be made on: an odd SHA-1."""
    return hashlib.sha1(os.fsencode(speaker)).digest()[-1] % 2 == 1


def summarise(
    labels: Sequence[str], clips: EvaluationSet, scores: dict[str, Scores]
) -> dict[str, Any]:
    """Every figure of the report, from the probabilities that the model gave."""
    numbers = {label: number for number, label in enumerate(labels)}
    truth = np.array([numbers.get(word, numbers[UNKNOWN]) for word in clips.words])
    answers = {name: found.argmax(axis=1) for name, found in scores.items()}

    def matrix(name: str, rows: Any = slice(None)) -> npt.NDArray[np.int64]:
        counts = np.zeros((len(labels), len(labels)), np.int64)
        np.add.at(counts, (truth[rows], answers[name][rows]), 1)
        return counts

    whole = matrix(CLEAN)
    parts = {}
    for part in PARTS:
        rows = np.array(
            [bool(s) and held_out_speaker(s) == (part == PARTS[1]) for s in clips.speakers]
        )
        of = {speaker for speaker, inside in zip(clips.speakers, rows, strict=True) if inside}
        parts[part] = {"speakers": len(of)} | outcome(matrix(CLEAN, rows), labels)
    return {
        "clips": dict(zip(labels, whole.sum(axis=1).tolist(), strict=True)),
        "conditions": {name: outcome(matrix(name), labels) for name in scores},
        "labels": {
            label: {
                "recall": share(whole[number, number], whole[number].sum()),
                "precision": share(whole[number, number], whole[:, number].sum()),
            }
            for number, label in enumerate(labels)
        },
        "confusion": {"rows": "spoken", "labels": list(labels), "counts": whole.tolist()},
        "speakers": parts,
    }


def outcome(matrix: npt.NDArray[np.int64], labels: Sequence[str]) -> dict[str, Any]:
    """What a confusion matrix (rows are the true labels) comes to."""
    right, clips = np.diag(matrix), matrix.sum(axis=1)
    commands = np.array([label not in NOT_COMMANDS for label in labels])
    unknown, silence = labels.index(UNKNOWN), labels.index(SILENCE)
    recalls = right[clips > 0] / clips[clips > 0]
    return {
        "accuracy": share(right.sum(), clips.sum()),
        "command_recall": share(right[commands].sum(), clips[commands].sum()),
        "unknown_recall": share(right[unknown], clips[unknown]),
        "silence_recall": share(right[silence], clips[silence]),
        "mean_recall_of_labels": float(recalls.mean()) if recalls.size else None,
        "false_commands_of_unknown": share(matrix[unknown, commands].sum(), clips[unknown]),
        "false_commands_of_silence": share(matrix[silence, commands].sum(), clips[silence]),
    }


def share(count: int, of: int) -> dict[str, Any]:
    """A count as a share, with its 95 % interval; no numbers for a share of nothing."""
    low, high = wilson(int(count), int(of)) if of else (None, None)
    value = int(count) / int(of) if of else None
    return {"share": value, "low": low, "high": high, "count": int(count), "of": int(of)}


def wilson(count: int, of: int) -> tuple[float, float]:
    """The 95 % score interval of a share (Wilson 1927), which stays in [0, 1]."""
    square = NORMAL_95**2
    centre = (count + square / 2) / (of + square)
    half = NORMAL_95 / (of + square) * math.sqrt(count * (of - count) / of + square / 4)
    # Where nothing or everything is counted, the end is exact, however the sum is rounded.
    return centre - half if count else 0.0, centre + half if count < of else 1.0
