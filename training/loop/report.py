"""Measure trained models on the validation clips; write metrics.json and the figures."""

import json
import platform
from collections.abc import Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from speechgru.atomic_files import write_text
from speechgru.detection import NOT_COMMANDS
from speechgru.stated_accuracy import describe_accuracy
from training.clips.window import RATE
from training.clips.words import UNKNOWN
from training.data.task import Task
from training.figures.confusion_matrix import plot_confusion
from training.figures.learning_curves import plot_curves
from training.loop.network import Network
from training.loop.trainer import Trainer
from training.run_files.earlier_runs import EarlierRun
from training.run_files.epoch_files import saved_model
from training.run_files.run_folder import model_folders

SPEECH_COMMANDS_FILES = (
    "validation_list.txt",
    "testing_list.txt",
    "_background_noise_",
    "LICENSE",
)
SPEECH_COMMANDS_LICENCE = (  # the licence of the recordings asks for this
    "Trained on Speech Commands by Pete Warden / Google, CC BY 4.0"
)


def report(
    trainer: Trainer,
    data: Path,
    commands: Sequence[str],
    out: Path,
    start: Sequence[EarlierRun] = (),
) -> None:
    """Measure the saved models; write `metrics.json`, `curves.png` and `confusion.png` for each.

    Args:
        trainer: what was trained.
        data: the folder of clips.
        commands: the commands that the models come from, this run's last.
        out: the run's folder.
        start: what each model started from. Default: new models.

    Raises:
        CheckpointError: a saved model is damaged.
        OSError: a file cannot be written.
    """
    task = trainer.task
    of_run = _describe_run(trainer, data, commands, start)
    folders = model_folders(out, trainer.recipe)
    for number, (network, folder) in enumerate(zip(trainer.networks, folders, strict=True)):
        network.set_eval_model(saved_model(folder))
        metrics = _measure(network, task) | of_run
        metrics["start"] = _describe_start(start[number]) if start else None
        metrics["teacher"] = _teacher(trainer, network)
        write_text(folder / "metrics.json", json.dumps(metrics, indent=1))
        plot_curves(network.history, folder / "curves.png")
        plot_confusion(metrics["confusion"], task.labels, folder / "confusion.png")
        hint = task.validation_unknown == "made sounds"
        print(
            f"{network.preset}: validation accuracy {describe_accuracy(metrics)}"
            + " (--negative, or evaluate.py --negatives)" * hint
        )


def _describe_run(
    trainer: Trainer, data: Path, commands: Sequence[str], start: Sequence[EarlierRun]
) -> dict[str, Any]:
    task, history = trainer.task, trainer.networks[0].history
    is_continued = bool(start) and start[0].head is None  # and not another task
    earlier = start[0].metrics if is_continued else {"epochs": 0, "training_seconds": 0.0}
    licences = [SPEECH_COMMANDS_LICENCE] if _is_speech_commands(data) else []
    licences += [run.metrics.get("licence", "") for run in start[:1]]
    return {
        "validation_clips": len(task.targets),
        "validation_unknown": task.validation_unknown,
        "validation_unknown_clips": int(np.sum(task.targets == task.labels.index(UNKNOWN))),
        "validation_of_new_voices": task.new_voices,
        "speakers_known": task.speakers_known,
        "labels": list(task.labels),
        "window_seconds": task.window / RATE,
        "training_clips": len(task.clips) - 1,
        "epochs": earlier["epochs"] + len(history),
        "training_seconds": sum((e["seconds"] for e in history), earlier["training_seconds"]),
        "training_data": task.summary,
        "data": str(data.resolve()),
        "licence": _joined(licences),
        "commands": list(commands),
        "versions": {
            "python": platform.python_version(),
            **{name: version(name) for name in ("tensorflow", "keras", "librosa", "numpy")},
        },
    }


def _describe_start(run: EarlierRun) -> dict[str, Any]:
    labels = run.metrics["labels"]
    head = {"copied_labels": run.head.copied, "new_labels": run.head.new} if run.head else {}
    return {"model": str(run.folder), "labels": labels, **head}


def _joined(licences: Sequence[str]) -> str:
    """Join licences, each part once."""
    parts = [part for licence in licences for part in licence.split("; ") if part]
    return "; ".join(dict.fromkeys(parts))


def _is_speech_commands(data: Path) -> bool:
    """Return whether this is Speech Commands, and not another folder in its layout."""
    return all((data / name).exists() for name in SPEECH_COMMANDS_FILES)


def _teacher(trainer: Trainer, network: Network) -> str | None:
    names = [model.name.removeprefix("speechgru_") for model in trainer.teachers]
    if not names and network is not trainer.networks[0]:
        names = [trainer.recipe.preset]
    return " and ".join(names) or None


def _measure(network: Network, task: Task) -> dict[str, Any]:
    predictions = network.logits(task.validation).argmax(axis=1)
    return {
        **measure_predictions(predictions, task.targets, task.labels),
        "false_commands": _false_commands(network, task),
        "parameters": sum(int(np.prod(w.shape)) for w in network.eval_model.trainable_weights),
    }


def _false_commands(network: Network, task: Task) -> dict[str, Any] | None:
    """Count windows of held-out negative speech that are recognised as a command."""
    windows = task.held_out_speech
    if not len(windows):
        return None
    commands = len(task.labels) - len(NOT_COMMANDS)
    count = int(np.sum(network.logits(windows).argmax(axis=1) < commands))
    return {
        "count": count,
        "windows": len(windows),
        "share": count / len(windows),
        "hours": windows.size / RATE / 3600,
    }


def measure_predictions(
    predictions: npt.NDArray[np.integer[Any]],
    targets: npt.NDArray[np.integer[Any]],
    labels: Sequence[str],
) -> dict[str, Any]:
    """Return what `metrics.json` states about predictions: accuracy, recall and confusion.

    Args:
        predictions: label numbers, shape (n,).
        targets: label numbers of the same clips, shape (n,).
        labels: all labels.
    """
    confusion = np.zeros((len(labels), len(labels)), int)
    np.add.at(confusion, (targets, predictions), 1)
    return {
        "validation_accuracy": float(np.mean(predictions == targets)),
        "recall": {
            label: float(row[i] / row.sum()) if row.sum() else None
            for i, (label, row) in enumerate(zip(labels, confusion, strict=True))
        },
        "confusion": confusion.tolist(),
    }
