"""Mixup: blending clips and their targets."""

import tensorflow as tf

from training.augmentation.random_draws import RandomDraws
from training.augmentation.settings import Augment


def mixup(
    audio: tf.Tensor, targets: tf.Tensor, draws: RandomDraws, settings: Augment
) -> tuple[tf.Tensor, tf.Tensor]:
    """Blend each clip and its target with the previous one of the batch (Zhang 2018).

    Args:
        audio: float32, shape (batch, samples), as `pipeline.augment` returns it.
        targets: float32, shape (batch, labels), a probability distribution for each clip.
        draws: the random numbers of the step.
        settings: `mixup_share` of the clips, with weights from Beta(mixup_alpha, mixup_alpha).

    Returns:
        Audio and targets of the same shapes.
    """
    if not settings.mixup_share:
        return audio, targets
    weight = draws.beta("mixup weight", settings.mixup_alpha)
    weight = tf.where(draws.bernoulli("mixup", settings.mixup_share), weight, 1.0)
    audio = weight * audio + (1 - weight) * tf.roll(audio, 1, axis=0)
    return audio, weight * targets + (1 - weight) * tf.roll(targets, 1, axis=0)
