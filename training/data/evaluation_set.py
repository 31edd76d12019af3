"""The clips that a model is evaluated on, drawn as in training."""

from collections.abc import Sequence
from pathlib import Path
from typing import Literal, NamedTuple

import numpy as np

from speechgru.stated_accuracy import ValidationUnknown
from training.clips.clip import Clip
from training.clips.errors import DataError
from training.clips.finding import find_clips
from training.clips.reading import Reading
from training.clips.splitting import split_clips
from training.clips.window import Samples
from training.clips.words import choose_words, respell
from training.data.noise_recordings import held_out, read_noises
from training.data.validation_clips import unknown_of, validation_clips


class EvaluationSet(NamedTuple):
    """The clips that a model is evaluated on.

    Attributes:
        samples: int16, shape (n, window).
        words: the word of each clip; "unknown" if it was made, "silence" if it is noise.
        names: of each clip, as in `Task.lists`.
        speakers: of each clip; "" if nobody speaks or the clip was made.
        noises: the held-out ends of the data folder's noises, int16.
        unknown: what the clips of "unknown" are. Default None: not known.
    """

    samples: Samples
    words: list[str]
    names: list[str]
    speakers: list[str]
    noises: list[Samples]
    unknown: ValidationUnknown | None = None


def evaluation_set(
    data: Path,
    *,
    words: Sequence[str],
    split: Literal["validation", "testing"],
    seed: int,
    window: int,
    found: Sequence[Clip] | None = None,
) -> EvaluationSet:
    """Read the validation clips that `make_task` gives without `noise`, or testing clips alike.

    Only the clips of that part are read.

    Args:
        data: the data folder.
        words: the command words; the clips get their spelling.
        split: the part.
        seed: decides the draws, as in `make_task`.
        window: samples of a clip.
        found: the clips of the folder. Default: those that `find_clips` finds.

    Raises:
        DataError: the folder does not hold these clips.
    """
    found = find_clips(data) if found is None else found
    choose_words(found, words)  # raises for a word without clips
    found = respell(found, words)
    parts = split_clips(data, found, commands=words)
    clips = parts.validation if split == "validation" else parts.testing
    if not clips:
        raise DataError(f"{data}: expected clips in testing_list.txt, found none")
    reading = Reading(words)
    noises = read_noises(reading, data, None, window)
    rng = np.random.default_rng(np.random.SeedSequence(seed).spawn(3)[1])
    table = validation_clips(reading, data, clips, words, noises, window, rng)
    reading.check()
    reading.show()
    speakers = [clip.speaker for clip in table.recorded]
    speakers += [""] * (len(table.names) - len(speakers))  # recorded clips come first
    unknown = unknown_of(table)
    return EvaluationSet(
        table.samples, table.words, table.names, speakers, held_out(noises), unknown
    )
