"""Random numbers for one training step, reproducible from a seed."""

import zlib

import tensorflow as tf


class RandomDraws:
    """Random numbers for the clips of one batch.

    Each draw has a name, and its stateless generator is seeded with the step's seed and that name.
    So adding or removing one draw does not change the others.

    Args:
        seed: int32 (2,), the seed of the step.
        batch_size: number of clips.
    """

    def __init__(self, seed: tf.Tensor, batch_size: tf.Tensor) -> None:
        self.seed, self.batch_size = seed, batch_size

    def _seed_of(self, name: str) -> tf.Tensor:
        number = zlib.crc32(name.encode()) & 0x7FFFFFFF
        return tf.random.experimental.stateless_fold_in(self.seed, number)

    def uniform(self, name: str, low: float, high: float) -> tf.Tensor:
        """Return a number in [low, high) for each clip, float32 (batch, 1)."""
        return tf.random.stateless_uniform((self.batch_size, 1), self._seed_of(name), low, high)

    def normal(self, name: str, count: int) -> tf.Tensor:
        """Return standard normal numbers for each clip, float32 (batch, count)."""
        return tf.random.stateless_normal((self.batch_size, count), self._seed_of(name))

    def beta(self, name: str, alpha: float) -> tf.Tensor:
        """Return a number in [0, 1] from Beta(alpha, alpha) for each clip, float32 (batch, 1)."""
        shape = (self.batch_size, 2)  # float64: gamma variates of a small alpha underflow float32
        gamma = tf.random.stateless_gamma(shape, self._seed_of(name), alpha, dtype=tf.float64)
        return tf.cast(gamma[:, :1] / tf.reduce_sum(gamma, axis=1, keepdims=True), tf.float32)

    def bernoulli(self, name: str, probability: float) -> tf.Tensor:
        """Return true with a probability for each clip, bool (batch, 1)."""
        return self.uniform(name, 0.0, 1.0) < probability

    def subset(self, name: str, share: float) -> tf.Tensor:
        """Return ceil(share * batch) different row numbers of the batch, int32 (count,)."""
        count = tf.math.ceil(share * tf.cast(self.batch_size, tf.float32))
        order = tf.argsort(self.uniform(name, 0.0, 1.0)[:, 0])
        return order[: tf.cast(count, tf.int32)]
