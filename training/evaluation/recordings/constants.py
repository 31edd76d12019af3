"""Choice of the constants of the rule for whole recordings."""

import dataclasses
import itertools
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from speechgru.detection import NOT_COMMANDS, RecordingRule
from speechgru.recording import Scores, smooth, unknown_around
from training.evaluation.metrics import wilson_interval

MOST_ANSWERED = 0.03  # of the recordings without a command
SMOOTHING = (4, 8, 12)  # hops
PAUSES = (5, 8, 12, 16)  # hops
CONTEXTS = (50, 75, 100)  # hops
UNKNOWN_HOPS = range(2, 31)
THRESHOLDS = np.round(np.arange(0.2, 0.91, 0.05), 2)


class Example(NamedTuple):
    """A recording to choose constants on.

    Attributes:
        scores: of its hops, (hops, labels).
        command: the command in it, or None.
        is_word: whether it is one other word. Those without a command that are not, are sentences
            and noise.
    """

    scores: Scores
    command: str | None
    is_word: bool


Key = tuple[int, int, int, float]
"""What some constants reach; greater for better ones."""


def choose_constants(rule: RecordingRule, examples: Sequence[Example]) -> RecordingRule:
    """Choose all constants, with one threshold for all commands.

    Of the constants with which at most 3 % of the sentences and noises are answered with a command,
    by the upper end of the 95 % interval, those are chosen that answer most of the other recordings
    right: with the command that is in them, or one other word with no command. If there are none,
    those are chosen with which the fewest sentences and noises are answered.

    Args:
        rule: a rule of the model.
        examples: recordings, at least one of them of a sentence or noise.
    """
    _, constants = max(_results(rule, examples), key=lambda result: result[0])
    return dataclasses.replace(rule, **constants)


def _results(
    rule: RecordingRule, examples: Sequence[Example]
) -> Iterator[tuple[Key, dict[str, Any]]]:
    commands = [n for n, label in enumerate(rule.labels) if label not in NOT_COMMANDS]
    names = [rule.labels[n] for n in commands]
    targets = np.array([names.index(e.command) if e.command else -1 for e in examples])
    strict = np.array([e.command is None and not e.is_word for e in examples])
    lengths = np.array([len(e.scores) for e in examples])
    starts = np.cumsum([0, *lengths[:-1]])
    target_of_hop = np.repeat(targets, lengths)
    unknowns = {
        (pause, context): np.concatenate([unknown_around(one, e.scores) for e in examples])
        for pause, context in itertools.product(PAUSES, CONTEXTS)
        for one in [dataclasses.replace(rule, pause_hops=pause, context_hops=context)]
    }
    for smoothing in SMOOTHING:
        smoothed = np.concatenate([smooth(e.scores, smoothing)[:, commands] for e in examples])
        confidence = smoothed.max(axis=1)
        is_target = smoothed.argmax(axis=1) == target_of_hop
        for (pause, context), unknown in unknowns.items():
            for most in UNKNOWN_HOPS:
                possible = np.where(unknown <= most, confidence, 0)
                greatest = np.maximum.reduceat(possible, starts)
                right = np.maximum.reduceat(np.where(is_target, possible, 0), starts) == greatest
                for threshold in THRESHOLDS.tolist():
                    answered = greatest >= threshold
                    yield (
                        _key(answered, right, targets, strict, threshold),
                        {
                            "thresholds": dict.fromkeys(rule.thresholds, threshold),
                            "smoothing_hops": smoothing,
                            "pause_hops": pause,
                            "context_hops": context,
                            "max_unknown_hops": most,
                        },
                    )


def _key(
    answered: npt.NDArray[np.bool_],
    right: npt.NDArray[np.bool_],
    targets: npt.NDArray[np.int64],
    strict: npt.NDArray[np.bool_],
    threshold: float,
) -> Key:
    false = int(answered[strict].sum())
    correct = int(np.where(targets >= 0, answered & right, ~answered)[~strict].sum())
    if wilson_interval(false, int(strict.sum()))[1] <= MOST_ANSWERED:
        return 1, correct, -false, threshold
    return 0, -false, correct, threshold
