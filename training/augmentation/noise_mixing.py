"""TODO: noise_mixing."""

from typing import Any

import tensorflow as tf

from training.augmentation.levels import decibels, rms
from training.augmentation.random_draws import Draw
from training.augmentation.settings import Augment
from training.data.noises import NOISE_ROW


def add_noise(speech: Any, is_silence: Any, noise: Any, draw: Draw, settings: Augment) -> Any:
    """Add noise to speech at a random SNR; give silence a random level down to digital zero."""
    background = _background(noise, draw, speech.shape[1])
    tone = decibels(draw.uniform("silence level", -80.0, -10.0))
    level = tf.where(draw.chance("digital zero", 0.1), 0.0, tone)
    if settings.noise_share:
        wanted = rms(speech) / decibels(draw.uniform("snr", *settings.snr_db))
        wanted = tf.where(draw.chance("noise share", settings.noise_share), wanted, 0.0)
        level = tf.where(is_silence, level, wanted)
    else:
        level = tf.where(is_silence, level, 0.0)
    return speech + (level / rms(background)) * background


def _background(noise: Any, draw: Draw, samples: int) -> Any:
    """Two random stretches of the noise for each clip, blended."""
    rows = -(-samples // NOISE_ROW)
    last = tf.cast(tf.shape(noise)[0] - rows, tf.float32)

    def stretch(name: str) -> Any:
        start = tf.cast(draw.uniform(name, 0.0, last), tf.int32)
        piece = tf.gather(noise, start + tf.range(rows)[None])
        return tf.reshape(piece, (-1, rows * NOISE_ROW))[:, :samples]

    second = decibels(draw.uniform("second noise level", -40.0, 0.0))
    return stretch("first noise") + second * stretch("second noise")
