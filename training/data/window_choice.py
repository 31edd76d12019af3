"""Choose the window of a task from the words that are spoken."""

import functools
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import numpy.typing as npt
import soundfile

from training.clips.clip import Clip
from training.clips.reading import Reading
from training.clips.window import RATE
from training.clips.word_span import word_span
from training.output.messages import warn

SHARE = 0.95  # of the words, which fit into the window
MARGIN = RATE // 10  # samples before and after a word: softer sound, and shifts in training


def choose_window(windows: Sequence[int], clips: Sequence[Clip], data: Path) -> int:
    """Return the shortest window into which 95 % of the words fit.

    A word fits with 0.1 s before and after it, or where the clip ends. So only clips are read that
    last longer than the shortest window, and none if 95 % of the clips are shorter.

    Args:
        windows: the windows to choose from in samples, ascending.
        clips: the clips of commands to train on.
        data: the data folder, named in the warning that the longest window is too short.
    """
    if len(windows) == 1:
        return windows[0]
    with ThreadPoolExecutor() as pool:
        fits = pool.map(lambda clip: lasts_at_most(clip.path, windows[0]), clips, chunksize=64)
        long = [clip for clip, is_short in zip(clips, fits, strict=True) if not is_short]
    if len(long) <= _spared(len(clips)):
        return windows[0]
    needed = [*_needed_samples(long)]
    count = len(clips) - len(long) + len(needed)  # without files that cannot be read
    for window in windows:
        if sum(samples > window for samples in needed) <= _spared(count):
            return window
    too_long = sum(samples > windows[-1] for samples in needed)
    warn(
        f"{data}: {too_long} of {count} clips to train on hold a word that does not fit into the "
        f"longest window, {windows[-1] / RATE} s"
    )
    return windows[-1]


def lasts_at_most(path: Path, samples: int) -> bool:
    """Return whether a file's header says that it lasts no longer than so many samples at 16 kHz.

    It is False for files that libsndfile cannot read or takes for empty.
    """
    try:
        with soundfile.SoundFile(path) as file:
            return bool(0 < file.frames * RATE <= samples * file.samplerate)
    except (soundfile.SoundFileError, OSError, TypeError, ValueError):
        return False


def samples_needed(samples: npt.NDArray[np.float32], label: str) -> int:
    """Return the samples that a clip's word needs, with its margins.

    Args:
        samples: the clip, mono at 16 kHz, shape (samples,).
        label: the word.
    """
    start, end = word_span(samples, label)
    return min(end + MARGIN, samples.size) - max(start - MARGIN, 0)


def _needed_samples(clips: Sequence[Clip]) -> list[int]:
    """The samples that the words of all usable clips need."""
    needed: list[int] = []
    for label in dict.fromkeys(clip.word for clip in clips):
        paths = [clip.path for clip in clips if clip.word == label]
        measure = functools.partial(samples_needed, label=label)
        needed += [samples for _, samples in Reading().each(paths, measure, f"window: {label}")]
    return needed


def _spared(clips: int) -> int:
    """How many of the clips need not fit."""
    return int((1 - SHARE) * clips + 1e-9)
