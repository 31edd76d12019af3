"""Recall, wrong words, false accepts and delay in streams."""

from collections.abc import Iterable, Sequence
from typing import NamedTuple, TypedDict

import numpy as np
import scipy.stats

from training.evaluation.metrics import Proportion, proportion
from training.evaluation.speakers import is_held_out_speaker
from training.evaluation.streams.scores import StreamDetection
from training.evaluation.streams.word_streams import SpokenWord

WITHIN = 0.15  # seconds: a time is right if it is so near to the word's end


class Rate(TypedDict):
    """A count in some hours, as a rate with its 95 % interval; None in no time."""

    per_hour: float | None
    low: float | None
    high: float | None
    count: int
    hours: float


class Spread(TypedDict):
    """Quantiles of some seconds; None where there are none."""

    median: float | None
    p90: float | None


class WordMetrics(TypedDict):
    """How the words of one condition were detected.

    Attributes:
        recall: words that were detected.
        recall_held_out: those of them that held-out speakers said.
        wrong: words for which another command was detected.
        others: detections that are of no word, or a word's second one.
        delay: from the end of a word to its detection.
        time_error: from the end of a word to the time that its detection states, absolute.
        time_bias: the median of the same with its sign.
    """

    recall: Proportion
    recall_held_out: Proportion
    wrong: Proportion
    others: int
    delay: Spread
    time_error: Spread
    time_bias: float | None


class WordResult(NamedTuple):
    """What was detected for a word.

    Attributes:
        word: the word.
        found: the first detection of the word itself, or None.
        wrong: whether another command was detected.
    """

    word: SpokenWord
    found: StreamDetection | None
    wrong: bool


def match(
    words: Sequence[SpokenWord], detections: Sequence[StreamDetection], late: float
) -> tuple[list[WordResult], list[StreamDetection]]:
    """Assign detections to words.

    A detection belongs to the last word that began before it was made, unless that word ended more
    than `late` seconds before.

    Args:
        words: the words of a stream, in order.
        detections: those of the same stream, in order.
        late: in seconds.

    Returns:
        A result for each word, and the detections that belong to none or are a word's second one.
    """
    starts = np.array([word.start for word in words])
    found: dict[int, StreamDetection] = {}
    wrong, others = set(), []
    for detection in detections:
        number = int(np.searchsorted(starts, detection.decided, side="right")) - 1
        if number < 0 or detection.decided > words[number].end + late:
            others.append(detection)
        elif detection.label != words[number].label:
            wrong.add(number)
        elif number in found:
            others.append(detection)
        else:
            found[number] = detection
    results = [WordResult(word, found.get(n), n in wrong) for n, word in enumerate(words)]
    return results, others


def word_metrics(results: Sequence[WordResult], others: int) -> WordMetrics:
    """Compute the metrics of one condition."""
    hits = [(result.word, result.found) for result in results if result.found is not None]
    errors = np.array([found.time - word.end for word, found in hits])
    held_out = [result for result in results if is_held_out_speaker(result.word.speaker)]
    return {
        "recall": proportion(len(hits), len(results)),
        "recall_held_out": proportion(sum(r.found is not None for r in held_out), len(held_out)),
        "wrong": proportion(sum(result.wrong for result in results), len(results)),
        "others": others,
        "delay": spread([found.decided - word.end for word, found in hits]),
        "time_error": spread(np.abs(errors)),
        "time_bias": float(np.median(errors)) if len(errors) else None,
    }


def spread(seconds: Iterable[float]) -> Spread:
    """Return the median and the 90 % quantile."""
    values = np.array(list(seconds), float)
    if not values.size:
        return {"median": None, "p90": None}
    return {"median": float(np.median(values)), "p90": float(np.quantile(values, 0.9))}


def rate(count: int, hours: float) -> Rate:
    """Return a rate with its exact 95 % interval, for counts as Poisson has them (Garwood 1936)."""
    if hours <= 0:
        return {"per_hour": None, "low": None, "high": None, "count": count, "hours": hours}
    low, high = garwood_interval(count)
    return {
        "per_hour": count / hours,
        "low": low / hours,
        "high": high / hours,
        "count": count,
        "hours": hours,
    }


def garwood_interval(count: int) -> tuple[float, float]:
    """Return the exact 95 % interval of the mean of a Poisson count (Garwood 1936)."""
    low = float(scipy.stats.chi2.ppf(0.025, 2 * count)) / 2 if count else 0.0
    return low, float(scipy.stats.chi2.ppf(0.975, 2 * count + 2)) / 2
