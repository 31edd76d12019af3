"""TODO: evaluation_set."""

from collections.abc import Sequence
from pathlib import Path
from typing import Literal, NamedTuple

import numpy as np

from training.clips.errors import DataError
from training.clips.finding import find_clips
from training.clips.reading import Reading
from training.clips.splitting import split_clips
from training.clips.window import Samples
from training.clips.words import choose_words
from training.data.noise_recordings import held_out, read_noises
from training.data.validation_clips import validation_rows


class EvaluationSet(NamedTuple):
    """What a model is measured on.

    Attributes:
        samples: int16 (n, WINDOW).
        words: the word of each clip; "unknown" where it was made, "silence" where it is noise.
        names: of each clip, as `Task.lists` has them.
        speakers: of each clip; "" where nobody speaks or the clip was made.
        noises: the ends of the data folder's noises, which training does not hear, int16.
    """

    samples: Samples
    words: list[str]
    names: list[str]
    speakers: list[str]
    noises: list[Samples]


def evaluation_set(
    data: Path, *, words: Sequence[str], split: Literal["validation", "testing"], seed: int
) -> EvaluationSet:
    """The validation clips that `make_task` gives without `noise`; testing clips are drawn alike.

    Only the clips of that part are read.

    Raises:
        DataError: the folder does not hold what is asked for.
    """
    found = find_clips(data)
    commands = choose_words(found, words)
    clips = getattr(split_clips(data, found, commands=commands), split)
    if not clips:
        raise DataError(f"{data}: expected clips in testing_list.txt, found none")
    reading = Reading()
    noises = read_noises(reading, data, None)
    rng = np.random.default_rng(np.random.SeedSequence(seed).spawn(3)[1])
    rows = validation_rows(reading, data, clips, commands, noises, rng)
    reading.check()
    reading.show()
    speakers = [clip.speaker for clip in rows.clips]
    speakers += [""] * (len(rows.names) - len(speakers))  # recorded clips come first
    return EvaluationSet(rows.filled, rows.words, rows.names, speakers, held_out(noises))
