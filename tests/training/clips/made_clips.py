"""Clips and data folders that several tests make."""

from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np
import soundfile
from hypothesis import strategies as st

from training.clips.clip import Clip
from training.clips.finding import find_clips

# File names; lone surrogates exist only where os.fsdecode puts them.
NAMES = st.text(st.characters(exclude_categories=["Cc", "Cs", "Zl", "Zp"]), min_size=1, max_size=20)


def clip_list(
    words: Sequence[str] = ("yes", "no"), speakers: int = 20, takes: int = 2
) -> list[Clip]:
    """Clips with the names of Speech Commands, without files."""
    return [
        Clip(Path(word) / f"s{s}_nohash_{t}.wav", word, f"s{s}")
        for word in words
        for s in range(speakers)
        for t in range(takes)
    ]


def touch(folder: Path, names: Iterable[str]) -> Path:
    """Make empty files with these paths in a folder."""
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).touch()
    return folder


def write_clips(folder: Path, count: int) -> list[Clip]:
    """Write clips of white noise, all of "yes"."""
    rng = np.random.default_rng(0)
    (folder / "yes").mkdir(parents=True)
    for number in range(count):
        samples = 0.1 * rng.normal(size=8000)
        soundfile.write(folder / "yes" / f"s{number:03}_nohash_0.wav", samples, 16000)
    return find_clips(folder)


def tone(seconds: float, level: float, pitch: float = 440) -> np.ndarray:
    """A sine at 16 kHz."""
    return level * np.sin(2 * np.pi * pitch * np.arange(int(seconds * 16000)) / 16000)


def word_in_noise(
    word_at: float,
    seconds: float = 3.0,
    level: float = 0.02,
    hiss: float = 1e-4,
    length: float = 0.5,
) -> tuple[np.ndarray, int, int]:
    """A tone of half a second in soft noise, and the samples where it begins and ends."""
    samples = hiss * np.random.default_rng(0).normal(size=int(seconds * 16000))
    begin = int(word_at * 16000)
    word = tone(length, level)
    samples[begin : begin + word.size] += word
    return samples, begin, begin + word.size
