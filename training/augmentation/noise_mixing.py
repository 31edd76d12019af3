"""Mixing background noise into clips."""

import tensorflow as tf

from training.augmentation.levels import db_to_amplitude, rms
from training.augmentation.random_draws import RandomDraws
from training.augmentation.settings import Augment
from training.data.noise_recordings import NOISE_ROW


def add_noise(
    speech: tf.Tensor,
    is_silence: tf.Tensor,
    noise: tf.Tensor,
    draws: RandomDraws,
    settings: Augment,
    spoken: tf.Tensor | float = 1.0,
) -> tf.Tensor:
    """Mix noise into speech at a random SNR, and fill clips of silence with noise.

    The level of noise in a clip of silence is random, from -80 to -10 dBFS; one in ten stays
    digital zero.

    Args:
        speech: float32, shape (batch, samples); zeros in clips of silence.
        is_silence: bool, shape (batch, 1).
        noise: float32, shape (rows, NOISE_ROW), noise at an RMS near 1.
        draws: the random numbers of the step.
        settings: `noise_share` and `snr_db`.
        spoken: share of each clip's time to which the SNR refers. Default 1.

    Returns:
        float32, shape (batch, samples).
    """
    background = random_background(noise, draws, speech.shape[1])
    silence_level = db_to_amplitude(draws.uniform("silence level", -80.0, -10.0))
    silence_level = tf.where(draws.bernoulli("digital zero", 0.1), 0.0, silence_level)
    noise_level = 0.0
    if settings.noise_share:
        loudness = rms(speech) / tf.sqrt(tf.maximum(spoken, 1e-3))
        noise_level = loudness / db_to_amplitude(draws.uniform("snr", *settings.snr_db))
        has_noise = draws.bernoulli("noise share", settings.noise_share)
        noise_level = tf.where(has_noise, noise_level, 0.0)
    level = tf.where(is_silence, silence_level, noise_level)
    return speech + (level / rms(background)) * background


def random_background(noise: tf.Tensor, draws: RandomDraws, samples: int) -> tf.Tensor:
    """Return the sum of two random stretches of the noise for each clip, (batch, samples).

    The second stretch is up to 40 dB weaker than the first.
    """
    rows = -(-samples // NOISE_ROW)
    last = tf.cast(tf.shape(noise)[0] - rows, tf.float32)
    names = ("first noise", "second noise")
    starts = tf.concat([draws.uniform(name, 0.0, last) for name in names], axis=0)
    stretches = tf.gather(noise, tf.cast(starts, tf.int32) + tf.range(rows)[None])
    stretches = tf.reshape(stretches, (-1, rows * NOISE_ROW))[:, :samples]
    first, second = tf.split(stretches, 2)
    level = db_to_amplitude(draws.uniform("second noise level", -40.0, 0.0))
    return first + level * second
