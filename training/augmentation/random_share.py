"""Changing a random share of the clips of a batch."""

from collections.abc import Callable

import tensorflow as tf

from training.augmentation.random_draws import RandomDraws


def change_share(
    audio: tf.Tensor,
    draws: RandomDraws,
    name: str,
    share: float,
    change: Callable[[tf.Tensor, tf.Tensor], tf.Tensor],
) -> tf.Tensor:
    """Change a random share of the clips, and leave the others as they are.

    Args:
        audio: float32, shape (batch, samples).
        draws: the random numbers of the step.
        name: name of the draw.
        share: part of the batch, rounded up to whole clips.
        change: a function of the clips to change, (count, samples), and their rows in the batch,
            int32 (count,). It returns the changed clips.

    Returns:
        float32, shape (batch, samples).
    """
    count = tf.cast(tf.math.ceil(share * tf.cast(draws.batch_size, tf.float32)), tf.int32)
    order = draws.order(name)
    rows = order[:count]
    return _merge(change(tf.gather(audio, rows), rows), audio, tf.math.invert_permutation(order))


@tf.function(jit_compile=True)  # one pass; a scatter takes a third of a GPU's time for a step
def _merge(changed: tf.Tensor, audio: tf.Tensor, places: tf.Tensor) -> tf.Tensor:
    """Return the changed clips where a clip's place in the order is one of the first."""
    count = tf.shape(changed)[0]
    is_changed = (places < count)[:, None]
    return tf.where(is_changed, tf.gather(changed, tf.minimum(places, count - 1)), audio)
