"""Levels of batches of audio, as TensorFlow tensors."""

import math

import tensorflow as tf


def db_to_amplitude(level: tf.Tensor) -> tf.Tensor:
    """Return the amplitude factors of levels in dB: 10 ** (level / 20)."""
    return tf.exp(level * (math.log(10) / 20))


def rms(audio: tf.Tensor) -> tf.Tensor:
    """Return the root mean square of each clip, float32 (batch, 1); never zero."""
    return tf.sqrt(tf.reduce_mean(tf.square(audio), axis=1, keepdims=True) + 1e-20)
