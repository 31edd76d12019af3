"""Evaluate a model file in streams, and choose its thresholds."""

import dataclasses
from collections.abc import Collection, Sequence
from pathlib import Path
from typing import Any

from speechgru import modelfile
from speechgru.detection import DetectionRule
from speechgru.modelfile import ModelError, ModelFile
from speechgru.network import StreamNetwork
from training.clips.errors import DataError
from training.clips.window import Samples
from training.data.evaluation_set import EvaluationSet
from training.evaluation.conditions import noisy
from training.evaluation.speakers import EVERYBODY, Speakers, is_held_out_speaker
from training.evaluation.streams.options import StreamOptions
from training.evaluation.streams.scored_streams import (
    QUIET,
    ScoredNegative,
    ScoredWords,
    choose_clips,
    score_negatives,
    score_words,
)
from training.evaluation.streams.summary import (
    ALL_FOLDERS,
    StreamReport,
    StreamResult,
    count_in,
    match_words,
    measure,
)
from training.evaluation.streams.thresholds import choose_thresholds

MEASURED_SNR = 10  # of the recall that the model file states
CONTEXT_WEIGHTS = (0.0, 5.0, 10.0, 20.0, 50.0)
USUAL_CONTEXT_WEIGHT = 20.0  # chosen for the bundled `medium` on recordings of people


def evaluate_streams(
    path: Path, clips: EvaluationSet, noises: Sequence[Samples], options: StreamOptions
) -> StreamResult:
    """Evaluate a model file in streams.

    Each stream is scored once. Thresholds and the weight of the context, if they are to be chosen,
    are chosen on the development half of the speakers. With `EVERYBODY`, the thresholds are chosen
    on all, and the weight is that of the bundled `medium`: sentences by synthetic voices favour
    weights with which real speech has several times as many false accepts. `detection_settings`
    returns what the file shall state.

    Args:
        path: an exported model file.
        clips: the words.
        noises: noise to put under the words, int16.
        options: what to evaluate.

    Raises:
        DataError: a folder has no usable recording, or there is no word of these speakers.
        ModelError: the file is not a model with the signature `stream`.
    """
    file = read_streaming_model(path)
    rule = file.detection_rule()
    commands = list(rule.thresholds)
    words = choose_clips(clips, commands, options.speakers)
    network = StreamNetwork(file)
    negatives = [*score_negatives(network, clips, noises, commands, options)]
    development = [] if options.choose is None else _development(negatives, options.speakers)
    positives = score_words(network, words, noises, options.recipe)
    if options.choose is not None:
        measured, late = positives[_condition(positives)], options.recipe.late_seconds
        if options.speakers == EVERYBODY:
            rule = dataclasses.replace(rule, context_weight=USUAL_CONTEXT_WEIGHT)
            thresholds = choose_thresholds(count_in(rule, development), options.choose)
            rule = dataclasses.replace(rule, thresholds=thresholds)
        else:
            rule = choose_rule(rule, development, measured, options.choose, late)
    return measure(rule, positives, negatives, options)


def choose_rule(
    rule: DetectionRule,
    negatives: Sequence[ScoredNegative],
    positives: Sequence[ScoredWords],
    per_hour: float,
    late: float,
) -> DetectionRule:
    """Choose the weight of the context and the thresholds that belong to it.

    Of `CONTEXT_WEIGHTS`, that one is chosen with which the most words of development speakers are
    found.

    Args:
        rule: the other constants.
        negatives: streams of development speakers without a command.
        positives: streams of words in one condition.
        per_hour: false accepts an hour for which thresholds are chosen.
        late: seconds after a word from which a detection is too late.
    """
    candidates = []
    for weight in CONTEXT_WEIGHTS:
        candidate = dataclasses.replace(rule, context_weight=weight)
        thresholds = choose_thresholds(count_in(candidate, negatives), per_hour)
        candidates.append(dataclasses.replace(candidate, thresholds=thresholds))

    def found(candidate: DetectionRule) -> int:
        results, _ = match_words(candidate, positives, late)
        return sum(
            one.found is not None and not is_held_out_speaker(one.word.speaker) for one in results
        )

    return max(candidates, key=found)


def read_streaming_model(path: Path) -> ModelFile:
    """Read a model file; only such a file can be evaluated in streams.

    Raises:
        ModelError: it is a run's folder or a Keras model, or no usable file.
    """
    if path.suffix == ".keras":
        raise ModelError(
            f"{path}: expected an exported .tflite file to evaluate in streams, found a Keras "
            "model: run export/export.py"
        )
    return modelfile.read(path)


def detection_settings(report: StreamReport) -> dict[str, Any]:
    """Return what the model file states under `detection`: thresholds, and what they reach."""
    condition = _condition(report["words"])
    chosen_on_all = report["speakers"] == EVERYBODY.description
    recall = report["words"][condition]["recall" if chosen_on_all else "recall_held_out"]
    rates = report["negatives"][ALL_FOLDERS]["all" if chosen_on_all else "held_out"]
    halves = "held-out halves of the speakers: " * (not chosen_on_all)
    others = "them" if chosen_on_all else "the other halves"
    return {
        "thresholds": report["rule"]["thresholds"],
        "context_weight": report["rule"]["context_weight"],
        "false_accepts_per_hour": _rounded(rates["per_hour"]),
        "recall": _rounded(recall["share"]),
        "measured_on": f"{halves}{rates['count']} false accepts in {rates['hours']:.2f} hours of "
        f"sentences; {recall['count']} of {recall['of']} words found in streams, {condition}; "
        f"thresholds chosen on {others}, for at most {report['chosen_for']:g} an hour",
    }


def _condition(conditions: Collection[str]) -> str:
    """The condition of the recall that the model file states."""
    condition = noisy(MEASURED_SNR)
    return condition if condition in conditions else QUIET


def _development(negatives: Sequence[ScoredNegative], speakers: Speakers) -> list[ScoredNegative]:
    """The recordings to choose thresholds on.

    They are those of the development half of the speakers, if there are some of both halves; or,
    with everybody, all streams, those of noise as well.
    """
    if speakers == EVERYBODY:
        return list(negatives)
    spoken = [one for one in negatives if one.speaker]
    development = [one for one in spoken if not is_held_out_speaker(one.speaker)]
    if len(development) in (0, len(spoken)):
        raise DataError(
            "expected recordings of both halves of the speakers to choose thresholds and to check "
            f"them, found those of {len({one.speaker for one in spoken})} speakers in one half"
        )
    return development


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 4)
