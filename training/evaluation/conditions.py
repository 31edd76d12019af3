"""TODO: conditions."""

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt
from tqdm import tqdm

from speechgru.modelfile import ModelError
from training.clips.window import RATE, Samples
from training.clips.words import SILENCE
from training.data.evaluation_set import EvaluationSet
from training.evaluation.model import Audio, Model, Scores

SNRS = (20, 10, 5, 0)  # dB
SHIFTS = (-100, -50, 50, 100)  # ms
CLEAN = "as they are"
BATCH = 256


def listen(model: Model, clips: EvaluationSet, noise: Samples) -> dict[str, Scores]:
    """For each condition the probabilities of the model's labels, (clips, labels).

    Raises:
        ModelError: one of them is no finite number.
    """
    silent = np.array([word == SILENCE for word in clips.words])
    level = np.array([rms(as_float(clip[None]))[0] for clip in clips.samples])
    level[silent] = np.median(level[~silent])
    scores: dict[str, list[Scores]] = {}
    total = len(silent) * (1 + len(SNRS) + len(SHIFTS))
    with tqdm(total=total, desc="listening", disable=None, leave=False, unit="clip") as bar:
        for start in range(0, len(silent), BATCH):
            rows = slice(start, start + BATCH)
            batch = as_float(clips.samples[rows]), as_float(noise[rows]), level[rows], silent[rows]
            for name, heard in conditions(*batch):
                scores.setdefault(name, []).append(model.score(heard))
                bar.update(len(heard))
    joined = {name: np.concatenate(parts) for name, parts in scores.items()}
    if not all(np.isfinite(found).all() for found in joined.values()):
        raise ModelError(f"{model.path}: expected probabilities, found some that are no numbers")
    return joined


def conditions(
    clips: Audio, noise: Audio, level: npt.NDArray[np.float64], silent: npt.NDArray[np.bool_]
) -> Iterator[tuple[str, Audio]]:
    """What is heard of clips (n, WINDOW), under the name of each condition.

    In noise a silent clip is its noise alone. `level` is what the SNR refers to: RMS, (n,).
    """
    yield CLEAN, clips
    speech = np.where(silent[:, None], np.float32(0), clips)
    for snr in SNRS:
        yield f"noise at {snr} dB", add_noise(speech, noise, level, snr)
    for shift in SHIFTS:
        yield f"shift of {shift:+d} ms", shifted(clips, shift * RATE // 1000)


def add_noise(clips: Audio, noise: Audio, level: npt.NDArray[np.float64], snr: float) -> Audio:
    """Clips with noise that is `snr` dB below `level`, clipped to [-1, 1]."""
    gain = level / 10 ** (snr / 20) / rms(noise)
    return np.clip(clips + gain[:, None] * noise, -1, 1).astype(np.float32)


def shifted(clips: Audio, samples: int) -> Audio:
    """Clips `samples` later, or earlier where that is negative, with zeros moved in."""
    later, earlier = max(samples, 0), max(-samples, 0)
    return np.pad(clips, ((0, 0), (later, earlier)))[:, earlier : earlier + clips.shape[1]]


def rms(clips: Audio) -> npt.NDArray[np.float64]:
    """Root mean square of each clip, (n,)."""
    return np.sqrt(np.square(clips, dtype=np.float64).mean(axis=1))


def as_float(clips: Samples) -> Audio:
    return clips.astype(np.float32) / 32768
