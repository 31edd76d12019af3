"""The training step for streams: scenes of several seconds, with a loss at every hop."""

from typing import Any

import numpy as np
import tensorflow as tf

from training.augmentation.pipeline import augment
from training.augmentation.random_draws import RandomDraws
from training.augmentation.speed_and_shift import source_times
from training.clips.window import RATE, WINDOW
from training.data.scenes import Rows, SceneDrawer
from training.loop.stream_loss import labels_of, scene_times, stream_losses
from training.loop.trainer import State, Trainer, scaled


class StreamTrainer(Trainer):
    """A trainer whose batches are scenes of `recipe.scene_seconds` seconds.

    A network pays for its logits at the end of each second, as for single clips, and for what the
    detection rule would make of its scores in the scene: see `stream_loss`.
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        recipe = self.recipe
        (frames,) = self.networks[0].eval_model.get_layer("conv").strides
        self.hop_samples = recipe.front_end.hop_length * frames
        self.drawer = SceneDrawer(
            self.task,
            recipe.batch_size,
            recipe.scene_seconds,
            recipe.unknown_share,
            recipe.silence_share,
        )

    def start_epoch(self) -> None:
        self.drawer.restart()

    def draw(self, rng: np.random.Generator) -> tuple[Rows, Rows]:
        return self.drawer.draw(rng)

    def augmented(self, clips: Any, labels: Any, draws: RandomDraws) -> tuple[Any, Any]:
        is_silence = labels[:, 1:] == len(self.task.labels) - 1
        spoken = 1 - tf.reduce_mean(tf.cast(is_silence, tf.float32), axis=1, keepdims=True)
        audio = tf.reshape(clips, (-1, self.recipe.scene_seconds * WINDOW))
        settings = self.recipe.augment
        audio = augment(audio, spoken[:, 0] == 0, self.noise, draws, settings, spoken)
        return audio, self._smoothed(labels[:, 1:])

    def _step(
        self, inputs: Any, labels: Any, number: Any, states: list[State]
    ) -> tuple[Any, Any, list[State]]:
        self.traces += 1
        seed, drawn = self._seed(), self._drawn(len(labels), number)
        features, targets = self._features(inputs, labels, seed, number, drawn)
        carries = self._carries(seed, number, len(labels))
        hops = self.recipe.scene_seconds * RATE // self.hop_samples
        ends = (tf.range(hops, dtype=tf.float32)[None] + 1) * self.hop_samples
        draws = RandomDraws((seed, number), len(labels), drawn)
        source = source_times(
            ends, self.recipe.scene_seconds * WINDOW, draws, self.recipe.augment
        )
        times = scene_times(source)
        with tf.GradientTape() as tape:
            outputs = [
                network.classifier({"mfcc": features, **scaled(state, carries)}, training=True)
                for network, state in zip(self.networks, states, strict=True)
            ]
            losses, correct = [], []
            taught = None
            for output in outputs:
                loss, share = self._scene_loss(output["logits"], taught, targets, labels, source, times)
                losses.append(loss)
                correct.append(share * self.recipe.batch_size)
                taught = tf.stop_gradient(tf.nn.softmax(outputs[0]["logits"]))
        weights = [network.train_model.trainable_variables for network in self.networks]
        self._update(tape.gradient(losses, weights))
        next_states = [
            {name: output[f"next_{name}"] for name in state}
            for output, state in zip(outputs, states, strict=True)
        ]
        return tf.stack(losses), tf.stack(correct), next_states

    def _scene_loss(
        self, logits: Any, taught: Any, targets: Any, labels: Any, source: Any, times: Any
    ) -> tuple[Any, Any]:
        """Return a network's mean loss, and the share of correct predictions at ends of seconds."""
        seconds = labels.shape[1] - 1
        ends = tf.range(1, seconds + 1, dtype=tf.float32)[None, :, None] * RATE
        before = tf.reduce_sum(tf.cast(source[:, None] < ends - 0.5, tf.int32), axis=2)
        is_in = before < source.shape[1]
        at_ends = tf.gather(logits, tf.minimum(before, source.shape[1] - 1), batch_dims=1)
        own = tf.nn.softmax_cross_entropy_with_logits(targets, at_ends + self.prior)
        is_in = tf.cast(is_in, tf.float32)
        clip_loss = tf.reduce_sum(own * is_in) / tf.reduce_sum(is_in)
        predictions = tf.argmax(at_ends + self.prior, axis=2, output_type=tf.int32)
        correct = tf.cast(predictions == labels[:, 1:], tf.float32)
        share = tf.reduce_sum(correct * is_in) / tf.reduce_sum(is_in)
        wrong, missed = stream_losses(tf.nn.softmax(logits), labels, times)
        stream = tf.reduce_mean(wrong + missed)
        if taught is not None:
            weight = self.recipe.teaching
            distilled = tf.reduce_mean(tf.nn.softmax_cross_entropy_with_logits(taught, logits))
            clip_loss = (1 - weight) * clip_loss + weight * distilled
        return clip_loss + self.recipe.stream_weight * stream, share
