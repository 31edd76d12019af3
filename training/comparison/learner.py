"""A network with one recurrent cell, and its training."""

import time
from collections.abc import Mapping

import keras
import numpy as np
import numpy.typing as npt
import tensorflow as tf

from training.comparison.cells import CELLS, MakeLayer
from training.comparison.tasks import Features, Targets, Task

LEARNING_RATE = 2e-3
VALIDATION_BATCH = 256


class Learner:
    """A network with one recurrent cell, in training.

    Args:
        task: gives the batches, and builds the network around the cell.
        name: of the cell in `cells`.
        units: size of the cell.
        seed: of the initial weights.
        learning_rate: of Adam.
        cells: the cells to choose from. Default: `CELLS`.

    Attributes:
        accuracies: on the validation examples, at every call of `validate`.
        seconds: of every step.
    """

    def __init__(
        self,
        task: Task,
        name: str,
        units: int,
        seed: int,
        *,
        learning_rate: float = LEARNING_RATE,
        cells: Mapping[str, MakeLayer] | None = None,
    ) -> None:
        keras.utils.set_random_seed(seed)
        self.name, self.units = name, units
        self.layer = (cells or CELLS)[name](units, name="cell")
        self.model = task.network(self.layer)
        self.optimizer = keras.optimizers.Adam(learning_rate)
        self.optimizer.build(self.model.trainable_variables)
        self.accuracies: list[float] = []
        self.seconds: list[float] = []
        self._step = tf.function(self._gradient_step)
        self._logits = tf.function(lambda x: self.model(x, training=False))

    def _gradient_step(self, x: tf.Tensor, targets: tf.Tensor) -> tf.Tensor:
        with tf.GradientTape() as tape:
            logits = self.model(x, training=True)
            loss = tf.nn.sparse_softmax_cross_entropy_with_logits(targets, logits)
            loss = tf.reduce_mean(loss)
        weights = self.model.trainable_variables
        gradients, _ = tf.clip_by_global_norm(tape.gradient(loss, weights), 1.0)
        self.optimizer.apply(gradients, weights)
        return loss

    def learn(self, x: Features, targets: Targets) -> None:
        """Take one step on a batch, and record its time."""
        start = time.perf_counter()
        self._step(x, tf.constant(targets)).numpy()
        self.seconds.append(time.perf_counter() - start)

    def validate(self, task: Task) -> float:
        """Return and record the accuracy on the validation examples."""
        x, targets = task.validation
        parts = np.array_split(np.arange(len(targets)), -(-len(targets) // VALIDATION_BATCH))
        predictions = [self._logits(tf.constant(x[rows])).numpy().argmax(1) for rows in parts]
        self.accuracies.append(float(np.mean(np.concatenate(predictions) == targets)))
        return self.accuracies[-1]

    def parameters(self) -> int:
        """Return the number of trainable weights of the network."""
        return sum(int(np.prod(w.shape)) for w in self.model.trainable_weights)

    def multiply_adds(self) -> int:
        """Return the multiplications of the cell in a whole sequence."""
        steps: int = self.layer.input.shape[1]
        kernels = [w for w in self.layer.weights if w.path.endswith("kernel")]
        return steps * sum(int(np.prod(kernel.shape)) for kernel in kernels)

    def gradient_norms(self, x: Features, targets: Targets) -> npt.NDArray[np.float32]:
        """Return the norm of the loss's gradient by the state after each step.

        Returns:
            float32, (steps,), the median over the batch. Of an LSTM, h and c are one state.
        """
        cell = self.layer.cell
        before = keras.Model(self.model.input, self.layer.input)
        inputs = tf.convert_to_tensor(before(x))
        with tf.GradientTape() as tape:
            states = [tf.zeros((len(x), n)) for n in keras.tree.flatten(cell.state_size)]
            tape.watch(states)
            states_of_step = []
            for t in range(inputs.shape[1]):
                _, states = cell(inputs[:, t], list(states))
                # Copies: an LSTM computes h from c, and h must not count twice.
                states = [tf.identity(state) for state in states]
                states_of_step.append(states)
            logits = self.model.get_layer("logits")(states[0])
            loss = tf.nn.sparse_softmax_cross_entropy_with_logits(targets, logits)
            loss = tf.reduce_sum(loss)
        gradients = tape.gradient(loss, states_of_step)
        norms = [
            tf.norm(tf.concat([g for g in of_step if g is not None], axis=1), axis=1)
            for of_step in gradients
        ]
        median: npt.NDArray[np.float32] = np.median(np.stack(norms), axis=1)
        return median
