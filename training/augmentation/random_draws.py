"""TODO: random_draws."""

import zlib
from typing import Any

import tensorflow as tf


class Draw:
    """Random numbers for one step, each from the stateless stream of its name."""

    def __init__(self, seed: Any, batch: Any) -> None:
        self.seed, self.batch = seed, batch

    def _stream(self, name: str) -> Any:
        number = zlib.crc32(name.encode()) & 0x7FFFFFFF
        return tf.random.experimental.stateless_fold_in(self.seed, number)

    def uniform(self, name: str, low: Any, high: Any) -> Any:
        """float32 (batch, 1) in [low, high)."""
        return tf.random.stateless_uniform((self.batch, 1), self._stream(name), low, high)

    def normal(self, name: str, width: int) -> Any:
        """float32 (batch, width)."""
        return tf.random.stateless_normal((self.batch, width), self._stream(name))

    def beta(self, name: str, alpha: float) -> Any:
        """float32 (batch, 1) in [0, 1], from the distribution Beta(alpha, alpha)."""
        shape = (self.batch, 2)  # float64 because a gamma of a small alpha underflows float32
        gamma = tf.random.stateless_gamma(shape, self._stream(name), alpha, dtype=tf.float64)
        return tf.cast(gamma[:, :1] / tf.reduce_sum(gamma, axis=1, keepdims=True), tf.float32)

    def chance(self, name: str, share: float) -> Any:
        """bool (batch, 1), true with probability `share`."""
        return self.uniform(name, 0.0, 1.0) < share

    def some(self, name: str, share: float) -> Any:
        """int32 (count,): ceil(share * batch) different places of the batch."""
        count = tf.math.ceil(share * tf.cast(self.batch, tf.float32))
        order = tf.argsort(self.uniform(name, 0.0, 1.0)[:, 0])
        return order[: tf.cast(count, tf.int32)]
