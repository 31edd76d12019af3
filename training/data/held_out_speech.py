"""Hold out negative speech to validate on: all of about a fifth of its speakers."""

import hashlib
import os
from collections.abc import Collection, Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from training.clips.speakers import names_speaker, recording_speaker
from training.clips.window import Samples
from training.data.negative_speech import Recording
from training.voices.speakers import is_voice

HELD_OUT_OF = 5  # one of so many speakers


class NegativeSpeech(NamedTuple):
    """Recordings to train on, and recordings of other speakers to validate on."""

    training: list[Recording]
    held_out: list[Recording]


def hold_out_speakers(
    recordings: Sequence[Recording], trained: Collection[str] = ()
) -> NegativeSpeech:
    """Split recordings by the speaker that their names tell (`recording_speaker`).

    The SHA-1 of a speaker's name decides, so a speaker stays on one side when recordings are added
    and when a run starts from another one. If it decides for nobody or for everybody, the speaker
    whose SHA-1 is smallest is held out. Recordings by synthetic voices, and those whose names tell
    no speaker, are trained on: neither shows what real speakers would do.

    Args:
        recordings: negative speech.
        trained: speakers whose recordings are trained on in any case. Default: nobody.

    Returns:
        The recordings in their order. None is held out if there are fewer than two speakers.
    """
    named = {_speaker(r) for r in recordings if names_speaker(Path(r.name))}
    speakers = sorted((name for name in named if not is_voice(name)), key=_digest)
    possible = [speaker for speaker in speakers if speaker not in trained]
    if len(speakers) < 2 or not possible:
        return NegativeSpeech(list(recordings), [])
    chosen = {speaker for speaker in possible if _digest(speaker) % HELD_OUT_OF == 0}
    if not chosen or len(chosen) == len(speakers):
        chosen = {possible[0]}
    speech = NegativeSpeech([], [])
    for recording in recordings:
        is_held_out = _speaker(recording) in chosen
        (speech.held_out if is_held_out else speech.training).append(recording)
    return speech


def separate_windows(recordings: Sequence[Recording], size: int) -> Iterator[tuple[str, Samples]]:
    """Yield the name and the samples of windows that do not overlap, int16, shape (size,)."""
    for recording in recordings:
        end = 0
        for start, window in zip(recording.starts, recording.windows(size), strict=True):
            if start >= end:
                yield f"{recording.name}@{start}", window
                end = start + size


def _speaker(recording: Recording) -> str:
    return recording_speaker(Path(recording.name))


def _digest(speaker: str) -> int:
    return int(hashlib.sha1(b"validation:" + os.fsencode(speaker)).hexdigest(), 16)
