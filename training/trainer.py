"""The training loop: one traced step, each model kept after every epoch, a report at the end."""

import json
import platform
import sys
import time
from collections.abc import Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Any

import keras
import numpy as np
import tensorflow as tf
from tqdm import tqdm

from speechgru.features import MFCC
from speechgru.models import initial_state
from training import checkpoint, plots, teacher
from training.augment import Draw, augment, mask_spectrogram, mixup
from training.checkpoint import CheckpointError
from training.data import Task, draw_batch, label_shares
from training.files import replacing, write_text
from training.recipe import Recipe, RecipeError

WARM_UP_STEPS = 500
LEAST_SHARE = 0.01  # a label that is never drawn has no logit to correct
VALIDATION_BATCH = 256
OF_DEVICE = 1_000_003  # between the seeds of two devices that share a batch
LAST = "last.npz"  # the state after the last whole epoch
SPEECH_COMMANDS_LICENCE = (  # asked for by the licence of the recordings
    "Trained on Speech Commands by Pete Warden / Google, CC BY 4.0"
)


class TrainingError(ValueError):
    """A training that has gone wrong; the message says where."""


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
        return mixup(audio, self._wanted(answers), Draw(seed, tf.shape(clips)[0]), settings)

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
                _set_weights(network.model, network.learner.get_weights())
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
            _set_weights(network.learner, arrays[:count])
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


def _twin(preset: str, model: keras.Model, task: Task, recipe: Recipe, mixed: bool) -> keras.Model:
    """A model of the same weights that computes in bfloat16, or just another one."""
    policy = keras.config.dtype_policy()
    keras.config.set_dtype_policy("mixed_bfloat16" if mixed else policy)
    try:
        twin = teacher.build(preset, task.labels, recipe.front_end)
    finally:
        keras.config.set_dtype_policy(policy)
    _set_weights(twin, model.get_weights())
    return twin


def _set_weights(model: keras.Model, weights: list[np.ndarray]) -> None:
    model.set_weights(weights)
    model.get_layer("scale").finalize_state()  # which the layer computes from its weights


def train(trainer: Trainer, out: Path, writes: bool = True, identity: str = "") -> bool:
    """Train, keeping the last epoch's model and state in `out`.

    No epoch is chosen by its validation accuracy, which would then be too good a figure: the
    learning rate falls to zero, and the last epoch has the least noise. A student is kept in the
    folder of its preset's name in `out`.

    If `out` holds the state of an earlier, unfinished part of the run, the run goes on from it:
    every batch depends on the seed and its number alone, so it ends as if it had not stopped.

    Args:
        trainer: what to train; the `history` of its networks is filled.
        out: the run's folder.
        writes: whether this process writes there; of several workers, one does.
        identity: what tells this run from others, such as a hash of recipe and clips.

    Returns:
        Whether Ctrl-C ended it early.

    Raises:
        TrainingError: the loss is no longer a finite number, or a device or worker failed.
        CheckpointError: the state in `out` is of another run, or damaged.
        OSError: `out` cannot be written; the last good checkpoint is as it was.
    """
    try:
        return _train(trainer, out, writes, identity)
    except tf.errors.OpError as error:  # TensorBoard's disk, a worker that has ended
        reason, done = str(error.message).splitlines()[0], len(trainer.networks[0].history)
        raise TrainingError(
            f"{out}: stopped after epoch {done}, --resume goes on there: {reason}"
        ) from error


def _train(trainer: Trainer, out: Path, writes: bool, identity: str) -> bool:
    recipe, history = trainer.recipe, trainer.networks[0].history
    folders = recipe.folders(out)
    kept = list(zip(trainer.networks, folders, strict=True))
    if writes:
        for folder in folders[1:]:
            folder.mkdir(exist_ok=True)
    if (out / LAST).exists():
        _take_up(trainer, out, folders, identity)
        if writes:
            _write_histories(kept)
            print(f"going on after epoch {len(history)} of {recipe.epochs}", flush=True)
    if not trainer.adapted:
        trainer.adapt(np.random.default_rng((recipe.seed, recipe.epochs)))
    board = tf.summary.create_file_writer(str(out / "tensorboard")) if writes else None
    interrupted = False
    done = len(history) * recipe.steps
    bar = tqdm(total=recipe.epochs * recipe.steps, initial=done, unit="step", disable=None)
    try:
        for epoch in range(len(history), recipe.epochs):
            began = time.monotonic()
            rng = np.random.default_rng((recipe.seed, epoch))
            results = []
            for step in range(epoch * recipe.steps, (epoch + 1) * recipe.steps):
                rows, answers = trainer.draw(rng)
                results.append(trainer.step(rows, answers, step))
                bar.update()
            learnt = np.mean([[v.numpy() for v in pair] for pair in results], axis=0)
            if not np.isfinite(learnt).all():
                raise TrainingError(
                    f"the loss became {learnt.max()} in epoch {epoch + 1}: try a lower "
                    f"`learning_rate`; {out} holds the epochs before it"
                )
            trainer.show()
            found = [_validated(network, trainer.task) for network in trainer.networks]
            seconds = time.monotonic() - began
            for network, row, (loss, right) in zip(trainer.networks, found, learnt.T, strict=True):
                row = {"loss": float(loss), "training_accuracy": float(right), **row}
                network.history.append({"epoch": epoch + 1, **row, "seconds": seconds})
            if not writes:
                continue
            for network, folder in kept:
                _save(network.model, folder / "model.keras")
            histories = [network.history for network in trainer.networks]
            progress = {"histories": histories, "identity": identity}
            checkpoint.save(out / LAST, trainer.state(), progress)
            _write_histories(kept)
            with board.as_default(step=epoch + 1):
                for network in trainer.networks:
                    for name, value in list(network.history[-1].items())[1:]:
                        tf.summary.scalar(f"{network.preset}/{name}", value)
            board.flush()
            _tell(bar, trainer.networks, recipe.epochs)
    except KeyboardInterrupt:
        interrupted = True
        print("interrupted: keeping the model of the last whole epoch", file=sys.stderr)
        if writes:
            trainer.show()
            for network, folder in kept:
                if not (folder / "model.keras").exists():
                    _save(network.model, folder / "model.keras")
            _write_histories(kept)
    finally:
        bar.close()
    return interrupted


def _validated(network: Network, task: Task) -> dict[str, float]:
    logits = network.logits(task.validation)
    return {
        "validation_loss": _cross_entropy(logits, task.answers),
        "validation_accuracy": float(np.mean(logits.argmax(1) == task.answers)),
    }


def _write_histories(kept: Sequence[tuple[Network, Path]]) -> None:
    for network, folder in kept:
        write_text(folder / "history.json", json.dumps(network.history, indent=1))


def _take_up(trainer: Trainer, out: Path, folders: Sequence[Path], identity: str) -> None:
    """Restore the state in `out`."""
    arrays, progress = checkpoint.load(out / LAST)
    if progress.get("identity") != identity:
        raise CheckpointError(
            f"{out / LAST}: expected the state of this run, found that of another recipe, seed "
            "or set of clips"
        )
    for folder in folders:
        _kept(folder)  # whether it is whole; no epoch may be left to come
    trainer.restore(arrays)
    for network, history in zip(trainer.networks, progress["histories"], strict=True):
        network.history[:] = history


def _kept(out: Path) -> keras.Model:
    """The model of the run in `out`."""
    try:
        return keras.saving.load_model(out / "model.keras")
    except Exception as error:  # Keras raises many kinds for what is no model
        reason = str(error).splitlines()[0]
        raise CheckpointError(f"{out / 'model.keras'}: expected a model, found {reason}") from error


def _tell(bar: Any, networks: Sequence[Network], epochs: int) -> None:
    last = networks[0].history[-1]
    found = {n.preset: f"{n.history[-1]['validation_accuracy']:.2%}" for n in networks}
    bar.set_postfix(loss=f"{last['loss']:.3f}", **found)
    if bar.disable:
        print(
            f"epoch {last['epoch']}/{epochs}: loss {last['loss']:.3f}, augmented training accuracy "
            f"{last['training_accuracy']:.2%}, validation "
            f"{', '.join(f'{name} {value}' for name, value in found.items())}, "
            f"{last['seconds']:.0f} s",
            flush=True,
        )


def _save(model: keras.Model, path: Path) -> None:
    with replacing(path) as unfinished:
        try:
            model.save(unfinished)
        except (RuntimeError, ValueError) as error:  # h5py's words for a full disk
            raise OSError(f"{path}: {error}") from error


def _cross_entropy(logits: Any, answers: Any) -> float:
    return float(tf.reduce_mean(tf.nn.sparse_softmax_cross_entropy_with_logits(answers, logits)))


def report(
    trainer: Trainer,
    data: Path,
    commands: list[str],
    out: Path,
    earlier: dict[str, Any] | None = None,
) -> None:
    """Measure the kept models on the validation clips; write metrics.json and the pictures.

    Args:
        trainer: what was trained.
        data: the folder of clips.
        commands: what the models come from, this run's command last.
        out: the run's folder.
        earlier: metrics.json of the run that this one went on from. Default None.
    """
    earlier = earlier or {"epochs": 0, "training_seconds": 0.0}
    task = trainer.task
    # The official lists and noises tell Speech Commands from a folder in its layout.
    is_speech_commands = all(
        (data / name).exists()
        for name in ("validation_list.txt", "testing_list.txt", "_background_noise_", "LICENSE")
    )
    history = trainer.networks[0].history
    of_run = {
        "validation_clips": len(task.answers),
        "validation_of_new_voices": task.new_voices,
        "labels": list(task.labels),
        "training_clips": len(task.clips) - 1,
        "epochs": earlier["epochs"] + len(history),
        "training_seconds": sum((e["seconds"] for e in history), earlier["training_seconds"]),
        "training_data": task.summary,
        "data": str(data.resolve()),
        "licence": SPEECH_COMMANDS_LICENCE if is_speech_commands else "",
        "commands": commands,
        "versions": {
            "python": platform.python_version(),
            **{name: version(name) for name in ("tensorflow", "keras", "librosa", "numpy")},
        },
    }
    for network, folder in zip(trainer.networks, trainer.recipe.folders(out), strict=True):
        network.use(_kept(folder))
        found = _measured(network, task) | of_run
        names = [model.name.removeprefix("speechgru_") for model in trainer.teachers]
        if not names and folder != out:
            names = [trainer.recipe.preset]
        found["teacher"] = " and ".join(names) or None
        write_text(folder / "metrics.json", json.dumps(found, indent=1))
        plots.curves(network.history, folder / "curves.png")
        plots.confusion(found["confusion"], task.labels, folder / "confusion.png")
        accuracy, clips = found["validation_accuracy"], found["validation_clips"]
        print(f"{network.preset}: validation accuracy {accuracy:.2%} on {clips} clips")


def _measured(network: Network, task: Task) -> dict[str, Any]:
    guesses = network.logits(task.validation).argmax(axis=1)
    confusion = np.zeros((len(task.labels), len(task.labels)), int)
    np.add.at(confusion, (task.answers, guesses), 1)
    return {
        "validation_accuracy": float(np.mean(guesses == task.answers)),
        "recall": {
            label: float(row[i] / row.sum()) if row.sum() else None
            for i, (label, row) in enumerate(zip(task.labels, confusion, strict=True))
        },
        "confusion": confusion.tolist(),
        "parameters": sum(int(np.prod(w.shape)) for w in network.model.trainable_weights),
    }
