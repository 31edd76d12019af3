"""TODO: report."""

import json
import platform
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np

from training.data.task import Task
from training.figures.confusion_matrix import plot_confusion
from training.figures.learning_curves import plot_curves
from training.loop.fit import saved_model
from training.loop.network import Network
from training.loop.step import Trainer
from training.output.atomic_files import write_text

SPEECH_COMMANDS_LICENCE = (  # asked for by the licence of the recordings
    "Trained on Speech Commands by Pete Warden / Google, CC BY 4.0"
)


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
        "validation_clips": len(task.targets),
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
        network.use(saved_model(folder))
        found = _measured(network, task) | of_run
        names = [model.name.removeprefix("speechgru_") for model in trainer.teachers]
        if not names and folder != out:
            names = [trainer.recipe.preset]
        found["teacher"] = " and ".join(names) or None
        write_text(folder / "metrics.json", json.dumps(found, indent=1))
        plot_curves(network.history, folder / "curves.png")
        plot_confusion(found["confusion"], task.labels, folder / "confusion.png")
        accuracy, clips = found["validation_accuracy"], found["validation_clips"]
        print(f"{network.preset}: validation accuracy {accuracy:.2%} on {clips} clips")


def _measured(network: Network, task: Task) -> dict[str, Any]:
    guesses = network.logits(task.validation).argmax(axis=1)
    confusion = np.zeros((len(task.labels), len(task.labels)), int)
    np.add.at(confusion, (task.targets, guesses), 1)
    return {
        "validation_accuracy": float(np.mean(guesses == task.targets)),
        "recall": {
            label: float(row[i] / row.sum()) if row.sum() else None
            for i, (label, row) in enumerate(zip(task.labels, confusion, strict=True))
        },
        "confusion": confusion.tolist(),
        "parameters": sum(int(np.prod(w.shape)) for w in network.model.trainable_weights),
    }
