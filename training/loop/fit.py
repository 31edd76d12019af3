"""Train for all epochs of a recipe, with validation after each."""

import shlex
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import tensorflow as tf
from tqdm import tqdm

from speechgru.errors import SpeechGRUError
from training.data.task import Task
from training.loop.devices import loss_hint
from training.loop.network import Network
from training.loop.trainer import Trainer
from training.run_files.epoch_files import EpochFiles, restore


class TrainingError(SpeechGRUError, ValueError):
    """A training that failed. The message says where."""


def train(trainer: Trainer, out: Path, writes: bool = True, identity: str = "") -> bool:
    """Train, and save the models and the state after each epoch.

    The model of the last epoch is the result. No epoch is selected by its validation accuracy,
    which would then be too optimistic: the learning rate falls to zero, so the last epoch has the
    least noise.

    If `out` holds the state of an interrupted run, training continues from it. Each batch depends
    only on the seed and its number, so the result is that of an uninterrupted run.

    Args:
        trainer: what to train. The `history` of its networks is filled.
        out: the run's folder.
        writes: whether this process writes to it; one of several workers does. Default True.
        identity: a hash that tells this run from others. Default: none.

    Returns:
        Whether Ctrl-C ended it.

    Raises:
        TrainingError: the loss is not finite, or a device or worker failed.
        CheckpointError: the state in `out` is damaged or that of another run.
        OSError: `out` cannot be written to. The last complete checkpoint stays.
    """
    try:
        return _train(trainer, out, writes, identity)
    except tf.errors.OpError as error:  # TensorBoard's disk is full, a worker has stopped
        reason, done = str(error.message).splitlines()[0], len(trainer.networks[0].history)
        raise TrainingError(
            f"{out}: stopped after epoch {done}; --resume continues there: {reason}"
        ) from error


def _train(trainer: Trainer, out: Path, writes: bool, identity: str) -> bool:
    recipe, history = trainer.recipe, trainer.networks[0].history
    resumed = restore(trainer, out, identity)
    if not trainer.adapted:
        first_epochs = [*trainer.restarts, recipe.epochs][0]  # also of a run that is lengthened
        trainer.adapt(np.random.default_rng((recipe.seed, first_epochs)))
    files = EpochFiles(trainer, out, identity) if writes else None
    if files and resumed:
        files.save_histories()
        print(f"continuing after epoch {len(history)} of {recipe.epochs}", flush=True)
        if len(history) == recipe.epochs:
            again = f"--resume --out {shlex.quote(str(out))} --epochs {2 * recipe.epochs}"
            print(f"no epoch is left; to train longer: python training/train.py {again}")
    bar = tqdm(
        total=recipe.epochs * recipe.steps,
        initial=len(history) * recipe.steps,
        unit="step",
        disable=None,
    )
    with bar:
        try:
            for epoch in range(len(history), recipe.epochs):
                _train_epoch(trainer, epoch, bar, out)
                if files:
                    files.save()
                    _show_progress(trainer, bar)
        except KeyboardInterrupt:
            print("interrupted: the model of the last complete epoch is saved", file=sys.stderr)
            if files:
                files.save_missing_models()
            return True
    return False


def _train_epoch(trainer: Trainer, epoch: int, bar: Any, out: Path) -> None:
    """Train for one epoch, validate, and add a row to each network's history."""
    began, steps = time.monotonic(), trainer.recipe.steps
    results = []
    for number, batch in enumerate(_batches(trainer, epoch), start=epoch * steps):
        results.append(trainer.step(*batch, number))
        bar.update()
    means = np.mean([[v.numpy() for v in pair] for pair in results], axis=0)
    _check_finite(means, epoch, f"{loss_hint(trainer.device)}; {out} holds the epochs before it")
    trainer.update_eval_models()
    validated = [_validate(network, trainer.task) for network in trainer.networks]
    seconds = time.monotonic() - began
    for network, found, (loss, accuracy) in zip(trainer.networks, validated, means.T, strict=True):
        row = {"epoch": epoch + 1, "loss": float(loss), "training_accuracy": float(accuracy)}
        network.history.append({**row, **found, "seconds": seconds})


def _batches(trainer: Trainer, epoch: int) -> Iterator[tuple[Any, Any]]:
    """Draw an epoch's batches. Each is drawn and copied while the step before it runs."""
    rng = np.random.default_rng((trainer.recipe.seed, epoch))
    trainer.start_epoch()

    def draw() -> tuple[Any, Any]:
        return trainer.load(*trainer.draw(rng))

    with ThreadPoolExecutor(1) as thread:
        drawn = thread.submit(draw)
        for _ in range(trainer.recipe.steps - 1):
            batch, drawn = drawn.result(), thread.submit(draw)
            yield batch
        yield drawn.result()


def _check_finite(means: npt.NDArray[np.floating[Any]], epoch: int, hint: str) -> None:
    if not np.isfinite(means).all():
        raise TrainingError(f"the loss became {means.max()} in epoch {epoch + 1}: {hint}")


def _validate(network: Network, task: Task) -> dict[str, float]:
    logits = network.logits(task.validation)
    losses = tf.nn.sparse_softmax_cross_entropy_with_logits(task.targets, logits)
    return {
        "validation_loss": float(tf.reduce_mean(losses)),
        "validation_accuracy": float(np.mean(logits.argmax(1) == task.targets)),
    }


def _show_progress(trainer: Trainer, bar: Any) -> None:
    """Show the last epoch beside the bar, or as a line where there is no bar."""
    last = trainer.networks[0].history[-1]
    accuracies = {n.preset: f"{n.history[-1]['validation_accuracy']:.2%}" for n in trainer.networks}
    bar.set_postfix(loss=f"{last['loss']:.3f}", **accuracies)
    if bar.disable:
        validation = ", ".join(f"{name} {accuracy}" for name, accuracy in accuracies.items())
        print(
            f"epoch {last['epoch']}/{trainer.recipe.epochs}: loss {last['loss']:.3f}, "
            f"augmented training accuracy {last['training_accuracy']:.2%}, "
            f"validation {validation}, {last['seconds']:.0f} s",
            flush=True,
        )
