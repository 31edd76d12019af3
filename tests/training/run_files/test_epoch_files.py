"""Tests of training/run_files/epoch_files.py: what cannot be continued from."""

import shutil

import pytest

from training.loop.trainer import Trainer
from training.run_files import checkpoint
from training.run_files.checkpoint import CheckpointError
from training.run_files.epoch_files import LAST, restore, saved_model


def test_without_a_checkpoint_there_is_nothing_to_continue(task, recipe, tmp_path):
    trainer = Trainer(task, recipe)
    assert not restore(trainer, tmp_path, "")
    assert not trainer.adapted


def test_a_checkpoint_of_another_model_is_refused(run_folder, task, recipe, tmp_path):
    arrays, progress = checkpoint.load(run_folder / LAST)
    checkpoint.save(tmp_path / LAST, arrays[:-1], {**progress, "identity": ""})
    shutil.copy(run_folder / "model.keras", tmp_path)
    with pytest.raises(CheckpointError, match="expected a checkpoint of speechgru_small"):
        restore(Trainer(task, recipe), tmp_path, "")


def test_a_checkpoint_of_another_run_is_refused(run_folder, task, recipe):
    with pytest.raises(CheckpointError, match="found that of another recipe, seed or set"):
        restore(Trainer(task, recipe), run_folder, "another identity")


@pytest.mark.parametrize("content", [None, b"", b"PK\x03\x04"])
def test_a_damaged_model_is_named(content, tmp_path):
    if content is not None:
        (tmp_path / "model.keras").write_bytes(content)
    with pytest.raises(CheckpointError, match=r"model\.keras: expected a Keras model, found"):
        saved_model(tmp_path)
