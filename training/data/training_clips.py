"""TODO: training_rows."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from training.clips.finding import Clip, find_clips
from training.clips.reading import Reading
from training.clips.window import WINDOW
from training.clips.words import SILENCE, UNKNOWN
from training.data.unknown_class import MADE_UNKNOWN
from training.data.negative_speech import read_negative
from training.data.clip_table import Rows


def training_rows(
    reading: Reading,
    data: Path,
    clips: Sequence[Clip],
    commands: Sequence[str],
    negative: Path | None,
    synthetic: Path | None,
    spliced_share: float,
    rng: np.random.Generator,
) -> Rows:
    """Row 0 silent, then the recorded clips, negative speech, synthetic and made clips."""
    recordings = read_negative(reading, negative) if negative is not None else []
    spoken = find_clips(synthetic) if synthetic is not None else []
    known = {*commands, SILENCE}
    unknown_is_made = negative is None and all(c.word in known for c in (*clips, *spoken))
    backwards = min(len(clips), MADE_UNKNOWN) if unknown_is_made else 0
    splices = backwards if len(commands) > 1 else 0
    if spliced_share and not unknown_is_made:
        splices = min(len(clips), MADE_UNKNOWN) // 2
    windows = sum(len(recording.starts) for recording in recordings)
    rows = Rows(1 + len(clips) + windows + len(spoken) + backwards + splices)
    rows.add("silent", SILENCE, "", np.zeros(WINDOW, np.int16))
    rows.read("recorded", reading, clips, "training clips", data)
    for name, samples, starts in recordings:
        for start in starts:
            window = samples[start : start + WINDOW]
            rows.add("negative", UNKNOWN, name, np.pad(window, (0, WINDOW - window.size)))
    if synthetic is not None:
        rows.read("synthetic", reading, spoken, "synthetic clips", synthetic)
    if unknown_is_made:
        rows.make_unknown(backwards, splices, rng)
        how = "words played backwards"
        if splices:
            how += " and from splices (the first half of one word, the second of another)"
        print(f'no speech without commands: "{UNKNOWN}" is learnt from {how}')
    else:
        rows.splice_commands(commands, splices, rng)
    return rows
