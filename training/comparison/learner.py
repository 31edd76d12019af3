"""TODO: learner."""

import time
from collections.abc import Callable
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from training.comparison.cells import CELLS


class Learner:
    """A network of one cell, in training."""

    def __init__(
        self,
        task: Any,
        name: str,
        units: int,
        seed: int,
        *,
        rate: float = 2e-3,
        cells: dict[str, Callable[..., Any]] | None = None,
    ) -> None:
        keras.utils.set_random_seed(seed)
        self.name, self.units = name, units
        self.layer = (cells or CELLS)[name](units, name="cell")
        self.model = task.network(self.layer)
        self.optimizer = keras.optimizers.Adam(rate)
        self.optimizer.build(self.model.trainable_variables)
        self.history: list[float] = []
        self.seconds: list[float] = []
        self._step = tf.function(self._gradient_step)
        self._answer = tf.function(lambda x: self.model(x, training=False))

    def _gradient_step(self, x: Any, answers: Any) -> Any:
        with tf.GradientTape() as tape:
            logits = self.model(x, training=True)
            loss = tf.nn.sparse_softmax_cross_entropy_with_logits(answers, logits)
            loss = tf.reduce_mean(loss)
        weights = self.model.trainable_variables
        gradients, _ = tf.clip_by_global_norm(tape.gradient(loss, weights), 1.0)
        self.optimizer.apply(gradients, weights)
        return loss

    def learn(self, x: Any, answers: Any) -> None:
        began = time.perf_counter()
        self._step(x, tf.constant(answers)).numpy()
        self.seconds.append(time.perf_counter() - began)

    def validate(self, task: Any) -> float:
        x, answers = task.validation
        parts = np.array_split(np.arange(len(answers)), -(-len(answers) // 256))
        right = [self._answer(tf.constant(x[p])).numpy().argmax(1) == answers[p] for p in parts]
        self.history.append(float(np.mean(np.concatenate(right))))
        return self.history[-1]

    def parameters(self) -> int:
        return sum(int(np.prod(w.shape)) for w in self.model.trainable_weights)

    def multiply_adds(self) -> int:
        """Of the cell, in a whole sequence."""
        steps = self.layer.input.shape[1]
        return steps * sum(
            int(np.prod(w.shape)) for w in self.layer.weights if w.path.endswith("kernel")
        )

    def gradient_norms(self, x: Any, answers: Any) -> Any:
        """Norm of d loss / d state t for every step t, the median over the batch, (steps,)."""
        cell = self.layer.cell
        before = keras.Model(self.model.input, self.layer.input)
        head = self.model.get_layer("logits")
        inputs = tf.convert_to_tensor(before(x))
        with tf.GradientTape() as tape:
            states = [tf.zeros((len(x), n)) for n in keras.tree.flatten(cell.state_size)]
            tape.watch(states)
            passed = []
            for t in range(inputs.shape[1]):
                _, states = cell(inputs[:, t], list(states))
                # Copies: the LSTM's h is made from its c, and counts once.
                states = [tf.identity(state) for state in states]
                passed.append(states)
            logits = head(states[0])
            loss = tf.nn.sparse_softmax_cross_entropy_with_logits(answers, logits)
            loss = tf.reduce_sum(loss)
        gradients = tape.gradient(loss, passed)
        norms = [
            tf.norm(tf.concat([g for g in own if g is not None], axis=1), axis=1)
            for own in gradients
        ]
        return np.median(np.stack(norms), axis=1)
