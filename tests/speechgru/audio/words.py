"""Sounds that stand for spoken words, in the noise of a room: 16 kHz."""

from collections.abc import Sequence

import numpy as np

RATE = 16000


def word(seconds: float = 0.6, *, level: float = 0.1, pitch: float = 150.0) -> np.ndarray:
    """Harmonics that swell and fade, with a root mean square of `level`."""
    time = np.arange(round(seconds * RATE)) / RATE
    tone = sum(np.sin(2 * np.pi * k * pitch * time) / k for k in range(1, 25))
    shaped = tone * np.minimum(1, 20 * np.minimum(time, time[::-1]))
    return (shaped * level / np.sqrt(np.mean(shaped**2))).astype(np.float32)


def noise(seconds: float, *, level: float = 1e-3, seed: int = 0) -> np.ndarray:
    """White noise with a root mean square of `level`."""
    rng = np.random.default_rng(seed)
    return (level * rng.normal(size=round(seconds * RATE))).astype(np.float32)


def in_room(
    parts: Sequence[tuple[float, np.ndarray]], *, after: float = 1.0, level: float = 1e-3
) -> np.ndarray:
    """Join sounds, each after a pause in seconds, and add noise."""
    pieces = [p for pause, sound in parts for p in (np.zeros(round(pause * RATE)), sound)]
    joined = np.concatenate([*pieces, np.zeros(round(after * RATE))])
    return (joined + noise(len(joined) / RATE, level=level)).astype(np.float32)
