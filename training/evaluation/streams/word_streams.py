"""Streams of words: clips one after another, over noise."""

import dataclasses
from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np

from training.clips.levels import db_to_amplitude, rms
from training.clips.window import RATE, Samples
from training.clips.word_span import word_span
from training.evaluation.conditions import as_float
from training.evaluation.evaluated_model import Audio
from training.evaluation.streams.recipe import StreamRecipe

FADE = RATE // 100  # samples over which a clip or a noise fades in and out
HISS = db_to_amplitude(-80.0)  # RMS of the quiet between recordings
BED = db_to_amplitude(-40.0)  # RMS of the noise below words
PIECE_SECONDS = (4, 10)  # of one noise, before another follows
LEAD = RATE  # samples before the first word and after the last one


@dataclasses.dataclass(frozen=True)
class Words:
    """The clips that streams are made of.

    Attributes:
        samples: int16, shape (n, window).
        labels: the word of each clip.
        names: the name of each clip.
        speakers: the speaker of each clip.
    """

    samples: Samples
    labels: list[str]
    names: list[str]
    speakers: list[str]


class SpokenWord(NamedTuple):
    """A word in a stream, and when it is spoken, in seconds."""

    label: str
    name: str
    speaker: str
    start: float
    end: float


class WordStream(NamedTuple):
    """A stream and its words, in order."""

    samples: Audio
    words: list[SpokenWord]


def word_streams(
    words: Words, noises: Sequence[Samples], snr: int | None, recipe: StreamRecipe
) -> Iterator[WordStream]:
    """Make the streams of one condition.

    The order of the words, the pauses and the noise are the same at every SNR. The SNR is the
    ratio of the mean powers over the clip; the clip is scaled, and the noise is not.

    Args:
        words: the clips; each is used once.
        noises: recordings of noise, none of them digital zero, int16.
        snr: in dB. None: hiss at -80 dBFS, and the clips are not scaled.
        recipe: the settings.
    """
    order = np.random.default_rng((recipe.seed, 2)).permutation(len(words.labels))
    for number, start in enumerate(range(0, len(order), recipe.words_per_stream)):
        rng = np.random.default_rng((recipe.seed, 3, number))
        yield _word_stream(
            words, order[start : start + recipe.words_per_stream].tolist(), noises, snr, recipe, rng
        )


def _word_stream(
    words: Words,
    rows: Sequence[int],
    noises: Sequence[Samples],
    snr: int | None,
    recipe: StreamRecipe,
    rng: np.random.Generator,
) -> WordStream:
    clips = [faded(as_float(words.samples[row])) for row in rows]
    spans = [word_span(clip, words.labels[row]) for clip, row in zip(clips, rows, strict=True)]
    places, position = [], LEAD  # of the clips; of the next word
    for start, end in spans:
        places.append(position - start)
        position += end - start + round(rng.uniform(*recipe.pause_seconds) * RATE)
    first = min(0, *places)  # a long quiet begin of a clip
    places = [place - first for place in places]
    length = places[-1] + clips[-1].size + LEAD
    bed = quiet(length, rng) if snr is None else BED * noise_bed(noises, length, rng)
    stream = bed.copy()
    for clip, place in zip(clips, places, strict=True):
        part = slice(place, place + clip.size)
        stream[part] += clip * clip_gain(clip, bed[part], snr)
    spoken = [
        SpokenWord(
            words.labels[row],
            words.names[row],
            words.speakers[row],
            (place + start) / RATE,
            (place + end) / RATE,
        )
        for row, place, (start, end) in zip(rows, places, spans, strict=True)
    ]
    return WordStream(np.clip(stream, -1, 1), spoken)


def clip_gain(clip: Audio, noise: Audio, snr: int | None) -> np.float32:
    """Return the factor that gives a clip an SNR in dB above a noise; 1 if the SNR is None."""
    if snr is None:
        return np.float32(1)
    level = max(float(rms(clip)), 1e-9)
    return np.float32(db_to_amplitude(float(snr)) * float(rms(noise)) / level)


def noise_bed(noises: Sequence[Samples], length: int, rng: np.random.Generator) -> Audio:
    """Return noise at an RMS of 1: seconds of random recordings that fade into each other.

    Args:
        noises: recordings, none of them digital zero, int16. Short ones are repeated.
        length: number of samples.
        rng: draws the recordings and their parts.
    """
    bed = np.zeros(length, np.float32)
    position = 0
    while position < length:
        noise = noises[int(rng.integers(len(noises)))]
        size = int(rng.uniform(*PIECE_SECONDS) * RATE)
        start = int(rng.integers(max(0, noise.size - size) + 1))
        piece = np.resize(noise[start : start + size], size).astype(np.float32)
        level = float(rms(piece))
        if not level:
            continue
        part = faded(piece / np.float32(level))[: length - position]
        bed[position : position + part.size] += part
        position += size - FADE
    return bed


def quiet(length: int, rng: np.random.Generator) -> Audio:
    """Return hiss at -80 dBFS."""
    return (HISS * rng.normal(size=length)).astype(np.float32)


def faded(samples: Audio) -> Audio:
    """Return sound without its mean that fades in and out over 10 ms."""
    result: Audio = samples - samples.mean(dtype=np.float64).astype(np.float32)
    ramp = np.linspace(0, 1, FADE, dtype=np.float32)
    result[:FADE] *= ramp
    result[-FADE:] *= ramp[::-1]
    return result
