"""TODO: splitting."""

import dataclasses
import hashlib
import os
from collections import Counter
from collections.abc import Collection, Sequence
from pathlib import Path
from typing import Literal

from training.clips.errors import DataError
from training.clips.finding import SPEAKER_MARK, Clip
from training.output.messages import some, warn

OFFICIAL_SHARE = 10.0  # per cent of the speakers in validation, and as many in testing
OFFICIAL_MODULUS = 2**27  # which_set's MAX_NUM_WAVS_PER_CLASS + 1


@dataclasses.dataclass(frozen=True)
class Split:
    """Clips to train on, to validate on, and those kept for testing."""

    training: list[Clip]
    validation: list[Clip]
    testing: list[Clip]


def official_set(name: str) -> Literal["training", "validation", "testing"]:
    """The part of Speech Commands that a file belongs to, by the hash of its speaker.

    The rule of `which_set` in TensorFlow's speech_commands example: the SHA-1 of what comes before
    `_nohash_`, modulo 2**27, as a percentage of 2**27 - 1. A speaker's part never changes, however
    many recordings are added.
    """
    speaker = os.fsencode(name.partition(SPEAKER_MARK)[0])
    number = int(hashlib.sha1(speaker).hexdigest(), 16) % OFFICIAL_MODULUS
    percentage = number * (100.0 / (OFFICIAL_MODULUS - 1))
    if percentage < OFFICIAL_SHARE:
        return "validation"
    return "testing" if percentage < 2 * OFFICIAL_SHARE else "training"


def split_clips(
    folder: Path, clips: Sequence[Clip], share: float = 0.1, *, commands: Collection[str] = ()
) -> Split:
    """Training, validation and testing clips with no speaker in two of them, where possible.

    1. `validation_list.txt` and `testing_list.txt` decide where they are.
    2. Without a validation list, but with `_nohash_` in the name of every file, `official_set`
       decides, if it gives each part clips of each of the `commands`. With no commands it is not
       asked.
    3. Else speakers are taken in the order of the SHA-1 of their names until `share` of the clips
       is validation; a speaker of more than half of the clips, or without whom a word would be
       lost to training, is not taken. Where this leaves no speaker, it is every tenth clip of
       each word that has more than one.

    Raises:
        DataError: nothing is left to train or to validate on, or a list is no text.
    """
    held_out = _read_list(folder / "testing_list.txt")
    listed = _read_list(folder / "validation_list.txt")
    testing = [clip for clip in clips if clip.key in held_out]
    clips = [clip for clip in clips if clip.key not in held_out]
    if listed:
        validation = [clip for clip in clips if clip.key in listed]
        training = [clip for clip in clips if clip.key not in listed]
        split = Split(training, validation, testing)
        shared = sorted({c.speaker for c in training} & {c.speaker for c in validation})
        if shared:
            warn(f"speakers of {folder} in training and validation alike: {some(shared)}")
    else:
        split = _official_split(clips, testing, commands) or _own_split(
            folder, clips, testing, share
        )
    if not split.training or not split.validation:
        raise DataError(
            f"{folder}: {len(split.training)} clips to train and {len(split.validation)} to "
            "validate on; expected some of each"
        )
    return split


def _read_list(path: Path) -> set[str]:
    try:
        lines = path.read_text(encoding="utf-8").splitlines() if path.is_file() else []
    except ValueError as error:
        raise DataError(f"{path}: expected a list of clips, found {error}") from error
    return {line.strip() for line in lines} - {""}


def _official_split(
    clips: Sequence[Clip], testing: Sequence[Clip], commands: Collection[str]
) -> Split | None:
    if not commands or not all(SPEAKER_MARK in clip.path.name for clip in clips):
        return None
    split = Split([], [], list(testing))
    for clip in clips:
        getattr(split, official_set(clip.path.name)).append(clip)
    parts = (split.training, split.validation, split.testing)
    complete = all(set(commands) <= {clip.word for clip in part} for part in parts)
    return split if complete else None


def _own_split(folder: Path, clips: Sequence[Clip], testing: Sequence[Clip], share: float) -> Split:
    speakers = _validation_speakers(clips, share)
    if speakers:
        held_out = {clip for clip in clips if clip.speaker in speakers}
    else:
        warn(f"{folder} has too few speakers: every tenth clip is validation, not a new voice")
        of_word: dict[str, list[Clip]] = {}
        for clip in clips:
            of_word.setdefault(clip.word, []).append(clip)
        held_out = {clip for own in of_word.values() if len(own) > 1 for clip in own[::10]}
    return Split(
        [clip for clip in clips if clip not in held_out],
        [clip for clip in clips if clip in held_out],
        list(testing),
    )


def _validation_speakers(clips: Sequence[Clip], share: float) -> set[str]:
    of_speaker: dict[str, Counter[str]] = {}
    for clip in clips:
        of_speaker.setdefault(clip.speaker, Counter())[clip.word] += 1
    left = Counter(clip.word for clip in clips)
    chosen: set[str] = set()
    for speaker in sorted(of_speaker, key=lambda name: hashlib.sha1(os.fsencode(name)).digest()):
        if left.total() <= (1 - share) * len(clips):
            break
        own = of_speaker[speaker]
        if own.total() <= len(clips) / 2 and all(left[word] > own[word] for word in own):
            left -= own
            chosen.add(speaker)
    return chosen
