"""The training step: augment, compute features, compare with the targets, update the weights."""

from collections.abc import Sequence
from typing import Any

import keras
import numpy as np
import numpy.typing as npt
import tensorflow as tf

from speechgru.mfcc_layer import MFCC
from speechgru.models import initial_state
from training.augmentation.mixup import mixup
from training.augmentation.pipeline import augment, draw_before_xla
from training.augmentation.random_draws import RandomDraws
from training.augmentation.spec_augment import mask_spectrogram
from training.data.batches import draw_batch, label_shares
from training.data.scenes import scene_windows
from training.data.task import Task
from training.loop.devices import Device, check_batch_size
from training.loop.network import Network, set_weights, without_front_end
from training.loop.optimizer import make_optimizer
from training.recipes.recipe import Recipe
from training.run_files.checkpoint import CheckpointError

LEAST_SHARE = 0.01  # a label that is never drawn has no logit to correct
SEED_STRIDE = 1_000_003  # between the seeds of two devices that share a batch

Array = npt.NDArray[Any]
State = dict[str, Any]  # tensors by name, shape (batch, ...)


class Trainer:
    """Models, optimizer and the training step, a single ``tf.function``.

    Logit adjustment: the loss adds the logarithm of each label's share of the batches to its
    logit. So a label that is drawn more often than others is not predicted more often (Menon 2021,
    arXiv:2007.07314, eq. 10).

    Distillation in place: students train in the same steps as the recipe's model, on the same
    augmented clips, and learn from its probabilities (Yu & Huang 2019, arXiv:1903.05134).

    Carried states: with `state_carry_probability`, a clip starts from the state in which a clip of
    the step before left the network, as in a stream. The others, and all clips of an epoch's first
    step, start from zeros.

    Args:
        task: the data.
        recipe: the settings.
        start: trained models to continue from, one for the preset and each student, built inside
            `strategy.scope()`. Default None: new models.
        device: what the steps run on. Default: a CPU.
        strategy: a ``tf.distribute.Strategy`` that splits each batch. Default None: one device.
        teachers: trained models with these labels, this front end and this window. All networks
            then learn from the mean of their probabilities, and students no longer from the
            recipe's model. Default none.
        compiled: whether XLA compiles augmentation, features, masks and the optimizer. The random
            draws stay the same; results differ by rounding. Needs one device. Default False.
        log_mel: float32, shape (clips, frames, bands), features of `task.clips` that are used
            instead of augmented audio. Default None.
        restarts: the epochs before which the learning rate rises anew; see `make_optimizer`.
            Default: none.

    Attributes:
        networks: the recipe's model, then its students.
        prior: float32, shape (labels,), what the loss adds to the logits.
        traces: how often TensorFlow has traced the step.
        adapted: whether the scaling of the features is set.

    Raises:
        RecipeError: the batch size is not a multiple of the number of devices.
    """

    def __init__(
        self,
        task: Task,
        recipe: Recipe,
        start: Sequence[keras.Model] | None = None,
        *,
        device: Device = Device("CPU", is_gpu=False),
        strategy: Any = None,
        teachers: Sequence[keras.Model] = (),
        compiled: bool = False,
        log_mel: npt.NDArray[np.float32] | None = None,
        restarts: Sequence[int] = (),
    ) -> None:
        self.task, self.recipe, self.log_mel, self.device = task, recipe, log_mel, device
        self.strategy = strategy or tf.distribute.get_strategy()
        self.replicas = self.strategy.num_replicas_in_sync
        check_batch_size(recipe, self.strategy)
        self.restarts = tuple(restarts)
        self.traces = 0
        self.adapted = start is not None  # a trained model keeps its scaling
        self._carried: Any = None  # the states that the last step left: networks, then teachers
        keras.utils.set_random_seed(recipe.seed)
        presets = (recipe.preset, *recipe.students)
        with self.strategy.scope():
            self.networks = [
                Network(preset, model, task, recipe)
                for preset, model in zip(presets, start or [None] * len(presets), strict=True)
            ]
            self.teachers = [*teachers]
            windows = scene_windows(recipe.scene_seconds, task.window)
            self._teacher_classifiers = [without_front_end(model, windows) for model in teachers]
            self.optimizer = make_optimizer(recipe, restarts)
            self.optimizer.build(self._variables())
        # float32 takes half of float64's time and differs from it by less than 1e-3 dB.
        self.front_end = MFCC(recipe.front_end, dtype="float32")
        self.noise = tf.constant(task.noise)
        shares = label_shares(len(task.labels), recipe.unknown_share, recipe.silence_share)
        self.prior = log_shares(shares)
        self.compiled = compiled
        self._features, self._update = self._compute_features, self._apply_gradients
        if compiled:
            self._features = tf.function(self._features, jit_compile=True)
            self._update = tf.function(self._update, jit_compile=True)
        self._run = tf.function(lambda *batch: self.strategy.run(self._step, args=batch))

    def draw(self, rng: np.random.Generator) -> tuple[npt.NDArray[np.int32], npt.NDArray[np.int32]]:
        """Draw a batch.

        Returns:
            Rows of `task.clips` and their labels, int32, shape (batch,) each.
        """
        recipe = self.recipe
        return draw_batch(
            self.task, recipe.batch_size, recipe.unknown_share, recipe.silence_share, rng
        )

    def start_epoch(self) -> None:
        """Prepare for the draws of an epoch."""

    def adapt(self, rng: np.random.Generator, batches: int = 16) -> None:
        """Set the scaling of the features from augmented training clips.

        Args:
            rng: draws the clips.
            batches: how many batches to use. Default 16.
        """
        features = []
        for number in range(batches):
            rows, labels = self.draw(rng)
            if self.log_mel is not None:
                features.append(self.front_end.dct(tf.constant(self.log_mel[rows])).numpy())
                continue
            seed = (self.recipe.seed, tf.constant(-1 - number))
            audio, _ = self.augmented(self.task.clips[rows], labels, RandomDraws(seed, len(rows)))
            features.append(self.front_end(audio).numpy())
        for network in self.networks:
            network.train_model.get_layer("scale").adapt(np.concatenate(features))
        self.adapted = True

    def load(self, rows: Array, labels: Array) -> tuple[Any, Any]:
        """Copy a batch to the devices.

        Args:
            rows: int32, shape (batch,), rows of `task.clips`.
            labels: int32, shape (batch,), their labels.

        Returns:
            The clips (or their log-mel features) and the labels, for `step`.
        """
        source = self.task.clips if self.log_mel is None else self.log_mel
        with self.device.scope():  # each thread has its own
            return self._distribute(source[rows]), self._distribute(labels)

    def step(self, inputs: Any, labels: Any, number: int) -> tuple[Any, Any]:
        """Train on one batch.

        Args:
            inputs: clips, as `load` returns them.
            labels: their labels, as `load` returns them.
            number: number of the step in the run, from 0.

        Returns:
            Loss and accuracy of each network, shape (networks,) each.
        """
        size = self.recipe.batch_size
        if number % self.recipe.steps == 0 or self._carried is None:
            self._carried = self._initial_states(size // self.replicas)
        *results, self._carried = self._run(inputs, labels, tf.constant(number), self._carried)
        loss, correct = (self.strategy.reduce("SUM", value, axis=None) for value in results)
        return loss, correct / size

    def augmented(self, clips: Any, labels: Any, draws: RandomDraws) -> tuple[Any, Any]:
        """Augment clips.

        Args:
            clips: int16, shape (batch, samples).
            labels: int32, shape (batch,).
            draws: the random numbers of the step.

        Returns:
            Audio, shape (batch, samples), and targets (probabilities), shape (batch, labels);
            float32 both.
        """
        is_silence = labels == len(self.task.labels) - 1
        settings = self.recipe.augment
        audio = augment(clips, is_silence, self.noise, draws, settings)
        return mixup(audio, self._smoothed(labels), draws, settings)

    def update_eval_models(self) -> None:
        """Copy what was learned to the evaluated models: the weights, or their moving average."""
        learned = [network.train_model.get_weights() for network in self.networks]
        if self.recipe.average:
            self.optimizer.finalize_variable_values(self._variables())
        for network, weights in zip(self.networks, learned, strict=True):
            if network.train_model is not network.eval_model:
                set_weights(network.eval_model, network.train_model.get_weights())
                network.train_model.set_weights(weights)

    def state(self) -> list[Array]:
        """Return all that the next epoch starts from: weights and the optimizer's variables."""
        weights = [w for network in self.networks for w in network.train_model.get_weights()]
        return [*weights, *(np.asarray(variable) for variable in self.optimizer.variables)]

    def restore(self, arrays: Sequence[Array]) -> None:
        """Continue from a `state`.

        Raises:
            CheckpointError: it is that of another model.
        """
        current = self.state()
        if [a.shape for a in arrays] != [a.shape for a in current]:
            raise CheckpointError(
                f"expected a checkpoint of {self.networks[0].eval_model.name} with {len(current)} "
                f"arrays of its shapes, found {len(arrays)} arrays"
            )
        for network in self.networks:
            count = len(network.train_model.weights)
            set_weights(network.train_model, arrays[:count])
            arrays = arrays[count:]
        for variable, array in zip(self.optimizer.variables, arrays, strict=True):
            variable.assign(array)
        self.adapted = True

    def _variables(self) -> list[Any]:
        return [v for network in self.networks for v in network.train_model.trainable_variables]

    def _distribute(self, array: Array) -> Any:
        """Return a tensor, or one part of it on each device."""
        if self.replicas == 1:
            return tf.constant(array)
        size = len(array) // self.replicas
        return self.strategy.experimental_distribute_values_from_function(
            lambda place: tf.constant(array[place.replica_id_in_sync_group * size :][:size])
        )

    def _initial_states(self, size: int) -> Any:
        """Return the initial states of networks and teachers for `size` clips, on each device."""
        students = [network.classifier for network in self.networks]

        def states(_: Any) -> list[State]:
            return [initial_state(model, size) for model in (*students, *self._teacher_classifiers)]

        if self.replicas == 1:
            return states(None)
        return self.strategy.experimental_distribute_values_from_function(states)

    def _step(
        self, inputs: Any, labels: Any, number: Any, states: list[State]
    ) -> tuple[Any, Any, list[State]]:
        """Compute one device's part of a step.

        Returns:
            For each network its part of the mean loss and its number of correct predictions,
            shape (networks,) each; and the states in which each clip leaves networks and teachers.
        """
        self.traces += 1
        seed, drawn = self._seed(), self._drawn(len(labels), number)
        features, targets = self._features(inputs, labels, seed, number, drawn)
        carries = self._carries(seed, number, len(labels))
        inputs = [{"mfcc": features, **scaled(state, carries)} for state in states]
        count = len(self.networks)
        taught = [
            model(own) for model, own in zip(self._teacher_classifiers, inputs[count:], strict=True)
        ]
        with tf.GradientTape() as tape:
            outputs = [
                network.classifier(own, training=True)
                for network, own in zip(self.networks, inputs[:count], strict=True)
            ]
            logits = [output["logits"] for output in outputs]
            draws = RandomDraws((seed, number), len(labels), drawn)
            teacher_logits = [output["logits"] for output in taught]
            losses, correct = self._objective(targets, labels, draws, logits, teacher_logits)
        weights = [network.train_model.trainable_variables for network in self.networks]
        self._update(tape.gradient(losses, weights))
        next_states = [
            {name: output[f"next_{name}"] for name in state}
            for output, state in zip([*outputs, *taught], states, strict=True)
        ]
        return losses, correct, next_states

    def _objective(
        self,
        targets: Any,
        labels: Any,
        draws: RandomDraws,
        logits: list[Any],
        teacher_logits: list[Any],
    ) -> tuple[Any, Any]:
        """Return each network's part of the loss, and its number of correct predictions.

        Args:
            targets: float32, shape (batch, labels).
            labels: int32, shape (batch,).
            draws: the random numbers with which the clips were augmented.
            logits: of each network, shape (batch, labels).
            teacher_logits: of each teacher, shape (batch, labels).

        Returns:
            Shape (networks,) each.
        """
        logits = [own + self.prior for own in logits]
        predictions = tf.argmax(tf.stack(logits), axis=2, output_type=tf.int32)
        correct = tf.reduce_sum(tf.cast(predictions == labels, tf.float32), axis=1)
        taught = mean_probabilities([own + self.prior for own in teacher_logits] or logits[:1])
        return self._losses(targets, taught, logits), correct

    def _seed(self) -> Any:
        """Return the seed of the device."""
        replica = tf.distribute.get_replica_context()
        return self.recipe.seed + SEED_STRIDE * replica.replica_id_in_sync_group

    def _drawn(self, batch: int, number: Any) -> State | None:
        """Return the random numbers that XLA cannot draw, or None without XLA."""
        if not self.compiled:
            return None
        return draw_before_xla(RandomDraws((self._seed(), number), batch), self.recipe.augment)

    def _carries(self, seed: Any, number: Any, batch: int) -> Any:
        """Return 1 for clips that start from the state that the step before left, else 0."""
        carries = tf.random.stateless_uniform((batch, 1), (seed + 2, number))
        return tf.cast(carries < self.recipe.state_carry_probability, tf.float32)

    def _compute_features(
        self, inputs: Any, labels: Any, seed: Any, number: Any, drawn: State | None
    ) -> tuple[Any, Any]:
        """Return MFCC, (batch, frames, n_mfcc), and targets, (batch, labels)."""
        if self.log_mel is None:
            draws = RandomDraws((seed, number), len(labels), drawn)
            audio, targets = self.augmented(inputs, labels, draws)
            log_mel = self.front_end.log_mel(audio)
        else:
            log_mel, targets = inputs, self._smoothed(labels)
        draws = RandomDraws((seed + 1, number), len(labels), drawn)
        log_mel = mask_spectrogram(log_mel, draws, self.recipe.augment)
        return self.front_end.dct(log_mel), targets

    def _smoothed(self, labels: Any) -> Any:
        """Return targets with label smoothing, (batch, labels)."""
        count, smoothing = len(self.task.labels), self.recipe.label_smoothing
        return tf.one_hot(labels, count) * (1 - smoothing) + smoothing / count

    def _losses(self, targets: Any, taught: Any, logits: list[Any]) -> Any:
        """Return the sum of each network's cross-entropies over the batch size, (networks,)."""
        losses = tf.stack(
            [
                tf.reduce_sum(tf.nn.softmax_cross_entropy_with_logits(target, own))
                for target, own in zip(self._distilled(targets, taught), logits, strict=True)
            ]
        )
        return losses / self.recipe.batch_size

    def _distilled(self, targets: Any, taught: Any) -> list[Any]:
        """Return each network's targets, where `taught` are the probabilities of the teachers."""
        weight = self.recipe.teaching
        taught = (1 - weight) * targets + weight * taught
        return [taught if self.teachers else targets] + [taught] * len(self.recipe.students)

    def _apply_gradients(self, gradients: list[list[Any]]) -> None:
        """Clip each network's gradients by their global norm and update the weights."""
        replica = tf.distribute.get_replica_context()
        clipped = []
        for own in gradients:
            # Sum over the devices first, to clip the whole batch's. Keras sums once more.
            own = replica.all_reduce("SUM", own) if self.replicas > 1 else own
            own, _ = tf.clip_by_global_norm(own, self.recipe.clip_norm)
            clipped += [gradient / self.replicas for gradient in own]
        self.optimizer.apply(clipped, self._variables())


def scaled(state: State, factors: Any) -> State:
    """Multiply the rows of a state by factors, (batch, 1)."""
    return {
        name: value * tf.reshape(factors, (-1, *[1] * (len(value.shape) - 1)))
        for name, value in state.items()
    }


def mean_probabilities(logits: list[Any]) -> Any:
    """Return the mean of the probabilities of some models, without gradients."""
    return tf.stop_gradient(tf.reduce_mean(tf.nn.softmax(tf.stack(logits)), axis=0))


def log_shares(shares: npt.ArrayLike) -> npt.NDArray[np.float32]:
    """Return what the loss adds to the logits of labels that are drawn with these shares."""
    return np.log(np.maximum(shares, LEAST_SHARE)).astype(np.float32)
