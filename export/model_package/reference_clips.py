"""The clips that set the ranges of int8, and those that an exported file is checked on."""

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from speechgru.detection import NOT_COMMANDS
from training.clips.clip import Clip
from training.clips.finding import find_clips
from training.clips.reading import read_clips
from training.clips.splitting import split_clips

SAMPLES = Path(__file__).resolve().parents[2] / "samples"
LISTED = Path(__file__).with_name("calibration_clips.txt")
CHECKED_CLIPS = 1000


class Audio(NamedTuple):
    """Audio for a purpose.

    Attributes:
        samples: float32 (clips, samples) in [-1, 1].
        source: where the clips come from, in words.
    """

    samples: npt.NDArray[np.float32]
    source: str


def calibration_clips(data: Path | None, labels: Sequence[str], window: int) -> Audio:
    """Return the clips that set the ranges of int8. The first is all zeros.

    They are the clips listed in calibration_clips.txt if the data has all of them, else as many
    training clips, drawn with a fixed seed.

    Args:
        data: folder of clips. None: the repository's samples.
        labels: the model's labels.
        window: samples of the model's window.

    Raises:
        DataError: the folder cannot be used.
    """
    audio = sample_clips(window) if data is None else _training_clips(data, labels, window)
    zeros = np.zeros_like(audio.samples[:1])
    return Audio(np.concatenate([zeros, audio.samples]), audio.source)


def check_clips(data: Path | None, labels: Sequence[str], window: int) -> Audio:
    """Return the clips that a file is checked on: at most 1000 validation clips, drawn at random.

    Args:
        data: folder of clips. None: the repository's samples.
        labels: the model's labels.
        window: samples of the model's window.

    Raises:
        DataError: the folder cannot be used.
    """
    if data is None:
        return sample_clips(window)
    clips = split_clips(data, find_clips(data), commands=_commands(labels)).validation
    picks = np.random.default_rng(0).permutation(len(clips))[:CHECKED_CLIPS]
    return _read([clips[pick] for pick in picks], f"validation clips of {data.name}", window)


def sample_clips(window: int) -> Audio:
    """Return the repository's samples as windows of so many samples."""
    paths = sorted(SAMPLES.glob("*.wav"))
    clips = [Clip(path, path.stem.split("-")[0], path.stem) for path in paths]
    return _read(clips, "the repository's samples", window)


def _training_clips(data: Path, labels: Sequence[str], window: int) -> Audio:
    listed = LISTED.read_text(encoding="utf-8").split()
    clips = split_clips(data, find_clips(data), commands=_commands(labels)).training
    by_key = {clip.key: clip for clip in clips}
    if by_key.keys() >= set(listed):
        return _read([by_key[key] for key in listed], f"the clips of {LISTED.name}", window)
    picks = np.random.default_rng(0).permutation(len(clips))[: len(listed)]
    source = f"{len(picks)} training clips of {data.name}"
    return _read([clips[pick] for pick in picks], source, window)


def _commands(labels: Sequence[str]) -> list[str]:
    """The labels that are words: the data is split by their speakers."""
    return [label for label in labels if label not in NOT_COMMANDS]


def _read(clips: Sequence[Clip], source: str, window: int) -> Audio:
    samples, _ = read_clips(clips, "clips", window)
    return Audio(samples.astype(np.float32) / np.float32(32768), source)
