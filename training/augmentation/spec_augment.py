"""TODO: spec_augment."""

import functools
from typing import Any

import tensorflow as tf

from training.augmentation.random_draws import Draw
from training.augmentation.settings import Augment


def mask_spectrogram(log_mel: Any, seed: Any, settings: Augment) -> Any:
    """SpecAugment (Park 2019): bands of time and frequency replaced by the clip's mean.

    Args:
        log_mel: float32, shape (batch, frames, bands).
        seed: int32, shape (2,).
        settings: number and greatest size of the masks.

    Returns:
        float32, the same shape.
    """
    draw = Draw(seed, tf.shape(log_mel)[0])
    frames, bands = log_mel.shape[1:]
    masks = []
    for kind, count, longest, size, axis in (
        ("time", settings.time_masks, settings.time_mask_frames, frames, -1),
        ("mel", settings.mel_masks, settings.mel_mask_bands, bands, 1),
    ):
        position = tf.range(size, dtype=tf.float32)[None]
        for number in range(count if longest else 0):
            name = f"{kind} mask {number}"
            width = tf.floor(draw.uniform(f"{name} width", 0.0, longest + 1.0))
            start = tf.floor(draw.uniform(f"{name} start", 0.0, 1.0) * (size - width + 1))
            inside = (position >= start) & (position < start + width)
            masks.append(tf.expand_dims(inside, axis))
    if not masks:
        return log_mel
    mean = tf.reduce_mean(log_mel, axis=(1, 2), keepdims=True)
    return tf.where(functools.reduce(tf.logical_or, masks), mean, log_mel)
