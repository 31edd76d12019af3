"""Random numbers for one training step, reproducible from a seed."""

import zlib
from collections.abc import Mapping
from typing import Any

import tensorflow as tf


class RandomDraws:
    """Random numbers for the clips of one batch.

    Each draw has a name, and its stateless generator is seeded with the step's seed and that name.
    So adding or removing one draw does not change the others. All devices draw the same numbers,
    and XLA does, too, except for `normal` and `beta`.

    Args:
        seed: int32 (2,), the seed of the step.
        batch_size: number of clips.
        drawn: what `normal` and `beta` return, by name, inside a function that XLA compiles. See
            `pipeline.draw_before_xla`. Default None: outside of such a function.
    """

    def __init__(
        self, seed: tf.Tensor, batch_size: tf.Tensor, drawn: Mapping[str, tf.Tensor] | None = None
    ) -> None:
        self.seed, self.batch_size, self.drawn = seed, batch_size, drawn or {}
        self.in_xla = drawn is not None
        # Both are Philox outside of XLA, "auto_select" with a tenth of the operators.
        self.algorithm = "philox" if self.in_xla else "auto_select"

    def _seed_of(self, name: str) -> tf.Tensor:
        number = zlib.crc32(name.encode()) & 0x7FFFFFFF
        return tf.random.experimental.stateless_fold_in(self.seed, number, self.algorithm)

    def uniform(self, name: str, low: Any, high: Any) -> tf.Tensor:
        """Return a number in [low, high) for each clip, float32 (batch, 1)."""
        shape, seed = (self.batch_size, 1), self._seed_of(name)
        if not self.in_xla:
            return tf.random.stateless_uniform(shape, seed, low, high)
        bits = tf.random.stateless_uniform(shape, seed, None, None, tf.int32, alg=self.algorithm)
        # As TensorFlow does it: the low 23 bits are the fraction of a number in [1, 2). XLA would
        # take the high ones.
        bits = tf.bitwise.bitwise_or(tf.bitwise.bitwise_and(bits, 0x7FFFFF), 0x3F800000)
        low, high = (tf.convert_to_tensor(limit, tf.float32) for limit in (low, high))
        return (tf.bitcast(bits, tf.float32) - 1.0) * (high - low) + low

    def normal(self, name: str, count: int) -> tf.Tensor:
        """Return standard normal numbers for each clip, float32 (batch, count)."""
        if name in self.drawn:
            return self.drawn[name]
        shape = (self.batch_size, count)
        return tf.random.stateless_normal(shape, self._seed_of(name))

    def beta(self, name: str, alpha: float) -> tf.Tensor:
        """Return a number in [0, 1] from Beta(alpha, alpha) for each clip, float32 (batch, 1)."""
        if name in self.drawn:
            return self.drawn[name]
        shape = (self.batch_size, 2)  # float64: gamma variates of a small alpha underflow float32
        gamma = tf.random.stateless_gamma(shape, self._seed_of(name), alpha, dtype=tf.float64)
        return tf.cast(gamma[:, :1] / tf.reduce_sum(gamma, axis=1, keepdims=True), tf.float32)

    def bernoulli(self, name: str, probability: float) -> tf.Tensor:
        """Return true with a probability for each clip, bool (batch, 1)."""
        return self.uniform(name, 0.0, 1.0) < probability

    def order(self, name: str) -> tf.Tensor:
        """Return the row numbers of the batch in a random order, int32 (batch,)."""
        return tf.argsort(self.uniform(name, 0.0, 1.0)[:, 0])
