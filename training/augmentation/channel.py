"""The recording channel: a microphone's frequency response, and a telephone line."""

import numpy as np
import numpy.typing as npt
import tensorflow as tf

from training.augmentation.levels import db_to_amplitude
from training.augmentation.random_draws import RandomDraws
from training.augmentation.random_share import change_share
from training.augmentation.settings import Augment
from training.clips.window import RATE

RESPONSE_POINTS = np.geomspace(60, 8000, 9)  # Hz; the random response is linear in between
GRID = 16  # the response is computed at every 16th bin of the spectrum


def apply_microphone(audio: tf.Tensor, draws: RandomDraws, settings: Augment) -> tf.Tensor:
    """Filter clips with random smooth frequency responses, and limit the band of some.

    Args:
        audio: float32, shape (batch, samples).
        draws: the random numbers of the step.
        settings: `eq_db` and `band_limit_share`.

    Returns:
        float32, shape (batch, samples).
    """
    if not (settings.eq_db or settings.band_limit_share):
        return audio
    samples = audio.shape[1]
    bins = samples // 2 + 1
    frequency = np.arange(0, bins + GRID, GRID) * RATE / samples
    response = tf.zeros((1, len(frequency)))  # dB
    if settings.eq_db:
        response += _random_response(frequency, draws, settings.eq_db)
    if settings.band_limit_share:
        response = _limit_band(response, frequency, draws, settings.band_limit_share)
    spectrum = _multiply(tf.signal.rfft(audio), db_to_amplitude(response))
    return tf.signal.irfft(spectrum, [samples])


def _random_response(
    frequency: npt.NDArray[np.float64], draws: RandomDraws, deviation: float
) -> tf.Tensor:
    """Return responses in dB, normal at RESPONSE_POINTS, linear in between, (batch, n)."""
    octaves = np.log(np.maximum(frequency, 1))
    points = np.log(RESPONSE_POINTS)
    hats = np.array([np.interp(octaves, points, row) for row in np.eye(len(points))], np.float32)
    return tf.matmul(draws.normal("eq", len(points)) * deviation, hats)


def _limit_band(
    response: tf.Tensor, frequency: npt.NDArray[np.float64], draws: RandomDraws, share: float
) -> tf.Tensor:
    """Subtract the loss outside of a random band from a share of the responses in dB."""
    limited = draws.bernoulli("band limit", share)
    top = tf.where(limited, draws.uniform("band top", 3000.0, 7500.0), 1e5)
    bottom = tf.where(limited, draws.uniform("band bottom", 50.0, 400.0), 1e-5)
    f = tf.constant(frequency[None], tf.float32)
    # Steep above, like a resampler; gentle below, like a small microphone capsule.
    response -= 80 * tf.sigmoid((f - top) / 60)
    return response - 10 * tf.math.log1p(tf.square(bottom / (f + 1.0)))


@tf.function(jit_compile=True)  # one pass over the spectrum
def _multiply(spectrum: tf.Tensor, gain: tf.Tensor) -> tf.Tensor:
    """Multiply spectra by gains that are given at every GRID-th bin."""
    fraction = tf.range(GRID, dtype=tf.float32) / GRID
    fine = gain[:, :-1, None] * (1 - fraction) + gain[:, 1:, None] * fraction
    fine = tf.reshape(fine, (-1, (gain.shape[1] - 1) * GRID))[:, : spectrum.shape[1]]
    return spectrum * tf.cast(fine, tf.complex64)


def apply_telephone(audio: tf.Tensor, draws: RandomDraws, share: float) -> tf.Tensor:
    """Send a share of the clips through a telephone line: 300-3400 Hz, 8 kHz, 8-bit mu-law.

    Args:
        audio: float32, shape (batch, samples), samples divisible by 4.
        draws: the random numbers of the step.
        share: part of the batch, rounded up to whole clips; 0 disables the line.

    Returns:
        float32, shape (batch, samples).
    """
    if not share:
        return audio
    return change_share(
        audio, draws, "telephone share", share, lambda clips, rows: _telephone_line(clips)
    )


def _telephone_line(audio: tf.Tensor) -> tf.Tensor:
    samples = audio.shape[1]
    bins = samples // 4  # below 4 kHz
    frequency = np.arange(bins) * RATE / samples
    band = 1 / (1 + np.exp((300 - frequency) / 15)) / (1 + np.exp((frequency - 3400) / 40))
    band = tf.constant(band, tf.complex64)
    spectrum = tf.signal.rfft(audio)[:, :bins] * (band / 2)
    coded = mu_law_round_trip(tf.signal.irfft(spectrum, [samples // 2]))
    spectrum = tf.pad(tf.signal.rfft(coded)[:, :bins] * 2, ((0, 0), (0, bins + 1)))
    return tf.signal.irfft(spectrum, [samples])


def mu_law_round_trip(audio: tf.Tensor) -> tf.Tensor:
    """Encode and decode samples in [-1, 1] by ITU-T G.711 mu-law: a sign, 8 segments, 16 steps."""
    shifted = tf.minimum(tf.abs(audio) * 8192.0, 8158.0) + 33.0  # 14 bits, and the bias of G.711
    exponent = tf.bitwise.bitwise_and(tf.bitcast(shifted, tf.int32), 0x7F800000)
    step = tf.bitcast(exponent, tf.float32) / 16  # a segment spans a power of two
    magnitude = (tf.floor(shifted / step) + 0.5) * step - 33.0
    return tf.sign(audio) * magnitude / 8192.0
