"""Pictures of a run: learning curves and the confusion matrix."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.figure import Figure

from training.files import replacing


def curves(history: Sequence[dict[str, float]], path: Path) -> None:
    """Loss and accuracy of each epoch, training (augmented clips) and validation."""
    figure = Figure(figsize=(10, 4), layout="constrained")
    epochs = [row["epoch"] for row in history]
    for axes, kind in zip(figure.subplots(1, 2), ("loss", "accuracy"), strict=True):
        training = "loss" if kind == "loss" else "training_accuracy"
        axes.plot(epochs, [row[training] for row in history], label="training (augmented)")
        axes.plot(epochs, [row[f"validation_{kind}"] for row in history], label="validation")
        axes.set(xlabel="epoch", ylabel=kind)
        axes.grid(alpha=0.3)
        axes.legend()
    _save(figure, path)


def confusion(matrix: Any, labels: Sequence[str], path: Path) -> None:
    """Confusion matrix: rows are the true labels, in percent of the row, with the counts."""
    counts = np.asarray(matrix)
    share = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
    size = 2.5 + 0.55 * len(labels)
    figure = Figure(figsize=(size, size), layout="constrained")
    axes = figure.subplots()
    axes.imshow(share, cmap="Blues", vmin=0, vmax=1)
    for (row, column), count in np.ndenumerate(counts):
        if count:
            colour = "white" if share[row, column] > 0.5 else "black"
            axes.text(column, row, count, ha="center", va="center", color=colour, fontsize=8)
    axes.set_xticks(range(len(labels)), labels, rotation=90)
    axes.set_yticks(range(len(labels)), labels)
    axes.set(xlabel="recognised as", ylabel="spoken")
    _save(figure, path)


def _save(figure: Figure, path: Path) -> None:
    with replacing(path) as unfinished:
        figure.savefig(unfinished, dpi=110)
