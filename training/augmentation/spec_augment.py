"""SpecAugment: masks over time and mel bands of a spectrogram."""

import functools

import tensorflow as tf

from training.augmentation.random_draws import RandomDraws
from training.augmentation.settings import Augment


def mask_spectrogram(log_mel: tf.Tensor, draws: RandomDraws, settings: Augment) -> tf.Tensor:
    """Replace random stretches of time and of mel bands by the clip's mean (Park 2019).

    Args:
        log_mel: float32, shape (batch, frames, bands).
        draws: the random numbers of the step, with another seed than those of `augment`.
        settings: number and largest size of the masks.

    Returns:
        float32, the same shape.
    """
    frames, bands = log_mel.shape[1:]
    time_masks = _masks(draws, "time", frames, settings.time_masks, settings.time_mask_frames)
    mel_masks = _masks(draws, "mel", bands, settings.mel_masks, settings.mel_mask_bands)
    masks = [mask[:, :, None] for mask in time_masks] + [mask[:, None, :] for mask in mel_masks]
    if not masks:
        return log_mel
    mean = tf.reduce_mean(log_mel, axis=(1, 2), keepdims=True)
    return tf.where(functools.reduce(tf.logical_or, masks), mean, log_mel)


def _masks(draws: RandomDraws, kind: str, size: int, count: int, longest: int) -> list[tf.Tensor]:
    """Return `count` masks over one axis, each true in one random stretch, bool (batch, size)."""
    position = tf.range(size, dtype=tf.float32)[None]
    masks = []
    for number in range(count if longest else 0):
        name = f"{kind} mask {number}"
        width = tf.floor(draws.uniform(f"{name} width", 0.0, longest + 1.0))
        start = tf.floor(draws.uniform(f"{name} start", 0.0, 1.0) * (size - width + 1))
        masks.append((position >= start) & (position < start + width))
    return masks
