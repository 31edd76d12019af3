"""One clip before and after each augmentation."""

import dataclasses
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from matplotlib.figure import SubFigure

from speechgru.mfcc_layer import MFCC
from training.augmentation.mixup import mixup
from training.augmentation.pipeline import augment
from training.augmentation.random_draws import RandomDraws
from training.augmentation.settings import Augment
from training.augmentation.spec_augment import mask_spectrogram
from training.clips.window import RATE
from training.data.noise_recordings import NOISE_ROW
from training.figures.style import new_figure, save_figure

Samples = npt.NDArray[np.float32]
DISABLED: dict[str, Any] = {
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
PANELS: dict[str, dict[str, Any]] = {
    "original": {},
    "shift": {"shift_ms": 100},
    "speed and pitch": {"speed": 0.15},
    "room": {"reverb_share": 1},
    "noise at an SNR of 10 dB": {"snr_db": (10, 10), "noise_share": 1},
    "microphone": {"eq_db": 4},
    "band limit": {"band_limit_share": 1},
    "telephone": {"telephone_share": 1},
    "gain of -10 dB": {"gain_db": (-10, -10)},
    "SpecAugment": {"time_masks": 2, "mel_masks": 2},
    "mixup with another word": {"mixup_share": 1, "mixup_alpha": 4},
    "all of the defaults": dataclasses.asdict(Augment()),
}
ROWS, COLUMNS = 4, 3


def plot_augmentations(clip: Samples, other: Samples, path: Path, seed: int = 92) -> None:
    """Draw waveform and log-mel spectrogram of a clip after each augmentation.

    Args:
        clip: float32, shape (samples,), in [-1, 1].
        other: the same; what mixup blends it with.
        path: the PNG to write.
        seed: of the random draws.
    """
    pair = np.rint(np.stack([clip, other]) * 32767).astype(np.int16)
    noise = np.random.default_rng(0).normal(size=(1000, NOISE_ROW)).astype(np.float32)
    front_end = MFCC()
    title = (
        "One clip after each augmentation\n"
        "waveform (original in grey), log-mel spectrogram (colours: -70 to 20 dB)"
    )
    figure = new_figure(10, 13, title)
    panels = figure.subfigures(ROWS, COLUMNS, squeeze=False)
    for panel, (name, changes) in zip(panels.flat, PANELS.items(), strict=True):
        settings = Augment(**DISABLED | changes)
        draws = RandomDraws((seed, 0), 2)
        audio = augment(pair, np.zeros(2, bool), noise, draws, settings)
        audio, _ = mixup(audio, np.eye(2, dtype=np.float32), draws, settings)
        log_mel = mask_spectrogram(
            front_end.log_mel(audio), RandomDraws((seed + 1, 0), 2), settings
        )
        panel.suptitle(name, fontsize="medium")
        _plot_panel(
            panel, clip if changes else None, np.asarray(audio[0]), np.transpose(log_mel[0])
        )
    save_figure(figure, path)


def _plot_panel(
    panel: SubFigure, original: Samples | None, audio: Samples, log_mel: Samples
) -> None:
    waveform, spectrogram = panel.subplots(2, 1, sharex=True, height_ratios=(1, 2))
    time = np.arange(audio.size) / RATE
    if original is not None:
        waveform.plot(time, original, color="0.75", linewidth=0.5)
    waveform.plot(time, audio, linewidth=0.5)
    waveform.set(ylabel="amplitude", ylim=(-1, 1), yticks=(-1, 0, 1))
    spectrogram.imshow(
        log_mel,
        origin="lower",
        aspect="auto",
        extent=(0, audio.size / RATE, 0, len(log_mel)),
        vmin=-70,
        vmax=20,
    )
    spectrogram.set(xlabel="time (s)", ylabel="mel band")
