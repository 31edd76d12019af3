"""A model in training, and how models of all presets are built and split."""

from collections.abc import Sequence
from typing import Any, cast

import keras
import numpy as np
import numpy.typing as npt
import tensorflow as tf

from speechgru.architectures import WINDOW_SECONDS, Preset
from speechgru.features import MFCCConfig
from speechgru.gru import GRU
from speechgru.models import build_model, streaming
from training.clips.window import RATE
from training.data.scenes import scene_windows
from training.data.task import Task
from training.loop.teachers import TEACHERS, build_teacher
from training.recipes.recipe import Recipe

VALIDATION_BATCH = 256


def build_preset(
    preset: str,
    labels: Sequence[str],
    config: MFCCConfig,
    window_seconds: float = WINDOW_SECONDS,
) -> keras.Model:
    """Build an untrained model of a recipe's preset: a teacher, or one of `build_model`."""
    if preset in TEACHERS:
        return build_teacher(preset, labels, config, window_seconds=window_seconds)
    return build_model(cast(Preset, preset), labels, config, window_seconds=window_seconds)


def window_seconds_of(model: keras.Model) -> float:
    """Return the seconds of audio that a model of `build_preset` takes."""
    return float(model.input_shape[1] / model.get_layer("mfcc").config.sample_rate)


def without_front_end(model: keras.Model, windows: int = 1) -> keras.Model:
    """Return a model from features and a state to logits and the next state.

    Args:
        model: a model of `build_preset`. The result shares its layers and weights.
        windows: how many windows the features are of. If there are several, the logits are those of
            every hop. Default 1.

    Returns:
        A model as `speechgru.models.streaming` makes it. That of a teacher has no state.
    """
    scaled = model.get_layer("scale").input
    if has_gru(model):
        return streaming(model, windows * scaled.shape[1], every_step=windows > 1)
    mfcc = keras.Input(scaled.shape[1:], name="mfcc")
    return keras.Model({"mfcc": mfcc}, {"logits": keras.Model(scaled, model.output)(mfcc)})


def has_gru(model: keras.Model) -> bool:
    """Return whether a model has GRU layers, and so can run on a stream."""
    return any(isinstance(layer, GRU) for layer in model.layers)


class Network:
    """A model in training.

    Args:
        preset: its architecture.
        start: a trained model to continue from, or None. If its window is not that of the task,
            its weights are those of a model with that window.
        task: its labels and its window.
        recipe: the recipe.

    Attributes:
        eval_model: the model that is validated and saved.
        train_model: the model that the step trains. It is `eval_model` itself unless the recipe
            averages weights.
        classifier: `train_model` from features and a state to logits and the next state.
        history: one row per epoch.
    """

    def __init__(
        self,
        preset: str,
        start: keras.Model | None,
        task: Task,
        recipe: Recipe,
    ) -> None:
        self.preset = preset

        def build(weights: Sequence[npt.NDArray[Any]] | None = None) -> keras.Model:
            model = build_preset(preset, task.labels, recipe.front_end, task.window / RATE)
            if weights is not None:
                set_weights(model, weights)
            return model

        model = start or build()
        if model.input_shape[1] != task.window:
            model = build(model.get_weights())
        self.train_model = build(model.get_weights()) if recipe.average else model
        windows = scene_windows(recipe.scene_seconds, task.window)
        self.classifier = without_front_end(self.train_model, windows)
        self.history: list[dict[str, float]] = []
        self.set_eval_model(model)

    def set_eval_model(self, model: keras.Model) -> None:
        """Validate and save this model from now on."""
        self.eval_model = model
        self._predict = tf.function(lambda audio: model(audio, training=False))

    def logits(self, clips: npt.NDArray[np.int16]) -> npt.NDArray[np.float32]:
        """Return the evaluated model's logits.

        Args:
            clips: int16, shape (n, samples), not augmented.

        Returns:
            float32, shape (n, labels).
        """
        parts = np.split(clips, range(VALIDATION_BATCH, len(clips), VALIDATION_BATCH))
        return np.concatenate(
            [self._predict(tf.constant(part.astype(np.float32) / 32768)) for part in parts]
        )


def set_weights(model: keras.Model, weights: Sequence[npt.NDArray[Any]]) -> None:
    """Set all weights of a model and what its layer "scale" computes from them."""
    model.set_weights(weights)
    model.get_layer("scale").finalize_state()
