"""Streams without a command: recordings by speaker, and noise alone."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np

from training.clips.errors import DataError
from training.clips.finding import find_recordings
from training.clips.reading import Reading
from training.clips.speakers import recording_speaker
from training.clips.window import RATE, Samples, to_int16
from training.evaluation.conditions import as_float
from training.evaluation.evaluated_model import Audio
from training.evaluation.speakers import Speakers
from training.evaluation.streams.recipe import StreamRecipe
from training.evaluation.streams.word_streams import BED, noise_bed, quiet
from training.output.messages import printable

PAUSE = RATE // 2  # samples of quiet between two recordings
NOISE = "noise"  # the source of the stream of noise


class Recording(NamedTuple):
    """A recording in a stream: its name, and where it begins and ends in seconds."""

    name: str
    start: float
    end: float


class NegativeStream(NamedTuple):
    """A stream that holds no command.

    Attributes:
        source: its folder as it was given, or `NOISE`.
        speaker: who speaks; "" in noise.
        samples: float32, mono, 16 kHz.
        recordings: what it consists of, in order.
    """

    source: str
    speaker: str
    samples: Audio
    recordings: list[Recording]

    @property
    def hours(self) -> float:
        """Length of the recordings, without the quiet between them."""
        return sum(recording.end - recording.start for recording in self.recordings) / 3600


def speech_streams(
    folder: Path, speakers: Speakers, recipe: StreamRecipe
) -> Iterator[NegativeStream]:
    """Read a folder of recordings, and join those of each speaker, with half a second between them.

    Args:
        folder: sound files at any depth that hold no command. A file's speaker is what its name
            has before the first "_", or else before the first "-", as in LibriSpeech.
        speakers: which speakers are read.
        recipe: its seed decides the hiss in the pauses.

    Raises:
        DataError: the folder has no recordings, none of such speakers, or too many unusable ones.
    """
    paths = find_recordings(folder)
    if not paths:
        raise DataError(f"{folder}: expected recordings without a command, found none")
    of_speaker: dict[str, list[Path]] = {}
    for path in paths:
        of_speaker.setdefault(recording_speaker(path), []).append(path)
    chosen = [speaker for speaker in sorted(of_speaker) if speakers.includes(speaker)]
    if not chosen:
        raise DataError(
            f"{folder}: expected recordings of {speakers.description}, found none "
            f"among those of {len(of_speaker)} speakers"
        )
    reading = Reading()
    rng = np.random.default_rng((recipe.seed, 4))
    used = 0
    for speaker in chosen:
        read = reading.each(of_speaker[speaker], to_int16, speaker, folder)
        sounds = [(of_speaker[speaker][number].relative_to(folder), part) for number, part in read]
        if sounds:
            used += 1
            yield _join(printable(folder), speaker, sounds, rng)
    reading.check()
    reading.show()
    if not used:
        raise DataError(f"{folder}: expected recordings with sound, found none")


def noise_stream(noises: Sequence[Samples], recipe: StreamRecipe) -> NegativeStream:
    """Return a stream of noise alone, at -40 dBFS."""
    length = round(recipe.noise_minutes * 60 * RATE)
    samples = BED * noise_bed(noises, length, np.random.default_rng((recipe.seed, 5)))
    return NegativeStream(NOISE, "", samples, [Recording(NOISE, 0.0, length / RATE)])


def _join(
    source: str, speaker: str, sounds: Sequence[tuple[Path, Samples]], rng: np.random.Generator
) -> NegativeStream:
    parts: list[Audio] = []
    recordings = []
    position = 0
    for path, samples in sounds:
        parts += [as_float(samples), quiet(PAUSE, rng)]
        end = position + samples.size
        recordings.append(Recording(printable(path.as_posix()), position / RATE, end / RATE))
        position = end + PAUSE
    return NegativeStream(source, speaker, np.concatenate(parts), recordings)
