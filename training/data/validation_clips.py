"""Lay out the validation clips: commands, unknown words and silence."""

import math
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from speechgru.stated_accuracy import ValidationUnknown
from training.clips.clip import Clip
from training.clips.errors import DataError
from training.clips.reading import Reading
from training.clips.window import RATE, Samples, to_int16
from training.clips.words import SILENCE, UNKNOWN
from training.data.clip_table import ClipTable
from training.data.noise_recordings import Noise
from training.data.synthetic_noise import synthetic_noise
from training.data.unknown_class import add_made_unknowns
from training.output.messages import some

NamedWindow = tuple[str, Samples]


def validation_clips(
    reading: Reading,
    data: Path,
    clips: Sequence[Clip],
    commands: Sequence[str],
    noises: Sequence[Noise],
    window: int,
    rng: np.random.Generator,
    negative: Sequence[NamedWindow] = (),
) -> ClipTable:
    """Read all clips of commands, and for each ten of them one unknown word and one silence.

    Without other words, "unknown" is windows of negative speech. Without these, it is words played
    backwards and splices, half of each. Silence is any window of a noise's held-out end, at any
    volume.

    Args:
        reading: reads the files and records those that are skipped.
        data: the data folder.
        clips: its validation clips (or its testing clips).
        commands: the command words.
        noises: the noises of the data folder; if none has a held-out end, noises are made.
        window: samples of a clip.
        rng: draws unknown words, noises and volumes.
        negative: names and windows of negative speech, to draw from if there are no other words.
            Default: none.

    Returns:
        Commands, unknown words, negative speech or made unknown words, and silence, in this order.

    Raises:
        DataError: there is no clip of a command, or none of these can be used.
    """
    ours = [clip for clip in clips if clip.word in commands]
    others = other_words(clips, commands)
    if not ours:
        raise DataError(
            f"{data}: none of the {len(clips)} clips to validate on is of a command "
            f"({some(commands)}); a command needs a second clip, or one in validation_list.txt"
        )
    tenth = math.ceil(0.1 * len(ours))
    chosen = sorted(rng.permutation(len(others))[:tenth])
    table = ClipTable(len(ours) + 2 * tenth, window)
    table.read("recorded", reading, [*ours, *(others[i] for i in chosen)], "validation clips", data)
    if not table.recorded:
        reading.check()
        raise DataError(f"{data}: expected clips to validate on, found none with sound")
    if negative and not others:
        for number in sorted(rng.permutation(len(negative))[:tenth]):
            table.add("negative", UNKNOWN, *negative[number])
    elif not others:
        splices = tenth // 2 if len({clip.word for clip in table.recorded}) > 1 else 0
        add_made_unknowns(table, tenth - splices, splices, rng)
    held_out = [noise for noise in noises if noise.held_out.size]
    _add_silence(table, held_out or _made_noises(data, table.samples, rng), tenth, rng)
    return table


def other_words(clips: Sequence[Clip], commands: Sequence[str]) -> list[Clip]:
    """Return the clips of words that are neither commands nor "silence"."""
    return [clip for clip in clips if clip.word not in (*commands, SILENCE)]


def unknown_of(table: ClipTable) -> ValidationUnknown:
    """Return what the "unknown" of validation clips is."""
    if "negative" in table.origins:
        return "negative speech"
    is_made = "backwards" in table.origins or "splice" in table.origins
    return "made sounds" if is_made else "recorded words"


def _made_noises(data: Path, speech: Samples, rng: np.random.Generator) -> list[Noise]:
    seconds = 1 + math.ceil(speech.shape[1] / RATE)
    return [
        Noise(data, f"made noise {number}", to_int16(0.05 * made / made.std()), 0)
        for number, made in enumerate(synthetic_noise(speech, rng, seconds=seconds))
    ]


def _add_silence(
    table: ClipTable, noises: Sequence[Noise], count: int, rng: np.random.Generator
) -> None:
    """Add random windows of the held-out ends of random noises, at random volumes."""
    size = table.samples.shape[1]
    for _ in range(count):
        noise = noises[int(rng.integers(len(noises)))]
        start = int(rng.integers(noise.held_out_start, noise.samples.size - size + 1))
        volume = round(rng.uniform(0, 1), 6)
        name = f"{noise.name}@{start}*{volume:.6f}"
        window = np.round(noise.samples[start : start + size] * volume)
        table.add("noise", SILENCE, name, window.astype(np.int16))
