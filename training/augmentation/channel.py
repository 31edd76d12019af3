"""TODO: channel."""

from typing import Any

import numpy as np
import tensorflow as tf

from training.augmentation.levels import decibels, replace
from training.augmentation.random_draws import Draw
from training.augmentation.settings import Augment
from training.clips.window import RATE

_EQ_POINTS = np.geomspace(60, 8000, 9)
_GRID = 16  # a microphone's curve is computed at every so many bins of the spectrum


def microphone(audio: Any, draw: Draw, settings: Augment) -> Any:
    """A random smooth frequency response, and for some clips a narrow band."""
    if not (settings.eq_db or settings.band_limit_share):
        return audio
    samples = audio.shape[1]
    bins = samples // 2 + 1
    frequency = np.arange(0, bins + _GRID, _GRID) * RATE / samples
    curve = tf.zeros((1, len(frequency)))
    if settings.eq_db:
        octaves = np.log(np.maximum(frequency, 1))
        hats = [np.interp(octaves, np.log(_EQ_POINTS), row) for row in np.eye(len(_EQ_POINTS))]
        curve += tf.matmul(
            draw.normal("eq", len(hats)) * settings.eq_db, np.array(hats, np.float32)
        )
    if settings.band_limit_share:
        narrow = draw.chance("band limit", settings.band_limit_share)
        top = tf.where(narrow, draw.uniform("band top", 3000.0, 7500.0), 1e5)
        bottom = tf.where(narrow, draw.uniform("band bottom", 50.0, 400.0), 1e-5)
        f = tf.constant(frequency[None], tf.float32)
        # Steep like a resampler above, gentle like a small capsule below.
        curve -= 80 * tf.sigmoid((f - top) / 60)
        curve -= 10 * tf.math.log1p(tf.square(bottom / (f + 1.0)))
    return tf.signal.irfft(_shape(tf.signal.rfft(audio), decibels(curve)), [samples])


@tf.function(jit_compile=True)  # one pass over the spectrum
def _shape(spectrum: Any, gain: Any) -> Any:
    """Multiply spectra by gains that are given at every _GRID-th bin."""
    way = tf.range(_GRID, dtype=tf.float32) / _GRID
    fine = gain[:, :-1, None] * (1 - way) + gain[:, 1:, None] * way
    fine = tf.reshape(fine, (-1, (gain.shape[1] - 1) * _GRID))[:, : spectrum.shape[1]]
    return spectrum * tf.cast(fine, tf.complex64)


def telephone(audio: Any, draw: Draw, share: float) -> Any:
    """Send `share` of the clips through a line: 300-3400 Hz, 8 kHz, 8 bit mu-law."""
    if not share:
        return audio
    samples = audio.shape[1]
    places = draw.some("telephone share", share)
    bins = samples // 4  # below 4 kHz
    frequency = np.arange(bins) * RATE / samples
    band = 1 / (1 + np.exp((300 - frequency) / 15)) / (1 + np.exp((frequency - 3400) / 40))
    band = tf.constant(band, tf.complex64)
    spectrum = tf.signal.rfft(tf.gather(audio, places))[:, :bins] * (band / 2)
    coded = mu_law(tf.signal.irfft(spectrum, [samples // 2]))
    spectrum = tf.pad(tf.signal.rfft(coded)[:, :bins] * 2, ((0, 0), (0, bins + 1)))
    return replace(audio, places, tf.signal.irfft(spectrum, [samples]))


def mu_law(audio: Any) -> Any:
    """What ITU-T G.711 mu-law leaves of samples in [-1, 1]: 8 segments of 16 steps and a sign."""
    shifted = tf.minimum(tf.abs(audio) * 8192.0, 8158.0) + 33.0  # 14 bit, and the bias of G.711
    exponent = tf.bitwise.bitwise_and(tf.bitcast(shifted, tf.int32), 0x7F800000)
    step = tf.bitcast(exponent, tf.float32) / 16  # of the segment from a power of two to the next
    magnitude = (tf.floor(shifted / step) + 0.5) * step - 33.0
    return tf.sign(audio) * magnitude / 8192.0
