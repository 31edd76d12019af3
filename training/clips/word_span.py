"""Where in a clip its word is spoken."""

import numpy as np
import numpy.typing as npt

from training.clips.levels import db_to_amplitude
from training.clips.window import FRAME

BELOW_PEAK = db_to_amplitude(-25.0)  # of the loudest frame; softer frames are not the word
ABOVE_FLOOR = db_to_amplitude(8.0)  # above the quietest fifth of the frames
LEAST = db_to_amplitude(-10.0)  # of the loudest frame; louder frames always are the word
PAUSE_FRAMES = 20  # a pause of 200 ms ends the word: a stop in a word is shorter
PHRASE_PAUSE_FRAMES = 50  # a pause of 500 ms ends a phrase: people pause between its words


def word_span(samples: npt.NDArray[np.float32], label: str = "") -> tuple[int, int]:
    """Estimate where a word begins and ends, from the levels of a clean clip.

    The word is the sound around the loudest 10 ms that no pause of more than 200 ms interrupts, or
    of more than 500 ms if it is a phrase.

    Args:
        samples: one word, mono at 16 kHz, shape (samples,), 10 ms or more.
        label: the word; it is a phrase if there is a blank in it. Default "".

    Returns:
        The first sample of the word, and the first one after it, in steps of 10 ms.
    """
    values = np.asarray(samples, np.float64)
    frames = (values - values.mean())[: values.size // FRAME * FRAME].reshape(-1, FRAME)
    power = np.convolve(np.square(frames).mean(axis=1), np.full(3, 1 / 3), mode="same")
    level = np.sqrt(power)
    peak = int(level.argmax())
    floor = min(ABOVE_FLOOR * float(np.quantile(level, 0.2)), LEAST * level[peak])
    loud = np.flatnonzero(level >= max(BELOW_PEAK * level[peak], floor))
    longest = PHRASE_PAUSE_FRAMES if len(label.split()) > 1 else PAUSE_FRAMES
    breaks = np.flatnonzero(np.diff(loud) > longest)
    parts = np.split(loud, breaks + 1)
    word = next(part for part in parts if part[0] <= peak <= part[-1])
    return int(word[0]) * FRAME, int(word[-1] + 1) * FRAME
