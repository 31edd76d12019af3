"""Lay out the training clips: recorded, negative speech, synthetic, and made of commands."""

import itertools
from collections.abc import Sequence

import numpy as np

from training.clips.clip import Clip
from training.clips.reading import Reading
from training.clips.words import SILENCE, UNKNOWN
from training.data.clip_table import ClipTable
from training.data.negative_speech import Recording
from training.data.sources import DataSources
from training.data.unknown_class import MADE_CLIPS, add_made_unknowns, add_spliced_commands


def training_clips(
    reading: Reading,
    sources: DataSources,
    clips: Sequence[Clip],
    synthetic: Sequence[Clip],
    negative: Sequence[Recording],
    commands: Sequence[str],
    spliced_share: float,
    window: int,
    rng: np.random.Generator,
) -> ClipTable:
    """Read and make the clips to train on.

    Without negative speech and without other words than the commands, "unknown" is made of the
    commands: see `unknown_class.add_made_unknowns`.

    Args:
        reading: reads the files and records those that are skipped.
        sources: the folders.
        clips: the training clips of the data folder.
        synthetic: the clips of the synthetic folder.
        negative: the recordings of negative speech to train on.
        commands: the command words.
        spliced_share: if above 0, splices of commands are added where there are other words.
        window: samples of a clip.
        rng: draws what is made.

    Returns:
        Row 0 is digital silence; then the recorded clips, negative speech, synthetic and made
        clips.

    Raises:
        DataError: a folder cannot be used.
    """
    known = {*commands, SILENCE}
    is_made = not sources.negative and all(c.word in known for c in (*clips, *synthetic))
    most = min(len(clips), MADE_CLIPS)
    backwards = most if is_made else 0
    splices = backwards if len(commands) > 1 else 0
    if spliced_share and not is_made:
        splices = most // 2

    windows = sum(len(recording.starts) for recording in negative)
    table = ClipTable(1 + len(clips) + windows + len(synthetic) + backwards + splices, window)
    table.add("silent", SILENCE, "", np.zeros(window, np.int16))
    table.read("recorded", reading, clips, "training clips", sources.data)
    for recording in negative:
        rows = dict(zip(recording.starts, itertools.count(len(table.names)), strict=False))
        for samples in recording.windows(window):
            table.add("negative", UNKNOWN, recording.name, samples)
        later = ((start + window, row) for start, row in rows.items())
        table.following |= {row: rows[start] for start, row in later if start in rows}
    if sources.synthetic is not None:
        table.read("synthetic", reading, synthetic, "synthetic clips", sources.synthetic)
    if not is_made:
        add_spliced_commands(table, commands, splices, rng)
        return table
    add_made_unknowns(table, backwards, splices, rng)
    how = "words played backwards"
    if splices:
        how += " and from splices (the first half of one word, the second half of another)"
    print(f'no speech without commands: "{UNKNOWN}" is made from {how}')
    return table
