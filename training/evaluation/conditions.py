"""The conditions of an evaluation: clean clips, noise at several SNRs, and time shifts."""

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt
from tqdm import tqdm

from speechgru.modelfile import ModelError
from training.clips.levels import db_to_amplitude, rms
from training.clips.window import RATE, Samples
from training.clips.words import SILENCE
from training.data.evaluation_set import EvaluationSet
from training.evaluation.evaluated_model import Audio, EvaluatedModel, Probabilities

SNRS = (20, 10, 5, 0)  # dB
SHIFTS = (-100, -50, 50, 100)  # ms
CLEAN = "clean"
BATCH = 256


def noisy(snr: int) -> str:
    """Return the name of the condition with noise at an SNR in dB."""
    return f"noise at {snr} dB"


def shifted(shift: int) -> str:
    """Return the name of the condition with a shift in ms; positive shifts are later."""
    return f"shift of {shift:+d} ms"


def predict_in_conditions(
    model: EvaluatedModel, clips: EvaluationSet, noise: Samples
) -> dict[str, Probabilities]:
    """Predict the labels of all clips in all conditions.

    Args:
        model: what predicts.
        clips: what to predict.
        noise: noise for each clip, int16, of the shape of the clips.

    Returns:
        For each condition the probabilities of the labels, (clips, labels).

    Raises:
        ModelError: a probability is not a finite number.
    """
    is_silence = np.array([word == SILENCE for word in clips.words])
    level = np.array([float(rms(as_float(clip))) for clip in clips.samples])
    level[is_silence] = np.median(level[~is_silence])
    batches: dict[str, list[Probabilities]] = {}
    total = len(is_silence) * (1 + len(SNRS) + len(SHIFTS))
    with tqdm(total=total, desc="predicting", disable=None, leave=False, unit="clip") as progress:
        for start in range(0, len(is_silence), BATCH):
            rows = slice(start, start + BATCH)
            audio, noises = as_float(clips.samples[rows]), as_float(noise[rows])
            for name, changed in apply_conditions(audio, noises, level[rows], is_silence[rows]):
                batches.setdefault(name, []).append(model.predict(changed))
                progress.update(len(changed))
    probabilities = {name: np.concatenate(parts) for name, parts in batches.items()}
    if not all(np.isfinite(values).all() for values in probabilities.values()):
        raise ModelError(f"{model.path}: expected finite probabilities, found NaN or infinity")
    return probabilities


def apply_conditions(
    clips: Audio,
    noise: Audio,
    level: npt.NDArray[np.float64],
    is_silence: npt.NDArray[np.bool_],
) -> Iterator[tuple[str, Audio]]:
    """Yield the name of each condition and the clips in it.

    In the noise conditions, a clip of silence is replaced by its noise.

    Args:
        clips: (n, window) in [-1, 1].
        noise: the same shape, a noise for each clip.
        level: RMS that the SNR refers to, (n,).
        is_silence: which clips are silence, (n,).
    """
    yield CLEAN, clips
    speech = np.where(is_silence[:, None], np.float32(0), clips)
    for snr in SNRS:
        yield noisy(snr), mix_at_snr(speech, noise, level, snr)
    for shift in SHIFTS:
        yield shifted(shift), shift_clips(clips, shift * RATE // 1000)


def mix_at_snr(clips: Audio, noise: Audio, level: npt.NDArray[np.float64], snr: float) -> Audio:
    """Return clips with noise `snr` dB below the RMS `level`, clipped to [-1, 1]."""
    gain = level / db_to_amplitude(snr) / rms(noise)
    return np.clip(clips + gain[:, None] * noise, -1, 1).astype(np.float32)


def shift_clips(clips: Audio, samples: int) -> Audio:
    """Return clips that many samples later, or earlier if negative; zeros are shifted in."""
    later, earlier = max(samples, 0), max(-samples, 0)
    return np.pad(clips, ((0, 0), (later, earlier)))[:, earlier : earlier + clips.shape[1]]


def as_float(clips: Samples) -> Audio:
    """Scale int16 clips to float32 in [-1, 1]."""
    return clips.astype(np.float32) / np.float32(32768)
