"""TODO: made_unknowns."""

import numpy as np

from training.clips.window import FRAME, RATE, WINDOW, Samples, loudness

MADE_UNKNOWN = 8_000  # words played backwards, and as many splices, at most: 256 MB each
CROSSFADE = RATE * 15 // 1000  # samples over which one word becomes another in a splice


def letters_differ(one: str, other: str) -> bool:
    """Whether two words have no letter in common."""
    return not set(one.casefold()) & set(other.casefold())


def middle_of_sound(clip: Samples) -> int:
    """The sample before which half of a clip's sound is (see `loudness`), not at its very ends."""
    level = np.cumsum(loudness(clip))
    middle = WINDOW // 2
    if level[-1]:
        middle = int((np.searchsorted(level, level[-1] / 2) + 0.5) * FRAME)
    return min(max(middle, CROSSFADE), WINDOW - CROSSFADE)


def splice(first: Samples, second: Samples, middle: int, earlier: int) -> Samples:
    """The first half of one clip and the second half of another, crossfaded over 15 ms.

    Args:
        first: int16 (WINDOW,).
        second: int16 (WINDOW,).
        middle: where the halves of `first` meet.
        earlier: where those of `second` do, not after `middle`: then both, shifted so that they
            meet between the two places, reach the ends of the window.

    Returns:
        int16 (WINDOW,).
    """
    meet = (middle + earlier) // 2
    fade = np.clip((np.arange(WINDOW) - meet) / CROSSFADE + 0.5, 0, 1)
    before = np.pad(first[middle - meet :], (0, middle - meet))
    after = np.pad(second[: WINDOW - meet + earlier], (meet - earlier, 0))
    return np.round(before * (1 - fade) + after * fade).astype(np.int16)
