"""TODO: pipeline."""

from typing import Any

import tensorflow as tf

from training.augmentation.channel import microphone, telephone
from training.augmentation.levels import decibels
from training.augmentation.noise_mixing import add_noise
from training.augmentation.random_draws import Draw
from training.augmentation.rooms import reverberate
from training.augmentation.settings import Augment
from training.augmentation.speed_and_shift import shift_and_stretch


def augment(audio: Any, is_silence: Any, noise: Any, seed: Any, settings: Augment) -> Any:
    """Move, stretch, reverberate, mix with noise, filter, code and scale a batch of clips.

    Args:
        audio: int16, shape (batch, samples), samples divisible by 4; silence clips are all zeros.
        is_silence: bool, shape (batch,).
        noise: float32, shape (rows, NOISE_ROW); consecutive noise at an RMS near 1.
        seed: int32, shape (2,).
        settings: what to do and how much.

    Returns:
        float32, shape (batch, samples), in [-1, 1].
    """
    draw = Draw(seed, tf.shape(audio)[0])
    silence = is_silence[:, None]
    speech = shift_and_stretch(audio, draw, settings)
    speech = reverberate(speech, draw, settings.reverb_share)
    mixed = add_noise(speech, silence, noise, draw, settings)
    mixed = microphone(mixed, draw, settings)
    mixed = telephone(mixed, draw, settings.telephone_share)
    if settings.gain_db == (0, 0):
        return tf.clip_by_value(mixed, -1.0, 1.0)
    gain = decibels(draw.uniform("gain", *settings.gain_db))
    return _scale(mixed, tf.where(silence, 1.0, gain))  # the level of silence is drawn already


@tf.function(jit_compile=True)  # one pass instead of three
def _scale(audio: Any, gain: Any) -> Any:
    return tf.clip_by_value(audio * gain, -1.0, 1.0)
