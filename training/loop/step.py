"""TODO: step."""

from collections.abc import Sequence
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from speechgru.mfcc_layer import MFCC
from speechgru.models import initial_state
from training.augmentation.mixup import mixup
from training.augmentation.pipeline import augment
from training.augmentation.random_draws import RandomDraws
from training.augmentation.spec_augment import mask_spectrogram
from training.data.batches import draw_batch, label_shares
from training.data.task import Task
from training.loop import teachers as teacher
from training.loop.checkpoint import CheckpointError
from training.loop.network import Network, set_weights
from training.recipes.recipe import Recipe, RecipeError

WARM_UP_STEPS = 500
LEAST_SHARE = 0.01  # a label that is never drawn has no logit to correct
OF_DEVICE = 1_000_003  # between the seeds of two devices that share a batch


class Trainer:
    """Models, optimizer and the one traced step that augments, computes features and learns.

    A label that is drawn more often than the others is not to be answered more often: the loss adds
    the logarithm of its share to its logit, and the model without it counts all labels as equally
    likely (Menon 2021, arXiv:2007.07314, eq. 10).

    The recipe's students learn in the same steps as its model, from the same augmented clips and
    from what the model answers to them (distillation in place, Yu & Huang 2019, arXiv:1903.05134).

    The recipe's `carried_share` of the clips start from the state in which a clip of the step
    before left the network (its frames and its GRUs), the others from zeros, so that the model can
    run on over a stream. An epoch starts from zeros.

    Args:
        task: what to learn; see `training.data.Task`.
        recipe: how; see `training.recipe.Recipe`.
        start: trained models to go on from, of the preset and of each student, built inside
            `strategy.scope()`. Default None.
        strategy: a ``tf.distribute.Strategy`` that spreads every batch. Default: one device.
        teachers: trained models with these labels and this front end. All networks then learn from
            the mean of their answers, each to a clip by itself, and the students no longer from
            the recipe's model. Default none.
        mixed: whether to compute in bfloat16; weights stay float32. Default False.
        log_mel: float32 (clips, frames, bands), features of `task.clips` computed beforehand, in
            place of augmented audio. Default None.

    Attributes:
        networks: the recipe's model, then its students.
    """

    def __init__(
        self,
        task: Task,
        recipe: Recipe,
        start: Sequence[keras.Model] | None = None,
        *,
        strategy: Any = None,
        teachers: Sequence[keras.Model] = (),
        mixed: bool = False,
        log_mel: Any = None,
    ) -> None:
        self.task, self.recipe, self.log_mel = task, recipe, log_mel
        self.strategy = strategy or tf.distribute.get_strategy()
        self.replicas = self.strategy.num_replicas_in_sync
        if recipe.batch_size % self.replicas:
            raise RecipeError(
                f"`batch_size` must be a multiple of the {self.replicas} devices: "
                f"{recipe.batch_size}"
            )
        self.traces = 0
        self._carried: list[dict[str, Any]] | None = None
        self.adapted = start is not None  # a trained model keeps the scaling that it learnt with
        keras.utils.set_random_seed(recipe.seed)
        presets = (recipe.preset, *recipe.students)
        with self.strategy.scope():
            self.networks = [
                Network(preset, model, task, recipe, mixed)
                for preset, model in zip(presets, start or [None] * len(presets), strict=True)
            ]
            self.teachers = [*teachers]
            self._answering = [teacher.classifier(model) for model in teachers]
            self.optimizer = _optimizer(recipe)
            self.optimizer.build(self._variables())
        # In float32, which takes half of float64's time and agrees with it to 1e-3 dB.
        self.front_end = MFCC(recipe.front_end, dtype="float32")
        self.noise = tf.constant(task.noise)
        shares = label_shares(len(task.labels), recipe.unknown_share, recipe.silence_share)
        self.prior = np.log(np.maximum(shares, LEAST_SHARE)).astype(np.float32)
        self._run = tf.function(lambda *batch: self.strategy.run(self._step, args=batch))

    def _variables(self) -> list[Any]:
        return [v for network in self.networks for v in network.learner.trainable_variables]

    def step(self, rows: Any, answers: Any, number: int) -> tuple[Any, Any]:
        """One step on rows of the task's clips, the `number`th of the run.

        Returns:
            Loss and accuracy of each network, (networks,) each.
        """
        source = self.task.clips if self.log_mel is None else self.log_mel
        batch = [self._spread(array) for array in (source[rows], answers)]
        if number % self.recipe.steps == 0 or self._carried is None:
            self._carried = self._initial_states(len(rows) // self.replicas)
        *results, self._carried = self._run(*batch, tf.constant(number), self._carried)
        loss, right = (self.strategy.reduce("SUM", value, axis=None) for value in results)
        return loss, right / len(rows)

    def _spread(self, array: Any) -> Any:
        if self.replicas == 1:
            return tf.constant(array)
        size = len(array) // self.replicas
        return self.strategy.experimental_distribute_values_from_function(
            lambda place: tf.constant(array[place.replica_id_in_sync_group * size :][:size])
        )

    def _initial_states(self, size: int) -> list[dict[str, Any]]:
        """The state from which each network starts, for `size` clips on each device."""

        def states(place: Any) -> list[dict[str, Any]]:
            return [initial_state(network.classifier, size) for network in self.networks]

        if self.replicas == 1:
            return states(None)
        return self.strategy.experimental_distribute_values_from_function(states)

    def _step(
        self, clips: Any, answers: Any, number: Any, states: list[dict[str, Any]]
    ) -> tuple[Any, Any, list[dict[str, Any]]]:
        """A device's share of a step.

        Returns:
            For each network its part of the mean loss, and its right answers, (networks,) each; and
            the state in which its clips have left it.
        """
        self.traces += 1
        recipe = self.recipe
        place = tf.distribute.get_replica_context()
        seed = recipe.seed + OF_DEVICE * place.replica_id_in_sync_group
        if self.log_mel is None:
            audio, wanted = self.augmented(clips, answers, (seed, number))
            log_mel = self.front_end.log_mel(audio)
        else:
            log_mel, wanted = clips, self._wanted(answers)
        log_mel = mask_spectrogram(log_mel, (seed + 1, number), recipe.augment)
        features = self.front_end.dct(log_mel)
        carried = tf.random.stateless_uniform((len(answers), 1), (seed + 2, number))
        carried = tf.cast(carried < recipe.carried_share, tf.float32)
        with tf.GradientTape() as tape:
            outputs = [
                network.classifier({"mfcc": features, **_scaled(state, carried)}, training=True)
                for network, state in zip(self.networks, states, strict=True)
            ]
            logits = [tf.cast(output["logits"], tf.float32) + self.prior for output in outputs]
            targets = self._targets(features, wanted, logits[0])
            losses = tf.stack(
                [
                    tf.reduce_sum(tf.nn.softmax_cross_entropy_with_logits(target, guess))
                    for target, guess in zip(targets, logits, strict=True)
                ]
            )
            losses /= recipe.batch_size
        gradients = tape.gradient(losses, [n.learner.trainable_variables for n in self.networks])
        clipped = []
        for own in gradients:
            # Clipped as a whole: their sum over the devices first. Keras sums them once more.
            own = place.all_reduce("SUM", own) if self.replicas > 1 else own
            own, _ = tf.clip_by_global_norm(own, recipe.clip_norm)
            clipped += [gradient / self.replicas for gradient in own]
        self.optimizer.apply(clipped, self._variables())
        guesses = tf.argmax(tf.stack(logits), axis=2, output_type=tf.int32)
        left = [
            {name: tf.cast(output[f"next_{name}"], tf.float32) for name in state}
            for output, state in zip(outputs, states, strict=True)
        ]
        return losses, tf.reduce_sum(tf.cast(guesses == answers, tf.float32), axis=1), left

    def _wanted(self, answers: Any) -> Any:
        labels, smoothing = len(self.task.labels), self.recipe.label_smoothing
        return tf.one_hot(answers, labels) * (1 - smoothing) + smoothing / labels

    def _targets(self, features: Any, wanted: Any, logits: Any) -> list[Any]:
        """What each network is to answer, where the recipe's model answers `logits`."""
        if self.teachers:
            answers = [
                model({"mfcc": features, **initial_state(model, len(wanted))})["logits"]
                for model in self._answering
            ]
            taught = tf.reduce_mean(tf.nn.softmax(tf.stack(answers) + self.prior), axis=0)
        else:
            taught = tf.stop_gradient(tf.nn.softmax(logits))
        weight = self.recipe.teaching
        taught = (1 - weight) * wanted + weight * taught
        return [taught if self.teachers else wanted] + [taught] * len(self.recipe.students)

    def augmented(self, clips: Any, answers: Any, seed: Any) -> tuple[Any, Any]:
        """Augmented audio of clips, (batch, samples), and what is wanted of it, (batch, labels)."""
        is_silence = answers == len(self.task.labels) - 1
        settings = self.recipe.augment
        audio = augment(clips, is_silence, self.noise, seed, settings)
        return mixup(audio, self._wanted(answers), RandomDraws(seed, tf.shape(clips)[0]), settings)

    def adapt(self, rng: Any, batches: int = 16) -> None:
        """Set the scaling of the features from augmented training clips."""
        features = []
        for number in range(batches):
            rows, answers = self.draw(rng)
            if self.log_mel is not None:
                features.append(self.front_end.dct(tf.constant(self.log_mel[rows])).numpy())
                continue
            seed = (self.recipe.seed, tf.constant(-1 - number))
            audio, _ = self.augmented(self.task.clips[rows], answers, seed)
            features.append(self.front_end(audio).numpy())
        for network in self.networks:
            network.learner.get_layer("scale").adapt(np.concatenate(features))
        self.adapted = True

    def draw(self, rng: Any) -> Any:
        """Rows of a batch and their labels."""
        recipe = self.recipe
        return draw_batch(
            self.task, recipe.batch_size, recipe.unknown_share, recipe.silence_share, rng
        )

    def show(self) -> None:
        """Give each `model` what its `learner` has learnt: its weights, or their moving average."""
        learnt = [network.learner.get_weights() for network in self.networks]
        if self.recipe.average:
            self.optimizer.finalize_variable_values(self._variables())
        for network, weights in zip(self.networks, learnt, strict=True):
            if network.learner is not network.model:
                set_weights(network.model, network.learner.get_weights())
                network.learner.set_weights(weights)

    def state(self) -> list[np.ndarray]:
        """Everything that the next step starts from but its number."""
        weights = [array for network in self.networks for array in network.learner.get_weights()]
        return [*weights, *(np.asarray(variable) for variable in self.optimizer.variables)]

    def restore(self, arrays: list[np.ndarray]) -> None:
        """Take up a `state`.

        Raises:
            CheckpointError: it is of another model.
        """
        current = self.state()
        if [a.shape for a in arrays] != [a.shape for a in current]:
            raise CheckpointError(
                f"expected a checkpoint of {self.networks[0].model.name} with {len(current)} "
                f"arrays of its shapes, found {len(arrays)} arrays"
            )
        for network in self.networks:
            count = len(network.learner.weights)
            set_weights(network.learner, arrays[:count])
            arrays = arrays[count:]
        for variable, array in zip(self.optimizer.variables, arrays, strict=True):
            variable.assign(array)
        self.adapted = True


def _scaled(state: dict[str, Any], factors: Any) -> dict[str, Any]:
    """A state whose rows are multiplied by factors, (batch, 1)."""
    return {
        name: value * tf.reshape(factors, (-1, *[1] * (len(value.shape) - 1)))
        for name, value in state.items()
    }


def _optimizer(recipe: Recipe) -> keras.optimizers.Optimizer:
    total = recipe.epochs * recipe.steps
    warm_up = min(WARM_UP_STEPS, total // 10)
    schedule = keras.optimizers.schedules.CosineDecay(
        recipe.learning_rate / 100,
        decay_steps=max(1, total - warm_up),
        warmup_target=recipe.learning_rate,
        warmup_steps=warm_up,
    )
    optimizer = keras.optimizers.AdamW(
        schedule,
        weight_decay=recipe.weight_decay,
        use_ema=recipe.average > 0,
        ema_momentum=recipe.average,
        ema_overwrite_frequency=None,
    )
    optimizer.exclude_from_weight_decay(var_names=["bias"])
    return optimizer
