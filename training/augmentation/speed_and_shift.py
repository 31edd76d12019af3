"""Speed change and time shift."""

import tensorflow as tf

from training.augmentation.random_draws import RandomDraws
from training.augmentation.settings import Augment
from training.clips.window import RATE


def change_speed_and_shift(audio: tf.Tensor, draws: RandomDraws, settings: Augment) -> tf.Tensor:
    """Resample each clip by a random factor and shift it by a random time.

    Speed and pitch change together: at 1.15 a clip is 15 % shorter and every frequency is 15 %
    higher.

    Args:
        audio: int16, shape (batch, samples).
        draws: the random numbers of the step.
        settings: `speed`, `speed_share` and `shift_ms`.

    Returns:
        float32, shape (batch, samples), in [-1, 1].
    """
    if not (settings.shift_ms or (settings.speed and settings.speed_share)):
        return int16_to_float(audio)
    times = tf.range(audio.shape[1], dtype=tf.float32)[None]
    return interpolate(audio, source_times(times, audio.shape[1], draws, settings))


def source_times(
    times: tf.Tensor, samples: int, draws: RandomDraws, settings: Augment
) -> tf.Tensor:
    """Return the times in the clips from which the sound at given times comes.

    Args:
        times: in the changed clips, float32, shape (1, n), in samples.
        samples: number of samples of a clip.
        draws: the random numbers of the step.
        settings: `speed`, `speed_share` and `shift_ms`.

    Returns:
        float32, shape (batch, n), in samples.
    """
    speed = tf.ones((draws.batch_size, 1))
    if settings.speed and settings.speed_share:
        drawn = draws.uniform("speed", 1 - settings.speed, 1 + settings.speed)
        speed = tf.where(draws.bernoulli("speed share", settings.speed_share), drawn, speed)
    middle = start = samples / 2
    if settings.shift_ms:
        # Whole samples: at a speed of 1 the interpolation then changes nothing.
        limit = settings.shift_ms * RATE / 1000
        start = middle + tf.round(draws.uniform("shift", -limit, limit))
    return (times - middle) * speed + start


@tf.function(jit_compile=True)  # XLA fuses the gathers, which takes a fifth of the time
def interpolate(audio: tf.Tensor, times: tf.Tensor) -> tf.Tensor:
    """Return the values of each clip at given times, by linear interpolation; zero outside.

    Args:
        audio: float32, or int16 where 32768 is 1.0, shape (batch, samples).
        times: float32, shape (batch, n), in samples.

    Returns:
        float32, shape (batch, n).
    """
    samples = audio.shape[1]
    before = tf.floor(times)
    fraction = times - before
    index = tf.clip_by_value(tf.cast(before, tf.int32) + 2, 0, samples + 2)
    padded = tf.pad(audio, ((0, 0), (2, 2)))  # so that both neighbours are zero outside
    left = int16_to_float(tf.gather(padded, index, batch_dims=1))
    right = int16_to_float(tf.gather(padded, index + 1, batch_dims=1))
    return left + fraction * (right - left)


def int16_to_float(audio: tf.Tensor) -> tf.Tensor:
    """Scale int16 audio to [-1, 1]; leave float32 audio as it is."""
    return tf.cast(audio, tf.float32) / 32768.0 if audio.dtype == tf.int16 else audio
