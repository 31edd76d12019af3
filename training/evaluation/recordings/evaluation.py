"""Evaluate a model file on whole recordings, and choose the constants of its rule for them."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Literal, NamedTuple, TypedDict

from tqdm import tqdm

from speechgru import modelfile
from speechgru.detection import RECORDING_CONSTANTS, RecordingRule
from speechgru.network import StreamNetwork
from speechgru.recording import Scores, find_command, hop_scores, smooth, unknown_around
from training.clips.window import Samples
from training.data.evaluation_set import EvaluationSet
from training.evaluation.metrics import Proportion, proportion
from training.evaluation.recordings.constants import Example, choose_constants
from training.evaluation.recordings.sounds import (
    COMMAND,
    OTHER_WORD,
    Recording,
    noise_recordings,
    sentences,
    sentences_and_commands,
    word_recordings,
)
from training.evaluation.speakers import EVERYBODY
from training.evaluation.streams.negative_streams import speech_streams
from training.evaluation.streams.options import StreamOptions
from training.evaluation.streams.scored_streams import choose_clips, choose_other_clips


class ScoredRecording(NamedTuple):
    """A recording without its samples, and the scores of its hops. See `sounds.Recording`."""

    kind: str
    name: str
    command: str | None
    held_out: bool
    scores: Scores


class KindMetrics(TypedDict):
    """Recordings of one kind; the halves are those of the speakers.

    Attributes:
        command: whether the recordings hold a command. If so, the shares are those that were
            answered right; else, those that were answered with a command.
    """

    command: bool
    all: Proportion
    development: Proportion
    held_out: Proportion


class RecordingReport(TypedDict):
    """All that is measured in whole recordings.

    Attributes:
        rule: the constants of the rule for recordings.
        chosen: whether they were chosen, on the development speakers or on all.
        speakers: whose words and recordings were used.
        kinds: the metrics of each kind of recordings.
    """

    rule: dict[str, Any]
    chosen: bool
    speakers: str
    kinds: dict[str, KindMetrics]


class Answer(NamedTuple):
    """What a recording is answered with: a command and its smoothed score, or None."""

    recording: ScoredRecording
    label: str | None
    confidence: float | None


class RecordingResult(NamedTuple):
    """The report, and the answer to each recording."""

    report: RecordingReport
    answers: list[Answer]


def evaluate_recordings(
    path: Path, clips: EvaluationSet, noises: Sequence[Samples], options: StreamOptions
) -> RecordingResult:
    """Evaluate a model file on whole recordings; choose the constants if thresholds are chosen.

    Args:
        path: an exported model file.
        clips: the words.
        noises: noise, int16.
        options: what to evaluate; of the recipe, the seed.

    Raises:
        DataError: a folder has no usable recording, or there is no word of these speakers.
        ModelError: the file is not a model with the signature `stream`.
    """
    file = modelfile.read(path)
    rule, network = file.recording_rule(), StreamNetwork(file)
    made = _make(list(rule.thresholds), clips, noises, options)
    scored = [
        ScoredRecording(*one[:4], hop_scores(network, rule, one.samples))
        for one in tqdm(made, desc="recordings", disable=None, leave=False, unit="recording")
    ]
    if options.choose is not None:
        rule = choose_constants(
            rule,
            [
                Example(one.scores, one.command, one.kind.startswith(OTHER_WORD))
                for one in scored
                if not one.held_out or options.speakers == EVERYBODY
            ],
        )
    answers = [_answer(rule, one) for one in scored]
    report: RecordingReport = {
        "rule": {name: getattr(rule, name) for name in RECORDING_CONSTANTS},
        "chosen": options.choose is not None,
        "speakers": options.speakers.description,
        "kinds": {
            kind: _metrics([answer for answer in answers if answer.recording.kind == kind])
            for kind in dict.fromkeys(one.kind for one in scored)
        },
    }
    return RecordingResult(report, answers)


def recording_settings(report: RecordingReport) -> tuple[dict[str, Any], str]:
    """Return the constants that the model file states, and a text on what they reach."""
    counts = []
    for command in (True, False):
        part: Literal["all", "held_out"] = "held_out"
        if report["speakers"] == EVERYBODY.description:
            part = "all"
        parts = [one[part] for one in report["kinds"].values() if one["command"] == command]
        counts.append(f"{sum(p['count'] for p in parts)} of {sum(p['of'] for p in parts)}")
    return report["rule"], (
        f"of whole recordings, {counts[0]} with a command answered right, {counts[1]} without one "
        "answered with a command"
    )


def _make(
    commands: Sequence[str],
    clips: EvaluationSet,
    noises: Sequence[Samples],
    options: StreamOptions,
) -> Iterator[Recording]:
    seed, window = options.recipe.seed, clips.samples.shape[1]
    words = choose_clips(clips, commands, options.speakers)
    others = choose_other_clips(clips, commands, options.speakers)
    yield from word_recordings(COMMAND, words, noises, seed)
    spoken = [
        sentence
        for folder in options.negatives
        for sentence in sentences(
            [*speech_streams(folder, options.speakers, options.recipe)], window
        )
    ]
    yield from sentences_and_commands(spoken, words, seed)
    yield from spoken
    yield from word_recordings(OTHER_WORD, others, noises, seed)
    yield from noise_recordings(noises, seed, window)


def _answer(rule: RecordingRule, recording: ScoredRecording) -> Answer:
    smoothed = smooth(recording.scores, rule.smoothing_hops)
    found = find_command(rule, smoothed, unknown_around(rule, recording.scores))
    if found is None:
        return Answer(recording, None, None)
    return Answer(recording, rule.labels[found[1]], float(smoothed[found]))


def _metrics(answers: Sequence[Answer]) -> KindMetrics:
    def share(chosen: Sequence[Answer]) -> Proportion:
        return proportion(sum(map(_counts, chosen)), len(chosen))

    return {
        "command": answers[0].recording.command is not None,
        "all": share(answers),
        "development": share([answer for answer in answers if not answer.recording.held_out]),
        "held_out": share([answer for answer in answers if answer.recording.held_out]),
    }


def _counts(answer: Answer) -> bool:
    """Whether a recording with a command was answered right, or another one with a command."""
    command = answer.recording.command
    return answer.label == command if command is not None else answer.label is not None
