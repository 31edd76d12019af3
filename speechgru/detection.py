"""The rule that turns the scores of a stream into detections, in plain Python.

A `Detector` gets the model's scores after each hop of audio and returns a `Detection` when a
command has been spoken by itself. The constants of the rule are in the model file, under
`detection`.
"""

import dataclasses
from collections import deque
from collections.abc import Mapping, Sequence
from numbers import Real
from typing import Any

from speechgru.errors import show

UNKNOWN = "unknown"
NOT_COMMANDS = (UNKNOWN, "silence")
"""Labels that are never detected."""

_MAX_HOPS = 10_000
_LEAST_HOPS = {
    "smoothing_hops": 1,
    "wait_hops": 0,
    "unknown_hops": 0,
    "refractory_hops": 0,
    "delay_hops": -_MAX_HOPS,
}
_DEFAULT_THRESHOLD = 0.5
_RECORDING = "recording"
_RECORDING_DEFAULTS = {"wait_hops": 50, "unknown_hops": 50, "max_unknown_hops": 15.0}
_RECORDING_THRESHOLD_FACTOR = 0.8  # of files that state no constants


@dataclasses.dataclass(frozen=True, slots=True)
class Detection:
    """A command in a stream.

    Attributes:
        label: one of the model's commands.
        time: seconds from the start of the stream to the end of the word.
        confidence: greatest smoothed score of the label, in [0, 1].
    """

    label: str
    time: float
    confidence: float


@dataclasses.dataclass(frozen=True)
class DetectionRule:
    """The constants of the rule. They are counted in the model's hops, such as 40 ms.

    Attributes:
        labels: all labels of the model in the order of its scores.
        hop_seconds: length of a hop in seconds.
        thresholds: for each command, the smoothed score from which it is detected, in (0, 1].
        smoothing_hops: hops over whose scores the moving average runs.
        wait_hops: hops from when a smoothed score reaches its threshold to the decision.
        unknown_hops: hops before a smoothed score reaches its threshold in which unknown speech
            counts.
        max_unknown_hops: greatest sum of the scores of "unknown" in these hops and up to the
            decision. If it is greater, the word is part of a sentence and is not detected.
        refractory_hops: hops from when the smoothed score of a detected word reached its threshold
            in which no other word may reach its own.
        release: fraction of the threshold, in (0, 1]. A word begins to be heard when its smoothed
            score rises to this level, and after a decision it must fall below it before the same
            word can be detected again.
        delay_hops: hops from the end of a word to when its smoothed score rises to the release
            level; negative where it does so before the word has ended.

    Raises:
        ValueError: a constant is out of range, or the thresholds are not those of the commands.
    """

    labels: tuple[str, ...]
    hop_seconds: float
    thresholds: Mapping[str, float]
    smoothing_hops: int = 8
    wait_hops: int = 8
    unknown_hops: int = 40
    max_unknown_hops: float = 8.0
    refractory_hops: int = 12
    release: float = 0.5
    delay_hops: int = -3

    def __post_init__(self) -> None:
        commands = self.commands
        if not isinstance(self.thresholds, Mapping) or set(self.thresholds) != set(commands):
            raise ValueError(
                f"expected thresholds of {show(commands)}, found {show(self.thresholds)}"
            )
        for label, threshold in self.thresholds.items():
            _check_fraction(threshold, f"the threshold of {show(label)}")
        _check_fraction(self.release, "release")
        if not _is_number(self.max_unknown_hops) or not 0 <= self.max_unknown_hops <= _MAX_HOPS:
            raise ValueError(
                f"expected max_unknown_hops to be a number from 0 to {_MAX_HOPS:,}, "
                f"found {show(self.max_unknown_hops)}"
            )
        for name, least in _LEAST_HOPS.items():
            value = getattr(self, name)
            if type(value) is not int or not least <= value <= _MAX_HOPS:
                raise ValueError(
                    f"expected {name} to be an integer from {least:,} to {_MAX_HOPS:,}, "
                    f"found {show(value)}"
                )

    @property
    def commands(self) -> tuple[str, ...]:
        """The labels that can be detected."""
        return tuple(label for label in self.labels if label not in NOT_COMMANDS)

    @classmethod
    def from_settings(
        cls,
        settings: Mapping[str, Any],
        labels: Sequence[str],
        hop_seconds: float,
        *,
        recording: bool = False,
    ) -> "DetectionRule":
        """The rule of a model file.

        Args:
            settings: content of `speechgru.json`. Its `detection` states the constants of this
                class for streams, and in `recording` those that differ when a whole recording is
                known. A file of format version 1 has none: there, the threshold of every command
                is the file's `threshold` (default 0.5), for recordings 0.8 times as much. The
                other constants have the defaults of this class, for recordings `wait_hops` 50,
                `unknown_hops` 50 and `max_unknown_hops` 15.
            labels: all labels of the model in the order of its scores.
            hop_seconds: length of a hop in seconds.
            recording: whether the rule is for whole recordings. Default False: for streams.

        Raises:
            ValueError: a constant is missing, unknown or out of range.
        """
        detection = settings.get("detection")
        if detection is None:
            detection = default_settings(labels, settings.get("threshold"))
        constants = {name: detection[name] for name in CONSTANTS if name in detection}
        if recording:
            constants |= detection.get(_RECORDING, {})
        if missing := [name for name in CONSTANTS if name not in constants]:
            raise ValueError(f"expected {missing[0]}, found none")
        if extra := [name for name in constants if name not in CONSTANTS]:
            raise ValueError(
                f"expected {', '.join(CONSTANTS)} in recording, found {show(extra[0])}"
            )
        return cls(tuple(labels), hop_seconds, **constants)

    def with_threshold(self, threshold: float | None) -> "DetectionRule":
        """The same rule with one threshold for every command; None changes nothing.

        Raises:
            ValueError: the threshold is not in (0, 1].
        """
        if threshold is None:
            return self
        _check_fraction(threshold, "threshold")
        return dataclasses.replace(
            self, thresholds=dict.fromkeys(self.thresholds, float(threshold))
        )


CONSTANTS = tuple(field.name for field in dataclasses.fields(DetectionRule))[2:]
"""Names of the constants in `detection` of a model file."""


def default_settings(labels: Sequence[str], threshold: float | None = None) -> dict[str, Any]:
    """The `detection` of a model file on whose data no constants have been chosen.

    Args:
        labels: all labels of the model.
        threshold: that of every command in streams. Default None: 0.5.
    """
    if threshold is None or not 0 < threshold <= 1:  # 0 would detect something at every hop
        threshold = _DEFAULT_THRESHOLD
    commands = [label for label in labels if label not in NOT_COMMANDS]
    rule = DetectionRule(tuple(labels), 1.0, dict.fromkeys(commands, threshold))
    recording_threshold = round(_RECORDING_THRESHOLD_FACTOR * threshold, 6)
    return {
        **{name: getattr(rule, name) for name in CONSTANTS},
        _RECORDING: {
            "thresholds": dict.fromkeys(commands, recording_threshold),
            **_RECORDING_DEFAULTS,
        },
    }


@dataclasses.dataclass(frozen=True, slots=True)
class _Candidate:
    """A command that may be detected: its label's index, when it rose, its greatest scores."""

    label: int
    onset: int
    smoothed: list[float]

    @property
    def score(self) -> float:
        return self.smoothed[self.label]


class Detector:
    """Applies a rule to the scores of one stream.

    A command becomes the candidate when its smoothed score is the greatest of all labels and
    reaches its threshold. If a greater one comes while the decision waits, it takes its place.
    `wait_hops` after the first, the candidate is detected, unless too much unknown speech surrounds
    it.

    Attributes:
        rule: the rule.
        peak_scores: smoothed scores of all labels at the greatest one of the last detection.
    """

    def __init__(self, rule: DetectionRule) -> None:
        self.rule = rule
        self._thresholds = [rule.thresholds.get(label) for label in rule.labels]
        self._unknown = rule.labels.index(UNKNOWN) if UNKNOWN in rule.labels else None
        self.reset()

    def reset(self) -> None:
        """Forget all scores, as for a new stream."""
        rule = self.rule
        self.peak_scores: list[float] = []
        self._hop = 0  # number of hops so far
        self._recent: deque[Sequence[float]] = deque(maxlen=rule.smoothing_hops)
        self._recent_unknown: deque[float] = deque(maxlen=rule.unknown_hops + rule.wait_hops + 1)
        self._onsets: dict[int, int] = {}  # of the labels above their release level
        self._decided: set[int] = set()  # those among them that have been decided
        self._candidate: _Candidate | None = None
        self._decision = 0  # the hop of the decision on the candidate
        self._quiet_until = 0  # the last hop without a new candidate

    def push(self, scores: Sequence[float]) -> Detection | None:
        """Add the scores after one more hop.

        Args:
            scores: probability of every label, floats, in the order of the rule's labels.

        Returns:
            A detection, `wait_hops` after its score reached the threshold, or None.
        """
        self._hop += 1
        self._recent.append(scores)
        if self._unknown is not None:
            self._recent_unknown.append(scores[self._unknown])
        best = self._best()
        if best is not None:
            if self._candidate is None:
                self._decision = self._hop + self.rule.wait_hops
            if self._candidate is None or best.score > self._candidate.score:
                self._candidate = best
        return self.flush() if self._candidate and self._hop >= self._decision else None

    def flush(self) -> Detection | None:
        """Decide on the candidate, if any: at the end of a recording nothing follows."""
        found, self._candidate = self._candidate, None
        if found is None:
            return None
        if found.label in self._onsets:
            self._decided.add(found.label)
        first = self._decision - self.rule.wait_hops
        unknown = list(self._recent_unknown)[-(self._hop - first + self.rule.unknown_hops + 1) :]
        if sum(unknown) > self.rule.max_unknown_hops:
            return None
        self._quiet_until = first + self.rule.refractory_hops
        self.peak_scores = found.smoothed
        end = min(self._hop, max(0, found.onset - self.rule.delay_hops))
        time = round(end * self.rule.hop_seconds, 6)
        return Detection(self.rule.labels[found.label], time, min(found.score, 1.0))

    def _best(self) -> _Candidate | None:
        """The label with the greatest smoothed score, if it may be the candidate."""
        hops = self.rule.smoothing_hops  # zeros before the start are included
        smoothed = [sum(column) / hops for column in zip(*self._recent, strict=True)]
        for label, threshold in enumerate(self._thresholds):
            if threshold is None:
                continue
            if smoothed[label] >= self.rule.release * threshold:
                self._onsets.setdefault(label, self._hop)
            elif label in self._onsets:
                del self._onsets[label]
                self._decided.discard(label)
        score = max(smoothed)
        label = smoothed.index(score)
        threshold = self._thresholds[label]
        if threshold is None or score < threshold:
            return None
        if label in self._decided or self._hop <= self._quiet_until:
            return None
        return _Candidate(label, self._onsets[label], smoothed)


def _is_number(value: Any) -> bool:
    return isinstance(value, Real) and not isinstance(value, bool)


def _check_fraction(value: Any, name: str) -> None:
    if not _is_number(value) or not 0 < value <= 1:
        raise ValueError(f"expected {name} to be a number above 0 and up to 1, found {show(value)}")
