"""TODO: levels."""

import math
from typing import Any

import tensorflow as tf


def decibels(level: Any) -> Any:
    """Amplitude factor of a level in dB."""
    return tf.exp(level * (math.log(10) / 20))


def rms(audio: Any) -> Any:
    """Root mean square of each clip, shape (batch, 1)."""
    return tf.sqrt(tf.reduce_mean(tf.square(audio), axis=1, keepdims=True) + 1e-20)


def as_float(audio: Any) -> Any:
    return tf.cast(audio, tf.float32) / 32768.0 if audio.dtype == tf.int16 else audio


def replace(audio: Any, places: Any, clips: Any) -> Any:
    return tf.tensor_scatter_nd_update(audio, places[:, None], clips)
