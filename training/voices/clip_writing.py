"""Training clips: deal words to speakers, place each word in a second of faint noise, write it."""

import contextlib
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import NoReturn

import numpy as np
import soxr
from tqdm import tqdm

from training.clips.levels import db_to_amplitude
from training.voices.availability import require_voices
from training.voices.errors import SynthesisError
from training.voices.sound import SAMPLE_RATE, add_noise, write_wav
from training.voices.speakers import Speaker, draw_neural_speakers, draw_speakers
from training.voices.synthesis import speak
from training.voices.words import check_words
from training.voices.worker_threads import worker_threads

MAX_SPEECH = 0.95  # seconds of speech in a one-second clip
MAX_SPEED_UP = 1.3  # a word that must be played faster than this to fit is dropped
NEURAL_LENGTHS = 0.15, 1.0  # seconds; a neural voice that takes less or more has made a mistake


@dataclass(frozen=True)
class ClipCounts:
    """What `write_clips` made."""

    clips: int
    words: int
    speakers: int
    dropped: int  # clips whose speech had a wrong length


@dataclass(frozen=True)
class _Assignment:
    """Speakers, the words of each (word: number of its clip), and their random numbers."""

    speakers: list[Speaker]
    words: list[dict[str, int]]
    rng: np.random.Generator


def write_clips(
    out_dir: Path, counts: Mapping[str, int], neural_counts: Mapping[str, int], seed: int
) -> ClipCounts:
    """Write one-second clips, ``out_dir/<word>/<speaker>_nohash_<number>.wav``, 16 kHz PCM-16.

    The folder appears under its name when it is complete.

    Args:
        out_dir: folder that does not exist or is empty.
        counts: number of clips of each word by espeak-ng, flite and festival.
        neural_counts: number of clips of each word by kokoro and piper. Neither part depends on the
            other.
        seed: seed of all random choices.

    Raises:
        SynthesisError: a word is not one, a voice is missing, or `out_dir` is in use.
        OSError: `out_dir` cannot be written to.
    """
    neural_counts = {word: number for word, number in neural_counts.items() if number}
    words = list({**counts, **neural_counts})
    check_words(words)
    if out_dir.exists() and not out_dir.is_dir():
        raise SynthesisError(f"{out_dir}: expected a new or an empty folder, found a file")
    if out_dir.exists() and any(out_dir.iterdir()):
        raise SynthesisError(f"{out_dir}: expected a new or an empty folder, found files in it")
    assignments = _assign(counts, neural_counts, seed)
    out_dir = out_dir.resolve()
    out_dir.parent.mkdir(parents=True, exist_ok=True)
    total = sum(counts.values()) + sum(neural_counts.values())
    beside = tempfile.TemporaryDirectory(prefix=f".{out_dir.name}-", dir=out_dir.parent)
    with tqdm(total=total, unit="clip", disable=None) as bar, beside as folder:
        clips = Path(folder, "clips")
        for word in words:
            (clips / word).mkdir(parents=True)
        dropped = sum(_write_assignment(clips, assignment, bar) for assignment in assignments)
        with contextlib.suppress(FileNotFoundError):
            out_dir.rmdir()  # Windows replaces no folder, not even an empty one
        clips.replace(out_dir)
    speakers = sum(len(assignment.speakers) for assignment in assignments)
    return ClipCounts(total - dropped, len(words), speakers, dropped)


def _assign(
    counts: Mapping[str, int], neural_counts: Mapping[str, int], seed: int
) -> list[_Assignment]:
    """Draw as many speakers as the most frequent word has clips, and deal the words to them."""
    assignments = []
    for draw, numbers, entropy in (
        (draw_speakers, counts, [seed]),
        (draw_neural_speakers, neural_counts, [seed, 1]),
    ):
        rng = np.random.default_rng(entropy)
        speakers = draw(max(numbers.values(), default=0), rng)
        require_voices(speakers)
        assignments.append(_Assignment(speakers, deal_words(numbers, len(speakers)), rng))
    return assignments


def deal_words(counts: Mapping[str, int], speakers: int) -> list[dict[str, int]]:
    """Deal the words to the speakers in turn.

    A word goes to consecutive speakers, so that each kind of voice gets its part of the word. No
    word may have more clips than there are speakers: nobody says the same word twice.

    Returns:
        For each speaker, the words and the number of each word's clip.
    """
    dealt: list[dict[str, int]] = [{} for _ in range(speakers)]
    turn = 0
    for word, number in counts.items():
        for i in range(number):
            dealt[turn % speakers][word] = i
            turn += 1
    return dealt


def _write_assignment(folder: Path, assignment: _Assignment, bar: "tqdm[NoReturn]") -> int:
    """Write the clips of all speakers of an assignment; return how many were dropped."""
    dropped = 0
    with worker_threads() as pool:
        spoken = pool.map(
            partial(speak, before=0.02, after=0.04), assignment.speakers, assignment.words
        )
        for speaker, numbers, sounds in zip(
            assignment.speakers, assignment.words, spoken, strict=True
        ):
            for word, speech in sounds:
                bar.update()
                if not has_plausible_length(speaker, len(speech) / SAMPLE_RATE):
                    dropped += 1
                    continue
                path = folder / word / f"{speaker.name}_nohash_{numbers[word]}.wav"
                write_wav(path, place_in_clip(speech, assignment.rng), SAMPLE_RATE, "PCM_16")
    return dropped


def has_plausible_length(speaker: Speaker, seconds: float) -> bool:
    """Return whether a word's speech has a length that the speaker can have meant."""
    if speaker.is_neural:
        return NEURAL_LENGTHS[0] <= seconds <= NEURAL_LENGTHS[1]
    return seconds <= MAX_SPEECH * MAX_SPEED_UP


def place_in_clip(speech: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Put a word at a random place in a second of faint noise, at a recording's usual level."""
    if len(speech) > MAX_SPEECH * SAMPLE_RATE:
        rate = MAX_SPEECH * SAMPLE_RATE / len(speech) * SAMPLE_RATE
        speech = soxr.resample(speech, SAMPLE_RATE, rate)
    before = int(rng.integers(SAMPLE_RATE - len(speech) + 1))
    clip = np.zeros(SAMPLE_RATE)
    clip[before : before + len(speech)] = speech * db_to_amplitude(rng.uniform(-12, -1))
    return add_noise(clip, rng.uniform(-75, -50), rng)
