"""The rule that turns the scores of a stream into detections. It needs nothing but Python.

A `Detector` gets the model's scores after each hop of audio and returns a `Detection` when a
command has been spoken. The constants of the rule are in the model file, under `detection`.
"""

import dataclasses
from collections import deque
from collections.abc import Mapping, Sequence
from typing import Any

NOT_COMMANDS = ("unknown", "silence")
"""Labels that are never detected."""

_INTEGERS = {  # name: least value, default
    "smoothing_hops": (1, 5),
    "wait_hops": (0, 5),
    "refractory_hops": (0, 12),
    "delay_hops": (0, 5),
}
_MAX_HOPS = 10_000
_DEFAULT_RELEASE = 0.5
_DEFAULT_THRESHOLD = 0.5


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
    """The constants of the rule. Hops are counted in the model's hops, such as 40 ms.

    Attributes:
        labels: all labels of the model in the order of its scores.
        hop_seconds: length of a hop in seconds.
        thresholds: for each command, the smoothed score from which it is detected, in (0, 1].
        smoothing_hops: hops over whose scores the moving average runs.
        wait_hops: hops after the greatest smoothed score during which another may exceed it.
        refractory_hops: hops after a detected word in which no other is detected.
        delay_hops: hops from the end of a word to its greatest smoothed score.
        release: a detected label can be detected again when its smoothed score has fallen below
            this fraction of its threshold, in (0, 1].

    Raises:
        ValueError: a constant is out of range, or the thresholds are not those of the commands.
    """

    labels: tuple[str, ...]
    hop_seconds: float
    thresholds: Mapping[str, float]
    smoothing_hops: int = _INTEGERS["smoothing_hops"][1]
    wait_hops: int = _INTEGERS["wait_hops"][1]
    refractory_hops: int = _INTEGERS["refractory_hops"][1]
    delay_hops: int = _INTEGERS["delay_hops"][1]
    release: float = _DEFAULT_RELEASE

    def __post_init__(self) -> None:
        commands = self.commands
        if set(self.thresholds) != set(commands):
            raise ValueError(
                f"expected thresholds for {', '.join(commands) or 'no label'}, "
                f"found them for {', '.join(map(str, self.thresholds)) or 'none'}"
            )
        for label, threshold in self.thresholds.items():
            check_fraction(threshold, f"thresholds.{label}")
        check_fraction(self.release, "release")
        for name, (least, _) in _INTEGERS.items():
            value = getattr(self, name)
            if type(value) is not int or not least <= value <= _MAX_HOPS:
                raise ValueError(
                    f"expected {name} to be an integer from {least} to {_MAX_HOPS:,}, "
                    f"found {value!r}"
                )

    @property
    def commands(self) -> tuple[str, ...]:
        """The labels that can be detected."""
        return tuple(label for label in self.labels if label not in NOT_COMMANDS)

    @classmethod
    def from_settings(
        cls, settings: Mapping[str, Any], labels: Sequence[str], hop_seconds: float
    ) -> "DetectionRule":
        """The rule of a model file.

        Args:
            settings: content of `speechgru.json`. A file of format version 1 has no `detection`:
                its `threshold` (default 0.5) is that of every command, and the other constants
                have the defaults of this class.
            labels: all labels of the model in the order of its scores.
            hop_seconds: length of a hop in seconds.

        Raises:
            ValueError: a constant is missing or out of range.
        """
        commands = [label for label in labels if label not in NOT_COMMANDS]
        detection = settings.get("detection")
        if detection is None:
            threshold = settings.get("threshold") or _DEFAULT_THRESHOLD
            return cls(tuple(labels), hop_seconds, dict.fromkeys(commands, threshold))
        constants = {name: detection[name] for name in (*_INTEGERS, "release", "thresholds")}
        return cls(tuple(labels), hop_seconds, **constants)

    def with_threshold(self, threshold: float | None) -> "DetectionRule":
        """The same rule with one threshold for every command; None changes nothing.

        Raises:
            ValueError: the threshold is not in (0, 1].
        """
        if threshold is None:
            return self
        check_fraction(threshold, "threshold")
        return dataclasses.replace(self, thresholds=dict.fromkeys(self.commands, float(threshold)))


class Detector:
    """Applies a rule to the scores of one stream.

    A command becomes a candidate when its smoothed score reaches its threshold. While it waits, a
    greater smoothed score takes its place. `wait_hops` after the greatest one it is detected.
    """

    def __init__(self, rule: DetectionRule) -> None:
        self.rule = rule
        self._commands = [
            (index, label, rule.thresholds[label])
            for index, label in enumerate(rule.labels)
            if label not in NOT_COMMANDS
        ]
        self.reset()

    def reset(self) -> None:
        """Forget all scores, as for a new stream."""
        self._hop = 0  # number of hops so far
        self._recent: deque[Sequence[float]] = deque(maxlen=self.rule.smoothing_hops)
        self._held: set[int] = set()  # detected labels whose score has not fallen yet
        self._candidate: tuple[float, int, int] | None = None  # score, label's index, hop
        self._quiet_until = 0  # the hop from which there may be another candidate

    def push(self, scores: Sequence[float]) -> Detection | None:
        """Add the scores after one more hop.

        Args:
            scores: probability of every label, floats, in the order of the rule's labels.

        Returns:
            A detection, at most `wait_hops` after its greatest smoothed score, or None.
        """
        self._hop += 1
        self._recent.append(scores)
        best = self._best()
        if self._hop <= self._quiet_until:
            return None
        if best is not None and (self._candidate is None or best[0] > self._candidate[0]):
            self._candidate = best
        if self._candidate is None or self._hop - self._candidate[2] < self.rule.wait_hops:
            return None
        return self.flush()

    def flush(self) -> Detection | None:
        """The detection that is awaited, if any: at the end of a recording nothing follows."""
        if self._candidate is None:
            return None
        score, index, hop = self._candidate
        self._candidate = None
        self._held.add(index)
        self._quiet_until = hop + self.rule.refractory_hops
        time = max(0, hop - self.rule.delay_hops) * self.rule.hop_seconds
        return Detection(self.rule.labels[index], time, min(score, 1.0))

    def _best(self) -> tuple[float, int, int] | None:
        """The greatest smoothed score of the commands that may be detected now."""
        best = None
        for index, _, threshold in self._commands:
            score = sum([scores[index] for scores in self._recent]) / self.rule.smoothing_hops
            if index in self._held:
                if score < self.rule.release * threshold:
                    self._held.remove(index)
            elif score >= threshold and (best is None or score > best[0]):
                best = (score, index, self._hop)
        return best


def check_fraction(value: Any, name: str) -> None:
    """Raise ValueError unless a value is a number in (0, 1]."""
    number = isinstance(value, int | float) and not isinstance(value, bool)
    if not number or not 0 < value <= 1:
        raise ValueError(f"expected {name} to be a number above 0 and up to 1, found {value!r}")
