"""Tell speakers apart by the names of their files."""

import re
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from training.clips.clip import Clip
from training.clips.names import comparable, tidy

SPEAKER_MARK = "_nohash_"  # Speech Commands: <speaker>_nohash_<take>.wav

_TOKEN = re.compile(r"[^\s_\-\u2010-\u2015.,;+#~()\[\]{}]+")
_TAKE = re.compile(
    r"(take|rep|rec|try|trial|session|sess|utt|t|r|n|v)?[0-9]+|take|copy", re.IGNORECASE
)
_TITLE = re.compile(  # a number directly behind is part of the name
    r"speaker|spkr?|person|user|subject|sub|id|p|participant", re.IGNORECASE
)
_NOBODY = {  # what recorders call a file
    *("audio", "clip", "clips", "file", "new", "rec", "record", "recording", "sample", "sound"),
    *("take", "track", "untitled", "voice", "wav", "word"),
}


def recording_speaker(path: Path) -> str:
    """Return the speaker that the name of a recording of sentences tells; never empty.

    It is what comes before the first "_", or else before the first "-", as in LibriSpeech.

    Example:
        >>> recording_speaker(Path("so762-0003_000030012.wav"))
        'so762-0003'
        >>> recording_speaker(Path("84-121123-0000.flac"))
        '84'
    """
    mark = "_" if "_" in path.stem else "-"
    return path.stem.partition(mark)[0] or path.stem


def names_speaker(path: Path) -> bool:
    """Return whether a recording's name has a speaker before a mark; see `recording_speaker`."""
    return recording_speaker(path) != path.stem


class _Speaker(NamedTuple):
    """The speaker in a file name; `sure` if the name follows a scheme that says who speaks."""

    name: str
    sure: bool


def speaker_of(stem: str, word: str) -> str:
    """Return the speaker that a file's stem names; never empty.

    In the names of Speech Commands, the speaker is what comes before ``_nohash_``. In others it
    is what is left without the word and without the numbers of takes at the end:
    ``p3_yes_0``, ``yes_p3_0``, ``p3-yes-0`` and ``p3_yes_0_1`` are clips of ``p3``, and
    ``speaker_3_yes_0`` is one of ``speaker_3``. If nothing is left, as of ``yes_7``, the
    whole stem counts as a speaker of its own.

    Args:
        stem: file name without extension.
        word: the word that is spoken.
    """
    return _read_name(stem, word).name


def clips_without_speaker(clips: Sequence[Clip]) -> list[Clip]:
    """Return the clips whose names do not tell who speaks.

    A name tells it by the mark of Speech Commands, or by the scheme of `speaker_of`, or if a bare
    name such as ``anna.wav`` occurs with several words. A scheme that gives every clip its own
    speaker tells nothing.

    Args:
        clips: all clips of a data folder that are spoken.
    """
    words: dict[str, set[str]] = {}
    for clip in clips:
        words.setdefault(clip.speaker, set()).add(clip.word)
    marked, unmarked, unsure = set(), [], []
    for clip in clips:
        if _read_name(clip.path.stem, clip.word).sure:
            if SPEAKER_MARK in clip.path.stem:
                marked.add(clip.speaker)
            else:
                unmarked.append(clip)
        elif len(words[clip.speaker]) > 1 and not _only_numbers(clip.speaker):
            unmarked.append(clip)
        else:
            unsure.append(clip)
    others = {clip.speaker for clip in unmarked} - marked
    return [*unmarked, *unsure] if len(others) == len(unmarked) else unsure


def _read_name(stem: str, word: str) -> _Speaker:
    name, mark, _ = stem.partition(SPEAKER_MARK)
    if mark:
        return _Speaker(name, True) if name and name != word else _Speaker(stem, False)
    stem = tidy(stem)
    tokens = list(_TOKEN.finditer(stem))
    left = _without_word(tokens, word)
    found = _without_takes(left)
    has_word = len(left) < len(tokens)
    if all(token.group().casefold() in _NOBODY for token in found):
        return _Speaker(stem, False)
    if all(token.group().isdigit() for token in found):
        before_word = bool(left) and left[0] is tokens[0] and has_word
        if len(left) > 1 or before_word:
            return _Speaker(found[0].group(), has_word and len(left) > 1)
        return _Speaker(stem, False)
    if len(found) == len(tokens) and not _is_numbered(
        found
    ):  # neither word nor take: the last part is about the recording
        name = stem.rpartition("_")[0]
        return _Speaker(name, not _only_numbers(name)) if name else _Speaker(stem, False)
    text = stem[found[0].start() : found[-1].end()]
    if len(_TOKEN.findall(text)) > len(found):  # the word is in between
        text = "_".join(token.group() for token in found)
    return _Speaker(text, True)


def _without_word(tokens: list[re.Match[str]], word: str) -> list[re.Match[str]]:
    """Leave out the word: its parts one after another, or joined, also with a number behind."""
    parts = [part for part in map(comparable, _TOKEN.findall(tidy(word))) if part]
    if not parts:
        return tokens
    glued = re.compile(re.escape("".join(parts)) + "[0-9]*")
    names = [comparable(token.group()) for token in tokens]
    left = []
    place = 0
    while place < len(tokens):
        if names[place : place + len(parts)] == parts:
            place += len(parts)
        elif glued.fullmatch(names[place]):
            place += 1
        else:
            left.append(tokens[place])
            place += 1
    return left


def _without_takes(tokens: list[re.Match[str]]) -> list[re.Match[str]]:
    """Leave out takes at the end, and numbers at the beginning if a name follows."""
    end = len(tokens)
    while (
        end > 1
        and _TAKE.fullmatch(tokens[end - 1].group())
        and not _is_numbered(tokens[end - 2 : end])
    ):
        end -= 1
    begin = 0
    while (
        begin < end - 1
        and tokens[begin].group().isdigit()
        and any(len(t.group()) > 1 and not t.group().isdigit() for t in tokens[begin + 1 : end])
    ):
        begin += 1
    return tokens[begin:end]


def _is_numbered(tokens: list[re.Match[str]]) -> bool:
    """Whether names end as in speaker_3, with nothing between the title and the number."""
    if len(tokens) < 2:
        return False
    title, number = tokens[-2:]
    between = _TOKEN.search(number.string, title.end(), number.start())
    return bool(number.group().isdigit() and _TITLE.fullmatch(title.group()) and not between)


def _only_numbers(name: str) -> bool:
    return not any(character.isalpha() for character in name)
