"""TODO: augmentations."""

import dataclasses
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.figure import Figure

from speechgru import audio
from speechgru.mfcc_layer import MFCC
from training.augmentation.mixup import mixup
from training.augmentation.pipeline import augment
from training.augmentation.random_draws import RandomDraws
from training.augmentation.settings import Augment
from training.augmentation.spec_augment import mask_spectrogram
from training.clips.window import WINDOW
from training.data.noise_recordings import NOISE_ROW
from training.figures.saving import save_figure

NOTHING: dict[str, Any] = {
    "shift_ms": 0,
    "speed": 0,
    "speed_share": 1,
    "noise_share": 0,
    "reverb_share": 0,
    "eq_db": 0,
    "band_limit_share": 0,
    "telephone_share": 0,
    "gain_db": (0, 0),
    "time_masks": 0,
    "mel_masks": 0,
}
SHOWN: dict[str, dict[str, Any]] = {
    "before": {},
    "shift": {"shift_ms": 100},
    "speed and pitch": {"speed": 0.15},
    "room": {"reverb_share": 1},
    "noise at an SNR of 10 dB": {"snr_db": (10, 10), "noise_share": 1},
    "microphone": {"eq_db": 4},
    "band limit": {"band_limit_share": 1},
    "telephone": {"telephone_share": 1},
    "gain of -10 dB": {"gain_db": (-10, -10)},
    "SpecAugment": {"time_masks": 2, "mel_masks": 2},
    "mixup": {"mixup_share": 1, "mixup_alpha": 4},
    "all of the defaults": dataclasses.asdict(Augment()),
}


def plot_augmentations(clip: Any, other: Any, path: Path, seed: int = 92) -> None:
    """Waveform (before in grey) and log-mel spectrogram of a clip after each augmentation.

    `clip` and `other` are float32, shape (WINDOW,), in [-1, 1].
    """
    pair = np.rint(np.stack([clip, other]) * 32767).astype(np.int16)
    noise = np.random.default_rng(0).normal(size=(1000, NOISE_ROW)).astype(np.float32)
    front_end = MFCC()
    figure = Figure(figsize=(13, 9), layout="constrained")
    cells = figure.subfigures(3, 4)
    for cell, (name, changes) in zip(cells.flat, SHOWN.items(), strict=True):
        settings = Augment(**NOTHING | changes)
        sound = augment(pair, np.zeros(2, bool), noise, (seed, 0), settings)
        sound, _ = mixup(sound, np.eye(2, dtype=np.float32), RandomDraws((seed, 0), 2), settings)
        log_mel = mask_spectrogram(front_end.log_mel(sound), (seed + 1, 0), settings)
        wave, picture = cell.subplots(2, 1, sharex=True, height_ratios=(1, 2))
        time = np.arange(WINDOW) / audio.SAMPLE_RATE
        if changes:
            wave.plot(time, clip, color="0.75", linewidth=0.5)
        wave.plot(time, sound[0], linewidth=0.5)
        wave.set(title=name, ylim=(-1, 1), yticks=(-1, 0, 1))
        picture.imshow(
            np.transpose(log_mel[0]),
            origin="lower",
            aspect="auto",
            extent=(0, time[-1], 0, log_mel.shape[-1]),
            vmin=-70,
            vmax=20,
        )
        picture.set(ylabel="mel band")
    for cell in cells[-1]:
        cell.axes[-1].set_xlabel("seconds")
    save_figure(figure, path)


def _second(samples: Any) -> Any:
    """The first second of a sound, or the sound between zeros."""
    spare = max(0, WINDOW - len(samples))
    return np.pad(samples[:WINDOW], (spare // 2, spare - spare // 2))
