"""Choose the command words, and match words that are spelled differently."""

import dataclasses
from collections import Counter
from collections.abc import Iterable, Sequence

import numpy as np
import numpy.typing as npt

from speechgru.detection import NOT_COMMANDS
from training.clips.clip import Clip
from training.clips.errors import DataError
from training.clips.names import comparable, tidy
from training.output.messages import some, warn

USUAL_WORDS = ("yes", "no", "up", "down", "left", "right", "on", "off", "stop", "go")
ALL_WORDS = "all"  # given instead of a list of words
UNKNOWN, SILENCE = NOT_COMMANDS


def choose_words(clips: Sequence[Clip], words: Sequence[str] | None) -> tuple[str, ...]:
    """Return the command words of a task.

    A word matches a folder whatever its letter case and Unicode form are. It keeps the spelling
    that was asked for: see `respell`.

    Args:
        clips: the clips of the data folder.
        words: the words asked for; `["all"]` for every word folder except unknown and silence;
            None for the ten usual words if all of them are there, or else for all words.

    Raises:
        DataError: there are no clips of a word, a word is empty, or no word is left.
    """
    present = sorted({clip.word for clip in clips} - {UNKNOWN, SILENCE})
    if words is None:
        usual = len(match_words(present, USUAL_WORDS)) >= len(USUAL_WORDS)
        chosen = USUAL_WORDS if usual else tuple(present)
    elif [comparable(word) for word in words] == [ALL_WORDS]:
        chosen = tuple(present)
    else:
        chosen = _in_order(words)
        _check_words(chosen, present)
    if not chosen:
        raise DataError("expected at least one word folder besides unknown and silence")
    return chosen


def match_words(present: Iterable[str], wanted: Iterable[str]) -> dict[str, str]:
    """Match words that differ only in letter case, Unicode form or blanks.

    Args:
        present: words as the folders spell them.
        wanted: words as the labels spell them.

    Returns:
        The label of each word in `present` that has one.

    Example:
        >>> match_words(["Yes", "NO", "up"], ["yes", "no"])
        {'Yes': 'yes', 'NO': 'no'}
    """
    labels = {comparable(word): word for word in wanted}
    return {word: labels[comparable(word)] for word in present if comparable(word) in labels}


def respell(clips: Sequence[Clip], words: Iterable[str]) -> list[Clip]:
    """Return the clips with their words spelled as in `words`, where `match_words` matches them."""
    labels = match_words({clip.word for clip in clips}, words)
    return [
        dataclasses.replace(clip, word=label, folder=clip.folder or clip.word)
        if (label := labels.get(clip.word, clip.word)) != clip.word
        else clip
        for clip in clips
    ]


def warn_of_thin_words(
    commands: Sequence[str], training: Sequence[Clip], validation: Sequence[Clip]
) -> None:
    """Warn of commands with few clips (below 10 in training or 2 in validation) or one speaker."""
    trained = Counter(clip.word for clip in training)
    validated = Counter(clip.word for clip in validation)
    few = [
        f"{word} ({trained[word]} to train on, {validated[word]} to validate on)"
        for word in commands
        if trained[word] < 10 or validated[word] < 2
    ]
    if few:
        warn(f"few clips, expected at least 10 to train on and 2 to validate on: {', '.join(few)}")
    speakers: dict[str, set[str]] = {}
    for clip in (*training, *validation):
        speakers.setdefault(clip.word, set()).add(clip.speaker)
    alone = [word for word in commands if len(speakers.get(word, ())) == 1]
    if alone:
        warn(f"words of one speaker only; other voices may not be recognised: {some(alone)}")


def _in_order(words: Sequence[str]) -> tuple[str, ...]:
    """Each word once, in the spelling that comes first."""
    spelling: dict[str, str] = {}
    for word in words:
        spelling.setdefault(comparable(word), tidy(word))
    return tuple(spelling.values())


def _check_words(chosen: Sequence[str], present: Sequence[str]) -> None:
    if "" in chosen:
        raise DataError("--words: expected words, found an empty one")
    reserved = [word for word in chosen if comparable(word) in NOT_COMMANDS]
    if reserved:
        raise DataError(
            f"--words: {', '.join(reserved)} cannot be a command; every model has this label"
        )
    found = set(match_words(present, chosen).values())
    missing = [word for word in chosen if word not in found]
    if missing:
        raise DataError(
            f"no clips of {', '.join(missing)}; there are clips of {', '.join(present)}"
        )


def label_numbers(words: Iterable[str], labels: Sequence[str]) -> npt.NDArray[np.int32]:
    """Return the number of each word's label, int32, shape (words,); other words are "unknown".

    Args:
        words: commands, "unknown", "silence" or other words.
        labels: the labels of a task, in their order.
    """
    numbers = {label: number for number, label in enumerate(labels)}
    return np.array([numbers.get(word, numbers[UNKNOWN]) for word in words], np.int32)
