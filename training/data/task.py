"""TODO: task."""

import dataclasses
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt

from training.clips.finding import find_clips
from training.clips.reading import Reading
from training.clips.splitting import split_clips
from training.clips.window import Samples
from training.clips.words import SILENCE, UNKNOWN, choose_words, warn_of_thin_words
from training.data.noise_recordings import Noise, noise_rows, read_noises
from training.data.clip_table import Rows
from training.data.batches import Pool, make_pools
from training.data.synthetic_noise import synthetic_noise
from training.data.training_clips import training_rows
from training.data.validation_clips import validation_rows


@dataclasses.dataclass
class Task:
    """Everything a run learns from and is measured on.

    The same folders and the same seed give the same task, bit for bit.

    Attributes:
        labels: the commands, "unknown" and "silence".
        clips: all training clips, int16 (clips, WINDOW), row 0 silent.
        pools: for each label the rows to draw from and their probabilities.
        noise: float32 (rows, NOISE_ROW) at an RMS near 1: recorded and made noises.
        validation: the validation clips, int16 (n, WINDOW).
        targets: the numbers of their labels, int32 (n,).
        summary: the folders and what they gave.
        new_voices: no speaker is in both parts.
        lists: what the arrays hold, in their order, as text. "training" and "validation":
            `<word>/<file>` in the data folder; "negative" and "synthetic": files in those folders;
            "noise": `<folder>/<file>`; "training_unknown" and "validation_unknown": what is made
            of command words; "validation_silence":
            `<folder>/<file>@<first sample at 16 kHz>*<factor>`. The rows of `validation` are
            those of "validation", "validation_unknown" and "validation_silence", in this order.
        skipped: path and reason of every file that is no use (see `clips.Reading`).
    """

    labels: tuple[str, ...]
    clips: Samples
    pools: list[Pool]
    noise: npt.NDArray[np.float32]
    validation: Samples
    targets: npt.NDArray[np.int32]
    summary: str
    new_voices: bool
    lists: dict[str, list[str]] = dataclasses.field(default_factory=dict)
    skipped: list[tuple[str, str]] = dataclasses.field(default_factory=list)

    @property
    def passed_over(self) -> list[tuple[str, str]]:
        """The former name of `skipped`."""
        return self.skipped


def make_task(
    data: Path,
    *,
    words: Sequence[str] | None,
    negative: Path | None,
    synthetic: Path | None,
    synthetic_weight: float,
    synthetic_share: float,
    seed: int,
    spliced_share: float = 0.0,
    noise: Path | None = None,
) -> Task:
    """Read a data folder and lay out what is drawn for each label.

    Validation holds all validation clips of the command words and, as the Speech Commands paper
    (arXiv:1804.03209) and its example have it, a tenth of that number each of unknown words and of
    silence: any second of a background noise, at any volume. Both are drawn by the seed.

    Every file is read once, and its samples go to their row of one array that is allocated at the
    start: 32 kB a clip, and a few hundred MB besides.

    Args:
        data: folder of `<word>/*.wav`, with `_background_noise_` and lists where it has them.
        words: command words; None to choose them, `["all"]` for every word folder.
        negative: folder of speech without commands, of any length, for "unknown"; or None.
        synthetic: folder of `<word>/*.wav` spoken by machines, used in training only; or None.
        synthetic_weight: how often a synthetic clip of a command is drawn, at the least, for each
            time a real one is.
        synthetic_share: the least share of synthetic clips in what is drawn of a label.
        seed: decides the draws.
        spliced_share: share of splices of two commands in what is drawn of "unknown", where there
            are recorded other words too; two commands with a letter in common are not joined.
            Default 0.
        noise: folder of noises, of any rate and length, besides `_background_noise_`. Default:
            None.

    Raises:
        DataError: the folder does not hold what a task needs.
    """
    found = find_clips(data)
    commands = choose_words(found, words)
    labels = (*commands, UNKNOWN, SILENCE)
    numbers = {label: number for number, label in enumerate(labels)}
    split = split_clips(data, found, commands=commands)
    # One stream of random numbers for each purpose: no choice moves another.
    streams = np.random.SeedSequence(seed).spawn(3)
    for_training, for_validation, for_noise = map(np.random.default_rng, streams)

    reading = Reading()
    noises = read_noises(reading, data, noise)
    training = training_rows(
        reading, data, split.training, commands, negative, synthetic, spliced_share, for_training
    )
    validation = validation_rows(reading, data, split.validation, commands, noises, for_validation)
    reading.check()
    reading.show()
    warn_of_thin_words(commands, training.clips, validation.clips)
    pools = make_pools(training, labels, data, synthetic_weight, synthetic_share, spliced_share)

    speech = training.filled[for_noise.choice(pools[numbers[UNKNOWN]][0], 400)]
    made_noises = synthetic_noise(speech, for_noise)
    return Task(
        labels=labels,
        clips=training.filled,
        pools=pools,
        noise=noise_rows([*(found.training for found in noises), *made_noises]),
        validation=validation.filled,
        targets=np.array([numbers.get(w, numbers[UNKNOWN]) for w in validation.words], np.int32),
        summary=_summary(training, data, negative, synthetic, noise, noises),
        new_voices=not {c.speaker for c in split.training} & {c.speaker for c in split.validation},
        lists={
            "training": training.names_of("recorded"),
            "training_unknown": training.names_of("backwards", "splice"),
            "negative": list(dict.fromkeys(training.names_of("negative"))),
            "synthetic": training.names_of("synthetic"),
            "noise": [found.name for found in noises],
            "validation": validation.names_of("recorded"),
            "validation_unknown": validation.names_of("backwards", "splice"),
            "validation_silence": validation.names_of("noise"),
        },
        skipped=reading.skipped,
    )


def _summary(
    rows: Rows,
    data: Path,
    negative: Path | None,
    synthetic: Path | None,
    noise: Path | None,
    noises: Sequence["Noise"],
) -> str:
    count = Counter(rows.origins)
    sources = (("recorded", data), ("negative", negative), ("synthetic", synthetic))
    given = [f"{count[of]:,} clips of {folder.name}" for of, folder in sources if folder]
    if noise is not None:
        given.append(f"{sum(found.folder == noise for found in noises):,} noises of {noise.name}")
    return ", ".join(given)
