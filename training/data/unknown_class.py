"""Make clips of "unknown" from command words: played backwards, or two words spliced."""

import operator
from collections.abc import Callable, Collection
from itertools import combinations

import numpy as np
import numpy.typing as npt

from training.clips.window import FRAME, RATE, Samples, loudness
from training.clips.words import SILENCE, UNKNOWN
from training.data.clip_table import ClipTable

MADE_CLIPS = 8_000  # of words played backwards, and of splices, at most: 256 MB a second each
CROSSFADE = RATE * 15 // 1000  # samples over which one word becomes another in a splice


def add_made_unknowns(
    table: ClipTable, backwards: int, splices: int, rng: np.random.Generator
) -> None:
    """Add recorded words played backwards, and splices of two different words.

    Args:
        table: the clips, with the recorded words; the new ones are appended.
        backwards: number of words played backwards.
        splices: number of splices; none is made if there is only one word.
        rng: draws the words.
    """
    rows = table.recorded_rows(lambda word: word != SILENCE)
    for row in sorted(rng.permutation(rows)[:backwards]):
        name = f"{table.names[row]} backwards"
        table.add("backwards", UNKNOWN, name, table.samples[row, ::-1])
    _add_splices(table, rows, splices, operator.ne, rng)


def add_spliced_commands(
    table: ClipTable, commands: Collection[str], splices: int, rng: np.random.Generator
) -> None:
    """Add splices of recorded commands that have no letter in common.

    Half of "no" and half of "go" may sound like "no" or "go", and half of "stop" and half of "up"
    like "stop" or "up".

    Args:
        table: the clips, with the recorded commands; the new ones are appended.
        commands: the command words.
        splices: number of splices; none is made if all commands share letters.
        rng: draws the words.
    """
    rows = table.recorded_rows(lambda word: word in commands)
    _add_splices(table, rows, splices, letters_differ, rng)


def letters_differ(one: str, other: str) -> bool:
    """Return whether two words have no letter in common, in either case."""
    return not set(one.casefold()) & set(other.casefold())


def middle_of_sound(clip: Samples) -> int:
    """Return the sample before which half of a clip's sound lies (see `loudness`).

    It keeps half a crossfade's distance from the ends of the clip.

    Args:
        clip: int16, shape (samples,).
    """
    level = np.cumsum(loudness(clip))
    middle = clip.size // 2
    if level[-1]:
        middle = int((np.searchsorted(level, level[-1] / 2) + 0.5) * FRAME)
    return min(max(middle, CROSSFADE), clip.size - CROSSFADE)


def splice(first: Samples, second: Samples, middle: int, earlier: int) -> Samples:
    """Join the first half of one clip and the second half of another, crossfaded over 15 ms.

    Args:
        first: int16, shape (samples,).
        second: the same shape.
        middle: where the halves of `first` meet.
        earlier: where the halves of `second` meet; at most `middle`. Both clips are shifted so
            that they meet between the two places, and so reach the ends of the window.

    Returns:
        int16, the same shape.
    """
    meet = (middle + earlier) // 2
    fade = np.clip((np.arange(first.size) - meet) / CROSSFADE + 0.5, 0, 1)
    before = np.pad(first[middle - meet :], (0, middle - meet))
    after = np.pad(second[: second.size - meet + earlier], (meet - earlier, 0))
    return np.round(before * (1 - fade) + after * fade).astype(np.int16)


def _add_splices(
    table: ClipTable,
    rows: npt.NDArray[np.int_],
    splices: int,
    differ: Callable[[str, str], bool],
    rng: np.random.Generator,
) -> None:
    """Add splices of the clips in `rows`, of words that `differ`."""
    words = {table.words[row] for row in rows}
    if not any(differ(*pair) for pair in combinations(words, 2)):
        return
    middles: dict[int, int] = {}
    for _ in range(splices):
        pair = rng.choice(rows, 2)
        while not differ(table.words[pair[0]], table.words[pair[1]]):
            pair = rng.choice(rows, 2)
        for row in pair:
            if row not in middles:
                middles[row] = middle_of_sound(table.samples[row])
        second, first = sorted(pair, key=middles.__getitem__)
        spliced = splice(
            table.samples[first], table.samples[second], middles[first], middles[second]
        )
        table.add("splice", UNKNOWN, f"{table.names[first]}+{table.names[second]}", spliced)
