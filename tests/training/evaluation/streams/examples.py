"""Words, noises and a rule that several tests of the streams use."""

import numpy as np

from training.clips.window import RATE, Samples
from training.evaluation.streams.word_streams import Words


def tone_words(labels, speakers=None) -> Words:
    """Clips of a second with a tone from 0.25 to 0.75 s, each of another pitch."""
    time = np.arange(RATE) / RATE
    inside = (time >= 0.25) & (time < 0.75)
    pitches = 300 + 50 * np.arange(len(labels))[:, None]
    samples = np.round(8000 * inside * np.sin(2 * np.pi * pitches * time)).astype(np.int16)
    names = [f"{label}/{number}" for number, label in enumerate(labels)]
    return Words(samples, list(labels), names, list(speakers or names))


def hiss(seconds=3, level=1000) -> Samples:
    """White noise, int16."""
    rng = np.random.default_rng(1)
    return np.round(level * rng.normal(size=seconds * RATE)).astype(np.int16)
