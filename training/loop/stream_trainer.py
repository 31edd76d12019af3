"""The training step for streams: scenes of several windows, with a loss at every hop."""

from typing import Any

import numpy as np
import tensorflow as tf

from training.augmentation.pipeline import augment
from training.augmentation.random_draws import RandomDraws
from training.augmentation.speed_and_shift import source_times
from training.data.scenes import Rows, SceneDrawer, scene_windows
from training.loop.stream_loss import hop_times, stream_losses
from training.loop.trainer import Trainer, log_shares, mean_probabilities


class StreamTrainer(Trainer):
    """A trainer whose batches are scenes of `recipe.scene_seconds` seconds or somewhat more.

    A network learns from the label at the end of each window, as with single clips, and from what
    the detection rule makes of its scores during the scene: see `stream_loss`. Students learn from
    the probabilities of the recipe's model after every hop; with teachers, all networks learn from
    the mean of theirs.
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        recipe = self.recipe
        (frames,) = self.networks[0].eval_model.get_layer("conv").strides
        self._hop_samples = recipe.front_end.hop_length * frames
        self._windows = scene_windows(recipe.scene_seconds, self.task.window)
        self._samples = self._windows * self.task.window
        self._drawer = SceneDrawer(
            self.task,
            recipe.batch_size,
            self._windows,
            recipe.unknown_share,
            recipe.silence_share,
        )
        self.prior = log_shares(self._drawer.label_shares())

    def start_epoch(self) -> None:
        self._drawer.restart()

    def draw(self, rng: np.random.Generator) -> tuple[Rows, Rows]:
        return self._drawer.draw(rng)

    def augmented(self, clips: Any, labels: Any, draws: RandomDraws) -> tuple[Any, Any]:
        is_silent = tf.cast(labels[:, 1:] == len(self.task.labels) - 1, tf.float32)
        spoken = 1 - tf.reduce_mean(is_silent, axis=1, keepdims=True)
        audio = tf.reshape(clips, (-1, self._samples))
        settings = self.recipe.augment
        audio = augment(audio, spoken[:, 0] == 0, self.noise, draws, settings, spoken)
        return audio, self._smoothed(labels[:, 1:])

    def _objective(
        self,
        targets: Any,
        labels: Any,
        draws: RandomDraws,
        logits: list[Any],
        teacher_logits: list[Any],
    ) -> tuple[Any, Any]:
        hops = self._samples // self._hop_samples
        hop_ends = (tf.range(hops, dtype=tf.float32)[None] + 1) * self._hop_samples
        source = source_times(hop_ends, self._samples, draws, self.recipe.augment)
        ends, is_in = self._ends_of_windows(source)
        times = hop_times(source, self.task.window)
        taught = mean_probabilities(teacher_logits or logits[:1])
        losses, correct = [], []
        for number, own in enumerate(logits):
            at_ends = tf.gather(own, ends, batch_dims=1) + self.prior
            loss = _mean(tf.nn.softmax_cross_entropy_with_logits(targets, at_ends), is_in)
            if number or teacher_logits:
                weight = self.recipe.teaching
                distilled = tf.nn.softmax_cross_entropy_with_logits(taught, own)
                loss = (1 - weight) * loss + weight * tf.reduce_mean(distilled)
            wrong, missed = stream_losses(tf.nn.softmax(own), labels, times)
            losses.append(loss + self.recipe.stream_weight * tf.reduce_mean(wrong + missed))
            predictions = tf.argmax(at_ends, axis=2, output_type=tf.int32)
            is_right = tf.cast(predictions == labels[:, 1:], tf.float32)
            correct.append(_mean(is_right, is_in) * self.recipe.batch_size)
        return tf.stack(losses), tf.stack(correct)

    def _ends_of_windows(self, source: Any) -> tuple[Any, Any]:
        """Return the hop in which each window ends, and 1 where it is in the scene, else 0.

        Args:
            source: where the hops come from, in samples, (batch, hops).

        Returns:
            int32 and float32, shape (batch, windows) each.
        """
        hops = source.shape[1]
        ends = (tf.range(self._windows, dtype=tf.float32) + 1) * self.task.window
        before = source[:, None] < ends[None, :, None] - 0.5
        hop = tf.reduce_sum(tf.cast(before, tf.int32), axis=2)
        return tf.minimum(hop, hops - 1), tf.cast(hop < hops, tf.float32)


def _mean(values: Any, weights: Any) -> Any:
    return tf.reduce_sum(values * weights) / tf.reduce_sum(weights)
