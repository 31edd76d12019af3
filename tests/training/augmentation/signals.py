"""Settings, test signals and measurements that several tests of augmentation use."""

import dataclasses

import numpy as np

from training.augmentation.pipeline import augment
from training.augmentation.random_draws import RandomDraws
from training.augmentation.settings import Augment
from training.clips.window import RATE

OFF = Augment(
    shift_ms=0,
    speed=0,
    noise_share=0,
    reverb_share=0,
    eq_db=0,
    band_limit_share=0,
    telephone_share=0,
    gain_db=(0.0, 0.0),
    time_masks=0,
    mel_masks=0,
    mixup_share=0,
)
ON = Augment(mixup_share=0.5)
BATCH, SAMPLES = 32, 16000
SEED = (3, 4)


def only(**settings):
    """Settings with only these augmentations."""
    return dataclasses.replace(OFF, **settings)


def tone(frequency=1000.0, peak=0.1):
    """A batch of the same tone."""
    time = np.arange(SAMPLES) / RATE
    return np.tile(peak * np.sin(2 * np.pi * frequency * time), (BATCH, 1)).astype(np.float32)


def augmented(clips, noise, settings, seed=(0, 1), silence=None):
    silent = np.zeros(len(clips), bool) if silence is None else silence
    return augment(clips, silent, noise, RandomDraws(seed, len(clips)), settings).numpy()


def level(audio):
    """Mean power of each clip in dB."""
    return 10 * np.log10((np.asarray(audio, np.float64) ** 2).mean(axis=-1))


def spectrum(audio):
    """Power at every Hz of the middle of each clip, without the leakage of its ends."""
    return np.abs(np.fft.rfft(np.asarray(audio, np.float64) * np.hanning(SAMPLES))) ** 2
