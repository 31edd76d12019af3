"""TODO: validation_rows."""

import math
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from training.clips.errors import DataError
from training.clips.finding import Clip
from training.clips.reading import Reading
from training.clips.window import WINDOW, to_int16
from training.clips.words import SILENCE
from training.data.noise_recordings import Noise
from training.data.clip_table import Rows
from training.data.synthetic_noise import synthetic_noise


def validation_rows(
    reading: Reading,
    data: Path,
    clips: Sequence[Clip],
    commands: Sequence[str],
    noises: Sequence["Noise"],
    rng: np.random.Generator,
) -> Rows:
    """All clips of commands, and for each ten of them one unknown word and one silence.

    Where there are no other words, unknown is words played backwards and splices, half and half.
    """
    ours = [clip for clip in clips if clip.word in commands]
    others = [clip for clip in clips if clip.word not in (*commands, SILENCE)]
    tenth = math.ceil(0.1 * len(ours))
    chosen = sorted(rng.permutation(len(others))[:tenth])
    rows = Rows(len(ours) + 2 * tenth)
    read = [*ours, *(others[i] for i in chosen)]
    rows.read("recorded", reading, read, "validation clips", data)
    if not rows.clips:
        reading.check()
        raise DataError(f"{data}: expected clips to validate on, found none with sound")
    if not others:
        splices = tenth // 2 if len({clip.word for clip in rows.clips}) > 1 else 0
        rows.make_unknown(tenth - splices, splices, rng)
    pieces = [found for found in noises if found.held_out.size]
    pieces = pieces or [
        Noise(data, f"made noise {number}", to_int16(0.05 * made / made.std()), 0)
        for number, made in enumerate(synthetic_noise(rows.filled, rng, seconds=2))
    ]
    for _ in range(tenth):
        piece = pieces[rng.integers(len(pieces))]
        start = int(rng.integers(piece.kept, piece.samples.size - WINDOW + 1))
        level = round(rng.uniform(0, 1), 6)
        name = f"{piece.name}@{start}*{level:.6f}"
        window = np.round(piece.samples[start : start + WINDOW] * level)
        rows.add("noise", SILENCE, name, window.astype(np.int16))
    return rows
