"""Thresholds for a rate of false accepts, and the rate that the tail of the scores predicts.

Half an accept an hour cannot be counted in an hour. What can be counted is how the false accepts
of a label become rarer as its threshold rises. Above a threshold that about `TAIL` of them exceed,
their log-odds are taken to be exponential, as in the peaks-over-threshold method, with one decay
for all labels.
"""

import dataclasses
import itertools
import math
from collections.abc import Mapping, Sequence

import numpy as np
import numpy.typing as npt
import scipy.special

from speechgru.detection import DetectionRule
from training.evaluation.streams.scores import Scores, sweep

GRID: tuple[float, ...] = tuple(scipy.special.expit(np.arange(-2.0, 8.01, 0.5)).tolist())
ABOVE = 4  # thresholds in the tail, at least
TAIL = 10  # false accepts of a label in the tail that is extrapolated
Counts = npt.NDArray[np.int64]


@dataclasses.dataclass(frozen=True)
class FalseAccepts:
    """How often commands are detected where none is, by label and threshold.

    Attributes:
        labels: the commands.
        counts: false accepts at each threshold of `GRID`, (labels, thresholds).
        hours: length of the audio.
    """

    labels: tuple[str, ...]
    counts: Counts
    hours: float

    def __post_init__(self) -> None:
        # Rising one label's threshold may let another one be detected: no count may rise for it.
        lower = np.minimum.accumulate(self.counts, axis=1)
        object.__setattr__(self, "counts", lower)

    def threshold(self, label: str, per_hour: float) -> float:
        """Return the least threshold at which a label has at most so many false accepts an hour.

        Where they can be counted, they are: down to `TAIL` of them. Below, the tail decides.
        """
        base, _ = self._tail_start(label)
        curve = self._rates(label)
        points = [*zip(_log_odds(GRID[: base + 1]), curve[: base + 1], strict=True)]
        if per_hour >= points[0][1]:
            return GRID[0]
        for (x, above), (next_x, below) in itertools.pairwise(points):
            if below <= per_hour < above:  # log-linear in between
                share = math.log(above / per_hour) / math.log(above / max(below, 1e-9))
                return float(scipy.special.expit(x + share * (next_x - x)))
        x = points[-1][0] + math.log(points[-1][1] / per_hour) / self.decay
        return float(scipy.special.expit(x))

    def expected(self, thresholds: Mapping[str, float]) -> float:
        """Return the rate an hour that the counts and their tails predict at some thresholds."""
        return sum(self._expected(label, thresholds[label]) for label in self.labels)

    @property
    def decay(self) -> float:
        """Decay of the tails per unit of log-odds, over all labels.

        It is the maximum-likelihood estimate: the events that end inside the grid, over all excess.
        """
        x = _log_odds(GRID)
        events, excess = 0.5, 0.5  # as little prior as half an event: a decay of one
        for label in self.labels:
            base, count = self._tail_start(label)
            curve = self.counts[self.labels.index(label), base:]
            events += count - int(curve[-1])
            excess += float(np.trapezoid(curve, x[base:]))
        return events / excess

    def _expected(self, label: str, threshold: float) -> float:
        base, _ = self._tail_start(label)
        if threshold >= 1:
            return 0.0
        x, grid = float(scipy.special.logit(threshold)), _log_odds(GRID)
        curve = self._rates(label)
        if x <= grid[base]:
            return float(np.exp(np.interp(x, grid[: base + 1], np.log(curve[: base + 1]))))
        return float(curve[base] * math.exp(-self.decay * (x - grid[base])))

    def _tail_start(self, label: str) -> tuple[int, int]:
        """The highest threshold with `TAIL` false accepts of a label, or else the lowest one.

        There are at least `ABOVE` thresholds above it, to estimate the decay from.
        """
        counts = self.counts[self.labels.index(label)]
        enough = np.flatnonzero(counts[:-ABOVE] >= TAIL)
        base = int(enough[-1]) if enough.size else 0
        return base, int(counts[base])

    def _rates(self, label: str) -> npt.NDArray[np.float64]:
        """Rates an hour at the thresholds of the grid; none is 0."""
        counts = self.counts[self.labels.index(label)].astype(np.float64)
        rates: npt.NDArray[np.float64] = np.maximum(counts, 0.5) / self.hours
        return rates


def count_false_accepts(
    rule: DetectionRule, streams: Sequence[Scores], hours: float
) -> FalseAccepts:
    """Count the detections in streams that hold no command, with each threshold of `GRID`."""
    labels = tuple(rule.thresholds)
    counts = np.zeros((len(labels), len(GRID)), np.int64)
    for scores in streams:
        for column, detections in enumerate(sweep(rule, scores, GRID)):
            for detection in detections:
                counts[labels.index(detection.label), column] += 1
    return FalseAccepts(labels, counts, hours)


def choose_thresholds(false_accepts: FalseAccepts, per_hour: float) -> dict[str, float]:
    """Choose a threshold for each command, so that each has an equal share of the false accepts.

    On so few hours, sharing them out by the recall that each label gains fits the hours instead.

    Args:
        false_accepts: counted on one half of the speakers.
        per_hour: false accepts an hour of all commands together.
    """
    share = per_hour / len(false_accepts.labels)
    return {
        label: round(false_accepts.threshold(label, share), 4) for label in false_accepts.labels
    }


def _log_odds(values: Sequence[float]) -> npt.NDArray[np.float64]:
    odds: npt.NDArray[np.float64] = scipy.special.logit(np.array(values, np.float64))
    return odds
