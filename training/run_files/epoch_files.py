"""What a run writes after each epoch, and how it continues from these files."""

import json
from pathlib import Path
from typing import Any

import keras
import tensorflow as tf

from speechgru.atomic_files import remove_unfinished, replacing, write_text
from speechgru.modelfile import ModelError
from training.loop.trainer import Trainer
from training.run_files import checkpoint
from training.run_files.checkpoint import CheckpointError
from training.run_files.run_folder import MODEL, model_folders
from training.run_files.trained_model import load_keras

LAST = "last.npz"  # the state after the last complete epoch
HISTORY = "history.json"
TENSORBOARD = "tensorboard"


class EpochFiles:
    """Models, checkpoint, histories and TensorBoard's logs of a run.

    Args:
        trainer: what is trained.
        out: the run's folder. Each student's model and history are in a folder of its name.
        identity: a hash that tells this run from others.

    Raises:
        OSError: the folders cannot be made.
    """

    def __init__(self, trainer: Trainer, out: Path, identity: str) -> None:
        self._trainer, self._checkpoint, self._identity = trainer, out / LAST, identity
        folders = model_folders(out, trainer.recipe)
        for folder in folders:
            folder.mkdir(parents=True, exist_ok=True)
            remove_unfinished(folder)
        self._networks = list(zip(trainer.networks, folders, strict=True))
        self._board = tf.summary.create_file_writer(str(out / TENSORBOARD))

    def save(self) -> None:
        """Write all files after a complete epoch.

        Raises:
            OSError: one cannot be written. Its earlier version stays.
        """
        for network, folder in self._networks:
            _save_model(network.eval_model, folder / MODEL)
        histories = [network.history for network, _ in self._networks]
        progress = {"histories": histories, "identity": self._identity}
        checkpoint.save(self._checkpoint, self._trainer.state(), progress)
        self.save_histories()
        self._log()

    def save_missing_models(self) -> None:
        """Write the models as they are if no epoch has been completed."""
        self._trainer.update_eval_models()
        for network, folder in self._networks:
            if not (folder / MODEL).exists():
                _save_model(network.eval_model, folder / MODEL)
        self.save_histories()

    def save_histories(self) -> None:
        """Write `history.json` in each folder."""
        for network, folder in self._networks:
            write_text(folder / HISTORY, json.dumps(network.history, indent=1))

    def _log(self) -> None:
        with self._board.as_default(step=len(self._trainer.networks[0].history)):
            for network, _ in self._networks:
                values = {k: v for k, v in network.history[-1].items() if k != "epoch"}
                for name, value in values.items():
                    tf.summary.scalar(f"{network.preset}/{name}", value)
        self._board.flush()


def restore(trainer: Trainer, out: Path, identity: str) -> bool:
    """Continue from the checkpoint in a run's folder, if there is one.

    Args:
        trainer: what is trained; its weights, optimizer and histories are set.
        out: the run's folder.
        identity: a hash that tells this run from others.

    Returns:
        Whether there is a checkpoint.

    Raises:
        CheckpointError: it is damaged or that of another run, or a saved model is damaged.
    """
    if not (out / LAST).exists():
        return False
    arrays, progress = checkpoint.load(out / LAST)
    if progress.get("identity") != identity:
        raise CheckpointError(
            f"{out / LAST}: expected the state of this run, found that of another recipe, seed "
            "or set of clips"
        )
    for folder in model_folders(out, trainer.recipe):
        saved_model(folder)  # there may be no epoch left that would write it anew
    trainer.restore(arrays)
    for network, history in zip(trainer.networks, progress["histories"], strict=True):
        network.history[:] = history
    return True


def saved_model(folder: Path) -> Any:
    """Load the model that a run has saved in a folder.

    Raises:
        CheckpointError: it is missing or damaged.
    """
    try:
        return load_keras(folder / MODEL)
    except ModelError as error:
        raise CheckpointError(str(error)) from error


def _save_model(model: keras.Model, path: Path) -> None:
    with replacing(path) as unfinished:
        try:
            model.save(unfinished)
        except (RuntimeError, ValueError) as error:  # h5py's errors for a full disk
            reason = str(error).replace(str(unfinished), str(path))
            raise OSError(f"{path}: {reason}") from error
