"""TODO: network."""

from typing import Any

import keras
import numpy as np
import tensorflow as tf

from training.data.task import Task
from training.loop import teachers as teacher
from training.recipes.recipe import Recipe

VALIDATION_BATCH = 256


class Network:
    """One model in training.

    Args:
        preset: its architecture.
        start: a trained model to go on from, or None.
        task, recipe, mixed: as for `Trainer`.

    Attributes:
        model: float32; what is validated and saved.
        learner: what the step trains: `model` itself, unless it computes in bfloat16 or its
            weights are averaged.
        classifier: `learner` from features and a state to logits and the next state.
        history: a row for each epoch.
    """

    def __init__(
        self, preset: str, start: keras.Model | None, task: Task, recipe: Recipe, mixed: bool
    ) -> None:
        self.preset = preset
        self.learner = model = start or teacher.build(preset, task.labels, recipe.front_end)
        if mixed or recipe.average:
            self.learner = _twin(preset, model, task, recipe, mixed)
        self.classifier = teacher.classifier(self.learner)
        self.history: list[dict[str, float]] = []
        self.use(model)

    def use(self, model: keras.Model) -> None:
        """Validate and save this model from here on."""
        self.model = model
        self._classify = tf.function(lambda audio: model(audio, training=False))

    def logits(self, clips: Any) -> Any:
        """Logits of clips as they are, int16 (n, samples) -> float32 (n, labels)."""
        parts = np.split(clips, range(VALIDATION_BATCH, len(clips), VALIDATION_BATCH))
        return np.concatenate(
            [self._classify(tf.constant(part.astype(np.float32) / 32768)) for part in parts]
        )


def _twin(preset: str, model: keras.Model, task: Task, recipe: Recipe, mixed: bool) -> keras.Model:
    """A model of the same weights that computes in bfloat16, or just another one."""
    policy = keras.config.dtype_policy()
    keras.config.set_dtype_policy("mixed_bfloat16" if mixed else policy)
    try:
        twin = teacher.build(preset, task.labels, recipe.front_end)
    finally:
        keras.config.set_dtype_policy(policy)
    set_weights(twin, model.get_weights())
    return twin


def set_weights(model: keras.Model, weights: list[np.ndarray]) -> None:
    model.set_weights(weights)
    model.get_layer("scale").finalize_state()  # which the layer computes from its weights
