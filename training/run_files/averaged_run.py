"""A run whose weights are the mean of those of other runs."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import keras
import numpy as np

from speechgru.atomic_files import replacing, write_text
from speechgru.modelfile import ModelError
from speechgru.stated_accuracy import describe_accuracy
from training.clips.words import UNKNOWN, label_numbers
from training.data.evaluation_set import evaluation_set
from training.loop.network import set_weights
from training.loop.report import measure_predictions
from training.run_files.run_folder import MODEL, RunFolderError
from training.run_files.trained_model import load_trained

BATCH = 256
SEED = 0  # of the validation clips, as in evaluate.py


def average_runs(runs: Sequence[Path], data: Path, out: Path, command: str) -> str:
    """Average the weights of runs, validate the result and write it as a run.

    Args:
        runs: their folders.
        data: the folder of clips to validate on.
        out: the folder to write.
        command: the command that is run, for `metrics.json`.

    Returns:
        The validation accuracy, as `describe_accuracy` states it.

    Raises:
        ModelError: a folder holds no model, or another model or other labels than the first.
        RunFolderError: there is something at `out`.
        DataError: the data folder does not hold the commands.
        OSError: a file cannot be read or written.
    """
    if out.exists():
        raise RunFolderError(f"{out}: expected nothing, found something")
    loaded = [load_trained(folder) for folder in runs]
    model, metrics = loaded[0]
    for folder, (other, its_metrics) in zip(runs, loaded, strict=True):
        _check_same(folder, (model, metrics["labels"]), (other, its_metrics["labels"]))
    weights = zip(*(other.get_weights() for other, _ in loaded), strict=True)
    set_weights(model, [np.mean(arrays, axis=0) for arrays in weights])
    measured = _validate(model, metrics["labels"], data)
    commands = [c for _, one in loaded for c in one.get("commands", [])]
    measured["commands"] = list(dict.fromkeys([*commands, command]))
    out.mkdir(parents=True)
    with replacing(out / MODEL) as unfinished:
        model.save(unfinished)
    write_text(out / "metrics.json", json.dumps({**metrics, **measured}, indent=1))
    return str(describe_accuracy(measured))


def _check_same(folder: Path, first: tuple[Any, list[str]], other: tuple[Any, list[str]]) -> None:
    shapes = [
        [model.input_shape, *(weight.shape for weight in model.get_weights())]
        for model, _ in (first, other)
    ]
    if first[1] != other[1] or shapes[0] != shapes[1]:
        raise ModelError(
            f"{folder}: expected a model of {first[0].name} and {', '.join(first[1])}, as in the "
            f"first folder, found {other[0].name} and {', '.join(other[1])}"
        )


def _validate(model: keras.Model, labels: Sequence[str], data: Path) -> dict[str, Any]:
    commands = labels[:-2]
    window = model.input_shape[1]
    clips = evaluation_set(data, words=commands, split="validation", seed=SEED, window=window)
    targets = label_numbers(clips.words, labels)
    audio = clips.samples.astype(np.float32) / 32768
    predictions = model.predict(audio, batch_size=BATCH, verbose=0).argmax(axis=1)
    return {
        **measure_predictions(predictions, targets, labels),
        "validation_clips": len(targets),
        "validation_unknown": clips.unknown,
        "validation_unknown_clips": int(np.sum(targets == labels.index(UNKNOWN))),
        "false_commands": None,  # negative speech is not read here
    }
