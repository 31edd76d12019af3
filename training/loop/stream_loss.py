"""The loss of a scene: commands that are missed, and commands that nobody gave.

The detection rule averages the scores of a command over some hops and compares the mean with a
threshold (`speechgru.detection`). So these losses depend on means of scores, at the hop where the
mean is greatest: max-pooling, as for one keyword in Sun et al. 2017 (arXiv:1705.02411).
"""

from typing import Any, NamedTuple

import tensorflow as tf

from training.clips.window import RATE

SMOOTHING_HOPS = 12
EARLIEST = 0.25  # seconds into its window, from which a command may be detected
LATEST = 0.6  # seconds after the end of its window, until which it may be detected
LEAST = 0.35  # seconds of the scene after the window of a command, or it cannot be missed
TINY = 1e-4


class HopTimes(NamedTuple):
    """Where the sound of each hop comes from.

    Attributes:
        window: number of the scene's window that a hop's last sample is from, -1 before the scene,
            int32, shape (batch, hops).
        position: seconds since that window began, float32, shape (batch, hops).
        seconds: length of a window in seconds.
    """

    window: Any
    position: Any
    seconds: float


def hop_times(source: Any, window: int) -> HopTimes:
    """Return the times of hops.

    Args:
        source: where in a scene the last sample of each hop comes from, float32, in samples, shape
            (batch, hops).
        window: samples of a window.
    """
    windows, seconds = source / window, window / RATE
    number = tf.floor(windows - 1e-6)
    return HopTimes(tf.cast(number, tf.int32), (windows - number) * seconds, seconds)


def labels_of(windows: Any, labels: Any) -> Any:
    """Return the labels of windows, or -1 for those that are not in a scene.

    Args:
        windows: int32, shape (batch, n), from -1 for the window before the scene.
        labels: int32, shape (batch, 1 + windows).
    """
    count = labels.shape[1]
    found = tf.gather(labels, tf.clip_by_value(windows + 1, 0, count - 1), batch_dims=1)
    return tf.where((windows >= -1) & (windows < count - 1), found, -1)


def stream_losses(probabilities: Any, labels: Any, times: HopTimes) -> tuple[Any, Any]:
    """Return the losses of wrong and of missed commands.

    Args:
        probabilities: of every hop, float32, shape (batch, hops, labels).
        labels: int32, shape (batch, 1 + windows), the first that of the window before the scene.
        times: of the hops.

    Returns:
        For each scene the loss of wrong commands, and the sum over its commands of the loss of
        missing them; float32, shape (batch,) each.
    """
    commands = probabilities.shape[2] - 2
    scores = probabilities[:, :, :commands]
    own = tf.where(times.position >= EARLIEST, labels_of(times.window, labels), -1)
    last = tf.where(times.position < LATEST, labels_of(times.window - 1, labels), -1)
    allowed = tf.maximum(tf.one_hot(own, commands), tf.one_hot(last, commands))
    wrong = scores * (1 - allowed)
    every_hop = -tf.math.log(1 - tf.reduce_sum(wrong, axis=2) + TINY)
    worst = tf.reduce_max(_smoothed(wrong), axis=(1, 2))
    false_accepts = tf.reduce_mean(every_hop, axis=1) - tf.math.log(1 - worst + TINY)
    smoothed, missed = _smoothed(scores), 0.0
    for window in range(labels.shape[1] - 1):
        since = tf.cast(times.window - window, tf.float32) * times.seconds + times.position
        is_near = (since >= EARLIEST) & (since < times.seconds + LATEST)
        label = labels[:, window + 1]
        score = tf.gather(smoothed, tf.clip_by_value(label, 0, commands - 1), axis=2, batch_dims=1)
        best = tf.reduce_max(tf.where(is_near, score, 0.0), axis=1)
        is_judged = (label < commands) & (since[:, -1] >= times.seconds + LEAST)
        missed += tf.where(is_judged, -tf.math.log(best + TINY), 0.0)
    return false_accepts, missed


def _smoothed(scores: Any) -> Any:
    """Return the means of the last SMOOTHING_HOPS hops, (batch, hops, labels)."""
    padded = tf.pad(scores, ((0, 0), (SMOOTHING_HOPS - 1, 0), (0, 0)))
    return tf.nn.avg_pool1d(padded, SMOOTHING_HOPS, 1, "VALID")
