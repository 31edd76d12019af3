"""Recordings with one command, and recordings without."""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np

from training.clips.levels import db_to_amplitude
from training.clips.window import RATE, Samples
from training.evaluation.conditions import as_float, noisy
from training.evaluation.evaluated_model import Audio
from training.evaluation.speakers import is_held_out_speaker
from training.evaluation.streams.negative_streams import NOISE, NegativeStream
from training.evaluation.streams.scored_streams import QUIET
from training.evaluation.streams.word_streams import (
    BED,
    Words,
    clip_gain,
    faded,
    noise_bed,
    quiet,
)

SNR = 10  # dB
WORD_SECONDS = 1.5  # by which a recording with one word is longer than the window, at most
NEGATIVE_SECONDS = 10.0  # greatest length of recordings without a command
PAUSE_SECONDS = (0.7, 2.0)  # between a sentence and a command
END = RATE // 2  # samples after a sentence and a command
NOISES = 200  # recordings of noise
NOISE_LEVELS = (-50.0, -10.0)  # RMS in dBFS

COMMAND, OTHER_WORD, BESIDE_SENTENCE = "one command", "one other word", "a sentence and a command"


class Recording(NamedTuple):
    """A recording.

    Attributes:
        kind: what it holds; for a recording of a folder the folder.
        name: of the clip or the file.
        command: the command in it, or None.
        held_out: whether it belongs to the held-out half of the speakers.
        samples: float32, mono, 16 kHz, longer than the model's window.
    """

    kind: str
    name: str
    command: str | None
    held_out: bool
    samples: Audio


def word_recordings(
    kind: str, words: Words, noises: Sequence[Samples], seed: int
) -> Iterator[Recording]:
    """Make two recordings of each word: in quiet, and with noise at 10 dB.

    A recording is up to 1.5 s longer than the clip, which lies anywhere in it. Quiet is hiss at
    -80 dBFS. The noise lasts as long as the recording; the clip is scaled to the SNR.

    Args:
        kind: `COMMAND` or `OTHER_WORD`.
        words: the clips.
        noises: recordings of noise, none of them digital zero, int16.
        seed: seed of all random draws.
    """
    rng = np.random.default_rng((seed, 6 if kind == COMMAND else 7))
    window = words.samples.shape[1]
    for row, label in enumerate(words.labels):
        length = _length(rng, window, window / RATE + WORD_SECONDS)
        place = int(rng.integers(length - window + 1))
        clip = faded(as_float(words.samples[row]))
        held_out = is_held_out_speaker(words.speakers[row])
        for snr in (None, SNR):
            bed = quiet(length, rng) if snr is None else BED * noise_bed(noises, length, rng)
            gain = clip_gain(clip, bed[place : place + window], snr)
            bed[place : place + window] += clip * gain
            yield Recording(
                f"{kind}, {QUIET if snr is None else noisy(snr)}",
                words.names[row],
                label if kind == COMMAND else None,
                held_out,
                np.clip(bed, -1, 1),
            )


def sentences(streams: Sequence[NegativeStream], window: int) -> Iterator[Recording]:
    """Return recordings without a command that are longer than the window and last 10 s at most.

    Args:
        streams: streams of speakers, which consist of recordings.
        window: samples of the model's window.
    """
    for stream in streams:
        held_out = is_held_out_speaker(stream.speaker)
        for one in stream.recordings:
            samples = stream.samples[round(one.start * RATE) : round(one.end * RATE)]
            if window < samples.size <= NEGATIVE_SECONDS * RATE:
                yield Recording(stream.source, one.name, None, held_out, samples)


def sentences_and_commands(
    spoken: Sequence[Recording], words: Words, seed: int
) -> Iterator[Recording]:
    """Add a command to each sentence, after or before it in turn, 0.7 to 2 s away.

    Args:
        spoken: the sentences.
        words: clips of commands; each sentence gets one of a speaker of the same half.
        seed: seed of all random draws.
    """
    rng = np.random.default_rng((seed, 8))
    held_out = np.array([is_held_out_speaker(speaker) for speaker in words.speakers])
    for number, sentence in enumerate(spoken):
        rows = np.flatnonzero(held_out == sentence.held_out)
        if not rows.size:
            continue
        row = int(rng.choice(rows))
        pause = quiet(round(rng.uniform(*PAUSE_SECONDS) * RATE), rng)
        parts = [sentence.samples, pause, faded(as_float(words.samples[row]))]
        parts = parts[::-1] if number % 2 else parts
        yield Recording(
            BESIDE_SENTENCE,
            f"{sentence.name}, {words.names[row]}",
            words.labels[row],
            sentence.held_out,
            np.concatenate([*parts, quiet(END, rng)]),
        )


def noise_recordings(noises: Sequence[Samples], seed: int, window: int) -> Iterator[Recording]:
    """Make recordings of noise alone at -50 to -10 dBFS; every second one is held out.

    They are longer than the model's window, of so many samples, and last 10 s at most.
    """
    rng = np.random.default_rng((seed, 9))
    for number in range(NOISES):
        level = db_to_amplitude(rng.uniform(*NOISE_LEVELS))
        samples = level * noise_bed(noises, _length(rng, window, NEGATIVE_SECONDS), rng)
        clipped = np.clip(samples, -1, 1).astype(np.float32)
        yield Recording(NOISE, f"{NOISE} {number}", None, number % 2 == 1, clipped)


def _length(rng: np.random.Generator, window: int, most: float) -> int:
    """Draw a number of samples that exceeds the model's window; `most` is in seconds."""
    return max(window + 1, round(rng.uniform(window / RATE, most) * RATE))
