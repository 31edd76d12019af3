"""TODO: mixup."""

from typing import Any

import tensorflow as tf

from training.augmentation.random_draws import Draw
from training.augmentation.settings import Augment


def mixup(audio: Any, wanted: Any, draw: Draw, settings: Augment) -> tuple[Any, Any]:
    """Blend clips with their neighbours in the batch, and their targets alike (Zhang 2018).

    Args:
        audio: float32, shape (batch, samples), after `augment`.
        wanted: float32, shape (batch, labels): the target distribution of each clip.
        draw: `Draw(seed, batch)`; the seed may be that of `augment`.
        settings: `mixup_share` of the clips, with weights from Beta(mixup_alpha, mixup_alpha).

    Returns:
        Audio and targets of the same shapes.
    """
    if not settings.mixup_share:
        return audio, wanted
    weight = draw.beta("mixup weight", settings.mixup_alpha)
    weight = tf.where(draw.chance("mixup", settings.mixup_share), weight, 1.0)
    audio = weight * audio + (1 - weight) * tf.roll(audio, 1, axis=0)
    return audio, weight * wanted + (1 - weight) * tf.roll(wanted, 1, axis=0)
