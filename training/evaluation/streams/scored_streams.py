"""Streams with and without commands, and the model's scores of them."""

from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

import numpy as np
from tqdm import tqdm

from speechgru.network import StreamNetwork
from training.clips.errors import DataError
from training.clips.window import Samples
from training.clips.words import UNKNOWN
from training.data.evaluation_set import EvaluationSet
from training.evaluation.conditions import noisy
from training.evaluation.speakers import Speakers
from training.evaluation.streams.negative_streams import (
    NegativeStream,
    Recording,
    noise_stream,
    speech_streams,
)
from training.evaluation.streams.options import StreamOptions
from training.evaluation.streams.recipe import StreamRecipe
from training.evaluation.streams.scores import Scores, score_stream
from training.evaluation.streams.word_streams import SpokenWord, Words, word_streams

QUIET = "quiet"
OTHER_WORDS = "other words"  # the source of the streams of words that are no commands


class ScoredWords(NamedTuple):
    """A stream of words: the scores after each hop, and the words."""

    scores: Scores
    words: list[SpokenWord]


class ScoredNegative(NamedTuple):
    """A stream without a command: the scores after each hop, and what it consists of.

    Attributes:
        scores: (hops, labels).
        source: as in `NegativeStream`.
        speaker: as in `NegativeStream`.
        recordings: as in `NegativeStream`.
        hours: length of the recordings.
    """

    scores: Scores
    source: str
    speaker: str
    recordings: list[Recording]
    hours: float


def choose_clips(clips: EvaluationSet, commands: Sequence[str], speakers: Speakers) -> Words:
    """Return the clips of commands that some speakers say.

    Raises:
        DataError: there is none.
    """
    rows = [
        row
        for row, (word, speaker) in enumerate(zip(clips.words, clips.speakers, strict=True))
        if word in commands and speakers.includes(speaker)
    ]
    if not rows:
        raise DataError(f"expected clips of commands by {speakers.description}, found none")
    return _take(clips, rows)


def choose_other_clips(clips: EvaluationSet, commands: Sequence[str], speakers: Speakers) -> Words:
    """Return the clips of words that are no commands, by some speakers; perhaps none."""
    rows = [
        row
        for row, (word, speaker) in enumerate(zip(clips.words, clips.speakers, strict=True))
        if speaker and word not in (*commands, UNKNOWN) and speakers.includes(speaker)
    ]
    return _take(clips, rows)


def score_words(
    network: StreamNetwork, words: Words, noises: Sequence[Samples], recipe: StreamRecipe
) -> dict[str, list[ScoredWords]]:
    """Make and score the streams of words, in quiet and at each SNR."""
    conditions = {QUIET: None, **{noisy(snr): snr for snr in recipe.snrs}}
    positives: dict[str, list[ScoredWords]] = {}
    total = len(conditions) * len(words.labels)
    with _bar(total, "streams of words", "word") as progress:
        for name, snr in conditions.items():
            for stream in word_streams(words, noises, snr, recipe):
                scores = score_stream(network, stream.samples)
                positives.setdefault(name, []).append(ScoredWords(scores, stream.words))
                progress.update(len(stream.words))
    return positives


def score_negatives(
    network: StreamNetwork,
    clips: EvaluationSet,
    noises: Sequence[Samples],
    commands: Sequence[str],
    options: StreamOptions,
) -> Iterator[ScoredNegative]:
    """Make and score the streams without a command: folders, noise, and words of other labels."""
    streams = _negative_streams(clips, noises, commands, options)
    with _bar(None, "streams without commands", "stream") as progress:
        for stream in streams:
            yield ScoredNegative(
                score_stream(network, stream.samples),
                stream.source,
                stream.speaker,
                stream.recordings,
                stream.hours,
            )
            progress.update()


def _negative_streams(
    clips: EvaluationSet,
    noises: Sequence[Samples],
    commands: Sequence[str],
    options: StreamOptions,
) -> Iterator[NegativeStream]:
    recipe = options.recipe
    for folder in options.negatives:
        yield from speech_streams(folder, options.speakers, recipe)
    if recipe.noise_minutes:
        yield noise_stream(noises, recipe)
    others = choose_other_clips(clips, commands, options.speakers)
    for stream in word_streams(others, noises, None, recipe):
        ends = [*(word.start for word in stream.words[1:]), stream.words[-1].end]
        recordings = [
            Recording(word.name, word.start, end)
            for word, end in zip(stream.words, ends, strict=True)
        ]
        yield NegativeStream(OTHER_WORDS, "", stream.samples, recordings)


def _take(clips: EvaluationSet, rows: Sequence[int]) -> Words:
    return Words(
        clips.samples[np.array(rows, int)],
        [clips.words[row] for row in rows],
        [clips.names[row] for row in rows],
        [clips.speakers[row] for row in rows],
    )


def _bar(total: int | None, what: str, unit: str) -> "tqdm[Any]":
    return tqdm(total=total, desc=what, disable=None, leave=False, unit=unit)
