"""TODO: fit."""

import json
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import keras
import numpy as np
import tensorflow as tf
from tqdm import tqdm

from training.data.task import Task
from training.loop import checkpoint
from training.loop.checkpoint import CheckpointError
from training.loop.network import Network
from training.loop.step import Trainer
from training.output.atomic_files import replacing, write_text

LAST = "last.npz"  # the state after the last whole epoch


class TrainingError(ValueError):
    """A training that has gone wrong; the message says where."""


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
        "validation_loss": _cross_entropy(logits, task.targets),
        "validation_accuracy": float(np.mean(logits.argmax(1) == task.targets)),
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
        saved_model(folder)  # whether it is whole; no epoch may be left to come
    trainer.restore(arrays)
    for network, history in zip(trainer.networks, progress["histories"], strict=True):
        network.history[:] = history


def saved_model(out: Path) -> keras.Model:
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
