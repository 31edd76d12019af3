"""The rule that turns the scores of a stream into detections, in plain Python.

A `Detector` gets the model's scores after each hop of audio and returns a `Detection` when a
command has been spoken by itself. The constants of the rule are in the model file, under
`detection`; those of the rule for whole recordings, which `recording.py` applies, are there, too.
"""

import dataclasses
from collections import deque
from collections.abc import Mapping, Sequence
from numbers import Real
from typing import Any, NamedTuple

from speechgru.errors import show

UNKNOWN, SILENCE = "unknown", "silence"
NOT_COMMANDS = (UNKNOWN, SILENCE)
"""Labels that are never detected."""

_MAX_HOPS = 10_000
_MAX_WEIGHT = 1e6
_RISEN = 0.5  # score that a command passes while its last sounds are spoken
_DEFAULT_THRESHOLD = 0.5
_RECORDING_THRESHOLD_FACTOR = 0.8  # of files that state no constants


@dataclasses.dataclass(frozen=True, slots=True)
class Detection:
    """A command in a stream.

    Attributes:
        label: one of the model's commands.
        time: seconds from the start of the stream to the end of the word.
        confidence: see `DetectionRule`, in [0, 1].
    """

    label: str
    time: float
    confidence: float


@dataclasses.dataclass(frozen=True)
class DetectionRule:
    """The rule and its constants. Hops are the model's, such as 40 ms.

    With c, the mean of the last `smoothing_hops` scores of a command, and u, the mean of the last
    `context_hops` scores of "unknown" (hops before the start count as zeros), the confidence in the
    command is

        c / (c + (1 - c) * (1 + context_weight * u))

    Unknown speech before a word lowers the odds of a command: inside a sentence, the sound of a
    command is not one. A command whose confidence reaches its threshold becomes the candidate.
    While `wait_hops` pass, a greater confidence takes its place, and unknown speech after it is
    added to u. If the confidence still reaches the threshold, and u is at most `max_context`, the
    command is detected. Then nothing else is detected for `refractory_hops`.

    The word has ended `word_end_hops` after its score has risen to 0.5.

    Attributes:
        labels: all labels of the model in the order of its scores.
        hop_seconds: length of a hop in seconds.
        thresholds: for each command, the confidence from which it is detected, in (0, 1].
        smoothing_hops: hops over which the scores of a command are averaged.
        context_hops: hops over which the scores of "unknown" are averaged.
        context_weight: how much unknown speech lowers the odds of a command.
        max_context: greatest u of a detected command. 1: no limit.
        wait_hops: hops from the moment when the confidence reaches its threshold to the decision.
        refractory_hops: hops after a decision in which nothing is detected.
        word_end_hops: hops from the rise of a command's score to the end of the word.

    Raises:
        ValueError: a constant is out of range, or the thresholds are not those of the commands.
    """

    labels: tuple[str, ...]
    hop_seconds: float
    thresholds: Mapping[str, float]
    smoothing_hops: int = 12
    context_hops: int = 40
    context_weight: float = 50.0
    max_context: float = 1.0
    wait_hops: int = 2
    refractory_hops: int = 24
    word_end_hops: int = 4

    def __post_init__(self) -> None:
        _check_thresholds(self.thresholds, self.commands)
        _check_fraction(self.max_context, "max_context")
        _check_number(self.context_weight, "context_weight", _MAX_WEIGHT)
        for name in ("smoothing_hops", "context_hops"):
            _check_hops(getattr(self, name), name, 1)
        for name in ("wait_hops", "refractory_hops", "word_end_hops"):
            _check_hops(getattr(self, name), name, 0)

    @property
    def commands(self) -> tuple[str, ...]:
        """The labels that can be detected."""
        return _commands(self.labels)

    @classmethod
    def from_settings(
        cls, settings: Mapping[str, Any], labels: Sequence[str], hop_seconds: float
    ) -> "DetectionRule":
        """The rule of a model file.

        Args:
            settings: content of `speechgru.json`. Its `detection` states the constants of this
                class. A file of format version 1 has none: there, the threshold of every command
                is the file's `threshold` (default 0.5), and the other constants have the defaults
                of this class.
            labels: all labels of the model in the order of its scores.
            hop_seconds: length of a hop in seconds.

        Raises:
            ValueError: a constant is missing or out of range.
        """
        detection = stated_or_default(settings, labels)
        if missing := [name for name in CONSTANTS if name not in detection]:
            raise ValueError(f"expected {missing[0]}, found none")
        return cls(tuple(labels), hop_seconds, **{name: detection[name] for name in CONSTANTS})

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


@dataclasses.dataclass(frozen=True)
class RecordingRule:
    """The rule for a recording that is known to its end, and its constants. Hops are the model's.

    Pauses divide a recording into utterances. A pause is `pause_hops` or more hops, one after
    another, whose score of "silence" is above 0.5; the utterances end in its middle. With c, the
    mean of the last `smoothing_hops` scores of a command (hops before the start count as zeros),
    and u, the sum of the scores of "unknown" in the same utterance, in the last `context_hops` and
    the next `context_hops`, the recording holds the command if there is a hop at which c reaches
    the command's threshold and u is at most `max_unknown_hops`: inside a sentence, the sound of a
    command is not one. Of several such hops and commands, the greatest c gives the answer. The
    silence of 0.6 s that is added after the recording counts as part of it.

    Attributes:
        labels: all labels of the model in the order of its scores.
        hop_seconds: length of a hop in seconds.
        thresholds: for each command, the least c, in (0, 1].
        smoothing_hops: hops over which the scores of a command are averaged.
        pause_hops: hops of silence that end an utterance.
        context_hops: hops before and after a command in which unknown speech counts.
        max_unknown_hops: greatest u; not necessarily an integer.

    Raises:
        ValueError: a constant is out of range, or the thresholds are not those of the commands.
    """

    labels: tuple[str, ...]
    hop_seconds: float
    thresholds: Mapping[str, float]
    smoothing_hops: int = 8
    pause_hops: int = 8
    context_hops: int = 100
    max_unknown_hops: float = 12.0

    def __post_init__(self) -> None:
        _check_thresholds(self.thresholds, _commands(self.labels))
        for name in ("smoothing_hops", "pause_hops", "context_hops"):
            _check_hops(getattr(self, name), name, 1)
        _check_number(self.max_unknown_hops, "max_unknown_hops", _MAX_HOPS)

    @classmethod
    def from_settings(
        cls, settings: Mapping[str, Any], labels: Sequence[str], hop_seconds: float
    ) -> "RecordingRule":
        """The rule of a model file.

        Args:
            settings: content of `speechgru.json`. `recording` in its `detection` states constants
                of this class. Those that it lacks have the defaults of this class; the threshold of
                every command is then 0.8 times the file's `threshold` (default 0.5).
            labels: all labels of the model in the order of its scores.
            hop_seconds: length of a hop in seconds.

        Raises:
            ValueError: a constant is unknown or out of range.
        """
        default = default_settings(labels, settings.get("threshold"))[_RECORDING]
        stated = stated_or_default(settings, labels).get(_RECORDING, {})
        if extra := [name for name in stated if name not in default]:
            raise ValueError(f"expected {', '.join(default)}, found {show(extra[0])}")
        return cls(tuple(labels), hop_seconds, **{**default, **stated})


RECORDING_CONSTANTS = tuple(field.name for field in dataclasses.fields(RecordingRule))[2:]
"""Names of the constants in `recording` in `detection` of a model file."""

_RECORDING = "recording"


def default_settings(labels: Sequence[str], threshold: float | None = None) -> dict[str, Any]:
    """The `detection` of a model file on whose data no constants have been chosen.

    Args:
        labels: all labels of the model.
        threshold: that of every command in streams. Default None: 0.5.
    """
    if threshold is None or not 0 < threshold <= 1:  # 0 would detect something at every hop
        threshold = _DEFAULT_THRESHOLD
    commands = _commands(labels)
    rule = DetectionRule(tuple(labels), 1.0, dict.fromkeys(commands, threshold))
    least = _RECORDING_THRESHOLD_FACTOR * threshold
    least = round(least, 6) or least  # 0 is not a threshold
    recording = RecordingRule(tuple(labels), 1.0, dict.fromkeys(commands, least))
    return {
        **{name: getattr(rule, name) for name in CONSTANTS},
        _RECORDING: {name: getattr(recording, name) for name in RECORDING_CONSTANTS},
    }


def stated_or_default(settings: Mapping[str, Any], labels: Sequence[str]) -> Mapping[str, Any]:
    """The `detection` of a model file, or its defaults where the file states none.

    Args:
        settings: content of `speechgru.json`.
        labels: all labels of the model.
    """
    stated: Mapping[str, Any] | None = settings.get("detection")
    return default_settings(labels, settings.get("threshold")) if stated is None else stated


class Evidence(NamedTuple):
    """The scores that the rule needs after a hop.

    Attributes:
        recent: for each label, its last `smoothing_hops` scores, the oldest first.
        smoothed: mean of the recent scores of each label.
        unknown: score of "unknown".
        context: mean of the last `context_hops` scores of "unknown".
    """

    recent: list[tuple[float, ...]]
    smoothed: list[float]
    unknown: float
    context: float


class _Candidate(NamedTuple):
    """A command whose confidence has reached its threshold.

    Attributes:
        confidence: greatest confidence so far.
        label: index of the label.
        end: hop at which the word has ended.
        smoothed: mean of its recent scores, where its confidence was greatest.
        context: mean of the last scores of "unknown" there.
    """

    confidence: float
    label: int
    end: int
    smoothed: float
    context: float


class Detector:
    """Applies a rule to the scores of one stream."""

    def __init__(self, rule: DetectionRule) -> None:
        self.rule = rule
        self._thresholds = [
            (index, rule.thresholds[label])
            for index, label in enumerate(rule.labels)
            if label in rule.thresholds
        ]
        self._lowest = min(rule.thresholds.values(), default=1.0)
        self._unknown = rule.labels.index(UNKNOWN) if UNKNOWN in rule.labels else None
        self.reset()

    def reset(self) -> None:
        """Forget all scores, as for a new stream."""
        self._recent: deque[Sequence[float]] = deque(maxlen=self.rule.smoothing_hops)
        self._recent_unknown: deque[float] = deque(maxlen=self.rule.context_hops)
        self._hop = 0  # number of hops so far
        self._candidate: _Candidate | None = None
        self._decided_at = 0  # the hop at which the candidate will be decided on
        self._unknown_after = 0.0  # sum of the scores of unknown after the candidate
        self._quiet_until = 0  # the last hop without candidates
        self._last_end = 0  # of the last detected word; times never go back

    def push(self, scores: Sequence[float]) -> Detection | None:
        """Add the scores after one more hop.

        Args:
            scores: probability of every label, floats, in the order of the rule's labels.

        Returns:
            A detection, `wait_hops` after its confidence has reached its threshold, or None.
        """
        return self.decide(self.gather(scores))

    def gather(self, scores: Sequence[float]) -> Evidence:
        """Average the last scores: the part of `push` that depends on no threshold."""
        self._recent.append(scores)
        unknown = 0.0 if self._unknown is None else scores[self._unknown]
        self._recent_unknown.append(unknown)
        recent = list(zip(*self._recent, strict=True))
        return Evidence(
            recent,
            [sum(column) / self.rule.smoothing_hops for column in recent],
            unknown,
            sum(self._recent_unknown) / self.rule.context_hops,
        )

    def decide(self, evidence: Evidence) -> Detection | None:
        """Detect: the other part of `push`."""
        self._hop += 1
        if self._candidate is not None:
            self._unknown_after += evidence.unknown
        if self._hop > self._quiet_until:
            self._consider(evidence)
        if self._candidate is None or self._hop < self._decided_at:
            return None
        return self.flush()

    def flush(self) -> Detection | None:
        """The detection that is awaited, if any: at the end of a recording nothing follows."""
        candidate, self._candidate = self._candidate, None
        if candidate is None:
            return None
        label = self.rule.labels[candidate.label]
        context = candidate.context + self._unknown_after / self.rule.context_hops
        confidence = self._confidence(candidate.smoothed, context)
        if confidence < self.rule.thresholds[label] or context > self.rule.max_context:
            return None
        self._quiet_until = self._hop + self.rule.refractory_hops
        self._last_end = max(self._last_end, min(candidate.end, self._hop))
        time = round(self._last_end * self.rule.hop_seconds, 6)
        return Detection(label, time, min(confidence, 1.0))

    def _consider(self, evidence: Evidence) -> None:
        """Make the command with the greatest confidence the candidate, if it may be."""
        if max(evidence.smoothed) < self._lowest:  # no confidence exceeds its smoothed score
            return
        for label, threshold in self._thresholds:
            smoothed = evidence.smoothed[label]
            if smoothed < threshold:
                continue
            confidence = self._confidence(smoothed, evidence.context)
            before = self._candidate
            if confidence < threshold or (before and confidence <= before.confidence):
                continue
            if before is None:
                self._decided_at = self._hop + self.rule.wait_hops
            if before is not None and before.label == label:
                end = before.end
            else:
                risen = _hops_since_rise(evidence.recent[label])
                end = self._hop - risen + self.rule.word_end_hops
            self._candidate = _Candidate(confidence, label, end, smoothed, evidence.context)
            self._unknown_after = 0.0

    def _confidence(self, smoothed: float, context: float) -> float:
        weight = 1 + self.rule.context_weight * context
        return smoothed / (smoothed + (1 - smoothed) * weight) if smoothed > 0 else 0.0


def _hops_since_rise(scores: Sequence[float]) -> int:
    """Hops from the first of some scores that is 0.5 or more to the last one; 0 if none is."""
    for number, score in enumerate(scores):
        if score >= _RISEN:
            return len(scores) - 1 - number
    return 0


def _commands(labels: Sequence[str]) -> tuple[str, ...]:
    return tuple(label for label in labels if label not in NOT_COMMANDS)


def _check_thresholds(thresholds: Any, commands: tuple[str, ...]) -> None:
    if not isinstance(thresholds, Mapping) or set(thresholds) != set(commands):
        raise ValueError(f"expected thresholds of {show(commands)}, found {show(thresholds)}")
    for label, threshold in thresholds.items():
        _check_fraction(threshold, f"the threshold of {show(label)}")


def _check_fraction(value: Any, name: str) -> None:
    if not _is_number(value) or not 0 < value <= 1:
        raise ValueError(f"expected {name} to be a number above 0 and up to 1, found {show(value)}")


def _check_number(value: Any, name: str, most: float) -> None:
    if not _is_number(value) or not 0 <= value <= most:
        raise ValueError(
            f"expected {name} to be a number from 0 to {most:,.0f}, found {show(value)}"
        )


def _check_hops(value: Any, name: str, least: int) -> None:
    if type(value) is not int or not least <= value <= _MAX_HOPS:
        raise ValueError(
            f"expected {name} to be an integer from {least} to {_MAX_HOPS:,}, found {show(value)}"
        )


def _is_number(value: Any) -> bool:
    return isinstance(value, Real) and not isinstance(value, bool)
