"""What the cells learn: recalling a symbol, and speech commands."""

from pathlib import Path
from typing import Any, Protocol

import keras
import numpy as np
import numpy.typing as npt
import tensorflow as tf

from training.augmentation.random_draws import RandomDraws
from training.augmentation.settings import Augment
from training.recipes.recipe import Recipe

Features = npt.NDArray[np.float32]  # (batch, steps, features)
Targets = npt.NDArray[np.integer]  # (batch,)

CONV_UNITS, CONV_WIDTH, CONV_STRIDE = 40, 5, 2  # the convolution before each cell
BATCH = 128
AUGMENT = Augment(speed=0.15, noise_share=0.8, snr_db=(-5, 25))  # as in docs/gru.md
SYMBOLS, CHANNELS = 4, 8


class Task(Protocol):
    """A classification of sequences.

    Attributes:
        validation: examples to measure the accuracy on.
    """

    validation: tuple[Features, Targets]

    def batch(self, rng: np.random.Generator) -> tuple[Features, Targets]:
        """Return a random batch of training examples."""

    def network(self, cell: keras.layers.RNN) -> keras.Model:
        """Return a model that ends in the cell and a Dense layer named "logits"."""


class RecallTask:
    """Tell which of four symbols a sequence began with; the rest of it is noise.

    Args:
        lag: steps from the symbol to the end of the sequence.
    """

    def __init__(self, lag: int) -> None:
        self.shape = (lag + 1, CHANNELS)
        self.validation = self.batch(np.random.default_rng(10**6), 1000)

    def batch(self, rng: np.random.Generator, size: int = BATCH) -> tuple[Features, Targets]:
        symbols = rng.integers(SYMBOLS, size=size)
        x = rng.normal(size=(size, *self.shape)).astype(np.float32)
        x[:, :, :SYMBOLS] = 0
        x[np.arange(size), 0, symbols] = 1
        return x, symbols

    def network(self, cell: keras.layers.RNN) -> keras.Model:
        inputs = keras.Input(self.shape)
        return keras.Model(inputs, keras.layers.Dense(SYMBOLS, name="logits")(cell(inputs)))


class SpeechTask:
    """Recognise the commands of a data folder from MFCC of augmented clips.

    Args:
        data: a folder of <word>/*.wav.
    """

    def __init__(self, data: Path) -> None:
        from training.data.task import make_task
        from training.loop.trainer import Trainer

        recipe = Recipe(preset="small", batch_size=BATCH, augment=AUGMENT)
        task = make_task(
            data,
            words=None,
            negative=(),
            synthetic=None,
            synthetic_weight=0.0,
            synthetic_share=0.0,
            seed=0,
            windows=recipe.windows,
        )
        self._trainer, self.labels = Trainer(task, recipe), len(task.labels)
        self._trainer.adapt(np.random.default_rng(0))
        model = self._trainer.networks[0].eval_model
        self._scale, self.shape = model.get_layer("scale"), model.get_layer("mfcc").output.shape[1:]
        clips = task.validation.astype(np.float32) / 32768
        front_end = self._trainer.front_end
        parts = [front_end(part) for part in np.array_split(clips, -(-len(clips) // 256))]
        self.validation: tuple[Features, Targets] = np.concatenate(parts), task.targets
        self._features = tf.function(self._augmented_features)

    def _augmented_features(self, clips: tf.Tensor, targets: tf.Tensor, number: Any) -> tf.Tensor:
        draws = RandomDraws((7, number), BATCH)
        audio, _ = self._trainer.augmented(clips, targets, draws)
        return self._trainer.front_end(audio)

    def batch(self, rng: np.random.Generator) -> tuple[Features, Targets]:
        rows, targets = self._trainer.draw(rng)
        number = tf.constant(int(rng.integers(2**31 - 1)), tf.int32)
        return self._features(self._trainer.task.clips[rows], targets, number), targets

    def network(self, cell: keras.layers.RNN) -> keras.Model:
        inputs = keras.Input(self.shape)
        mean, variance = (np.ravel(v) for v in (self._scale.mean, self._scale.variance))
        scale = keras.layers.Normalization(mean=mean, variance=variance)
        x = keras.layers.ZeroPadding1D((CONV_WIDTH - CONV_STRIDE, 0))(scale(inputs))
        x = keras.layers.Conv1D(CONV_UNITS, CONV_WIDTH, strides=CONV_STRIDE, activation="relu")(x)
        return keras.Model(inputs, keras.layers.Dense(self.labels, name="logits")(cell(x)))
