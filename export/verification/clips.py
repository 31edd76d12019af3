"""What every form of a model is given: validation clips, and noise between them in a stream."""

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from training.clips.levels import db_to_amplitude, rms
from training.clips.words import UNKNOWN
from training.evaluation.conditions import as_float
from training.evaluation.evaluation_clips import read_evaluation_set
from training.evaluation.noises import find_noises, noise_windows

GAP_SNR = 20.0  # dB from the noise between two clips to the clip


class VerificationClips(NamedTuple):
    """Validation clips.

    Attributes:
        audio: float32 (clips, samples) in [-1, 1].
        gaps: noise that comes before each clip in a stream, of the same shape.
        targets: number of each clip's label, (clips,).
    """

    audio: npt.NDArray[np.float32]
    gaps: npt.NDArray[np.float32]
    targets: npt.NDArray[np.int_]


def read_verification_clips(data: Path, labels: Sequence[str], window: int) -> VerificationClips:
    """Read the validation clips of a folder; words that are no label count as "unknown".

    Args:
        data: the folder.
        labels: the model's labels.
        window: samples of the model's window.

    Raises:
        DataError: the folder has no validation clips of the labels.
    """
    clips, _ = read_evaluation_set(data, labels, "validation", 0, window)
    rng = np.random.default_rng((0, 1))
    noises, _ = find_noises(clips, None, rng)
    audio = as_float(clips.samples)
    gaps = as_float(noise_windows(noises, clips.samples.shape, rng))
    gaps *= (rms(audio) / rms(gaps) / db_to_amplitude(GAP_SNR)).astype(np.float32)[:, None]
    targets = [labels.index(word if word in labels else UNKNOWN) for word in clips.words]
    return VerificationClips(audio, gaps, np.array(targets))
