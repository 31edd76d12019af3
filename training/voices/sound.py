"""Small operations on sounds: trimming, noise, levels, writing WAV files."""

import io
from pathlib import Path

import numpy as np
import soundfile

from speechgru.atomic_files import naming_file
from training.clips.levels import db_to_amplitude

SAMPLE_RATE = 16000


def trim(sound: np.ndarray, before: float, after: float, quiet: float) -> np.ndarray:
    """Cut a sound to its loud part.

    Args:
        sound: samples at 16 kHz, shape (samples,).
        before: seconds to leave or add before the loud part.
        after: seconds to leave or add after it.
        quiet: level in dB, relative to the loudest 10 ms, below which sound counts as quiet.
    """
    step = SAMPLE_RATE // 100
    power = np.convolve(sound**2, np.full(step, 1 / step), "same")
    loud = np.flatnonzero(power > power.max() * db_to_amplitude(quiet) ** 2)
    start = loud[0] - round(before * SAMPLE_RATE)
    end = loud[-1] + 1 + round(after * SAMPLE_RATE)
    padded = np.pad(sound, (max(0, -start), max(0, end - len(sound))))
    return padded[max(0, start) :][: end - start]


def add_noise(sound: np.ndarray, level: float, rng: np.random.Generator) -> np.ndarray:
    """Add white noise of an RMS level in dB relative to full scale."""
    return sound + db_to_amplitude(level) * rng.standard_normal(len(sound))


def write_wav(path: Path, sound: np.ndarray, sample_rate: int, subtype: str) -> None:
    """Write a WAV file; the same sound gives the same bytes at any time.

    Raises:
        OSError: the file cannot be written; the message names it.
    """
    memory = io.BytesIO()
    soundfile.write(memory, sound, sample_rate, format="WAV", subtype=subtype)
    data = bytearray(memory.getvalue())
    peak = data.find(b"PEAK", 0, 100)  # a chunk of float files, in which libsndfile notes the time
    if peak >= 0:
        data[peak + 12 : peak + 16] = bytes(4)
    with naming_file(path):
        path.write_bytes(data)
