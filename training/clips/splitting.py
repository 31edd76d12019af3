"""Split clips into training, validation and testing, with no speaker in two parts if possible."""

import dataclasses
import hashlib
import os
from collections import Counter
from collections.abc import Collection, Sequence
from pathlib import Path
from typing import Literal

from speechgru.detection import NOT_COMMANDS
from training.clips.clip import Clip
from training.clips.errors import DataError
from training.clips.names import comparable
from training.clips.speakers import SPEAKER_MARK
from training.clips.split_lists import ListedClips, listed_clips
from training.output.messages import some, warn

OFFICIAL_SHARE = 10.0  # per cent of the speakers in validation, and as many in testing
OFFICIAL_MODULUS = 2**27  # which_set's MAX_NUM_WAVS_PER_CLASS + 1


@dataclasses.dataclass(frozen=True)
class Split:
    """The clips to train on, to validate on, and those that are only for testing."""

    training: list[Clip]
    validation: list[Clip]
    testing: list[Clip]


def split_clips(
    folder: Path, clips: Sequence[Clip], share: float = 0.1, *, commands: Collection[str] = ()
) -> Split:
    """Split the clips of a data folder.

    1. `validation_list.txt` and `testing_list.txt` of the folder decide if they are there; see
       `split_lists.listed_clips`.
    2. Without a validation list, but with `_nohash_` in the name of every file, `official_set`
       decides, if it gives each part clips of each command. Without commands it is not used.
    3. Otherwise, speakers become validation speakers in the order of the SHA-1 of their names
       until `share` of the clips is validation and every command has clips in it. A speaker of
       more than half of the clips stays in training, and so does one without whom a word would
       have no clips there. Where speakers cannot be kept apart, every tenth clip of a word is
       validation, and at least one, if the word has more than one. If no command has more than
       one, its clip is both in training and in validation.

    Args:
        folder: the data folder.
        clips: its clips.
        share: least share of clips in validation, in step 3. Default 0.1.
        commands: the words that every part needs. Default: all words.

    Raises:
        DataError: no clip is left to train or to validate on, or a list cannot be used; see
            `split_lists.listed_clips`.
    """
    listed = listed_clips(folder, clips)
    testing = [clip for clip in clips if clip in listed.testing]
    clips = [clip for clip in clips if clip not in listed.testing]
    if listed.has_validation_list:
        split = _parts(clips, listed.validation, testing)
        shared = sorted({c.speaker for c in split.training} & {c.speaker for c in split.validation})
        if shared:
            warn(f"{folder}: speakers both in training and in validation: {some(shared)}")
    else:
        split = _official_split(clips, testing, commands) or _split_by_speaker(
            folder, clips, testing, share, commands
        )
    if not split.training or not split.validation:
        raise DataError(
            f"{folder}: expected clips to train on and clips to validate on, found "
            f"{len(split.training)} and {len(split.validation)}; {_rule(listed)}"
        )
    return split


def official_set(name: str) -> Literal["training", "validation", "testing"]:
    """Return the part of Speech Commands that a file belongs to, by the hash of its speaker.

    The rule is `which_set` of TensorFlow's speech_commands example: the SHA-1 of what comes before
    `_nohash_`, modulo 2**27, as a percentage of 2**27 - 1. A speaker's part never changes, however
    many recordings are added.

    Args:
        name: the file's name, `<speaker>_nohash_<take>.wav`.
    """
    speaker = os.fsencode(name.partition(SPEAKER_MARK)[0])
    number = int(hashlib.sha1(speaker).hexdigest(), 16) % OFFICIAL_MODULUS
    percentage = number * (100.0 / (OFFICIAL_MODULUS - 1))
    if percentage < OFFICIAL_SHARE:
        return "validation"
    return "testing" if percentage < 2 * OFFICIAL_SHARE else "training"


def _rule(listed: ListedClips) -> str:
    if listed.has_validation_list:
        return "validation_list.txt names those to validate on"
    return "at least one word needs two clips that are not for testing"


def _parts(clips: Sequence[Clip], validation: Collection[Clip], testing: Sequence[Clip]) -> Split:
    return Split(
        [clip for clip in clips if clip not in validation],
        [clip for clip in clips if clip in validation],
        list(testing),
    )


def _needed_words(clips: Sequence[Clip], commands: Collection[str]) -> list[str]:
    """The words of clips that are commands, or all of them where no commands are given."""
    names = set(map(comparable, commands))
    words = dict.fromkeys(clip.word for clip in clips if clip.word not in NOT_COMMANDS)
    return [word for word in words if not names or comparable(word) in names]


def _official_split(
    clips: Sequence[Clip], testing: Sequence[Clip], commands: Collection[str]
) -> Split | None:
    if not commands or not all(SPEAKER_MARK in clip.path.name for clip in clips):
        return None
    split = Split([], [], list(testing))
    parts = {"training": split.training, "validation": split.validation, "testing": split.testing}
    for clip in clips:
        parts[official_set(clip.speaker + SPEAKER_MARK)].append(clip)
    needed = set(map(comparable, commands))
    complete = all(needed <= {comparable(clip.word) for clip in part} for part in parts.values())
    return split if complete else None


def _split_by_speaker(
    folder: Path,
    clips: Sequence[Clip],
    testing: Sequence[Clip],
    share: float,
    commands: Collection[str],
) -> Split:
    needed = _needed_words(clips, commands)
    speakers = _validation_speakers(clips, share, needed)
    validation = {clip for clip in clips if clip.speaker in speakers}
    found = {clip.word for clip in validation}
    words = needed if speakers else {clip.word for clip in clips}
    of_word = {
        word: own
        for word in words
        if word not in found and len(own := [c for c in clips if c.word == word]) > 1
    }
    if not found & {*needed} and not of_word.keys() & {*needed}:
        return _repeated(folder, clips, testing, needed)
    if not speakers:
        warn(
            f"{folder} has too few speakers: every tenth clip of a word, and at least one, is "
            "validation, not a new voice"
        )
    elif of_word:
        warn(
            f"{folder} has too few speakers of {some(list(of_word))}: every tenth clip of these "
            "words is validation, not a new voice"
        )
    validation.update(clip for own in of_word.values() for clip in own[::10])
    return _parts(clips, validation, testing)


def _repeated(
    folder: Path, clips: Sequence[Clip], testing: Sequence[Clip], needed: Collection[str]
) -> Split:
    """Validate on the clips of commands that are trained on: there is one of each."""
    repeated = [clip for clip in clips if clip.word in needed]
    if repeated:
        warn(
            f"{folder} has one clip of each word: validation repeats the clips that are trained "
            "on, so its accuracy says nothing about others"
        )
    return Split(list(clips), repeated, list(testing))


def _validation_speakers(clips: Sequence[Clip], share: float, needed: Collection[str]) -> set[str]:
    """Speakers of at least `share` of the clips and of all `needed` words, as far as possible."""
    words_of: dict[str, Counter[str]] = {}
    for clip in clips:
        words_of.setdefault(clip.speaker, Counter())[clip.word] += 1
    order = sorted(words_of, key=lambda name: hashlib.sha1(os.fsencode(name)).digest())
    left = Counter(clip.word for clip in clips)
    chosen: set[str] = set()

    def choose_if_possible(speaker: str) -> bool:
        own = words_of[speaker]
        possible = own.total() <= len(clips) / 2 and all(left[word] > own[word] for word in own)
        if possible:
            left.subtract(own)
            chosen.add(speaker)
        return possible

    for speaker in order:
        if left.total() <= (1 - share) * len(clips):
            break
        choose_if_possible(speaker)
    for word in needed:
        if not any(word in words_of[speaker] for speaker in chosen):
            any(word in words_of[speaker] and choose_if_possible(speaker) for speaker in order)
    return chosen
