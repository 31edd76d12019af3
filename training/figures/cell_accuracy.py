"""The accuracy of recurrent cells by epoch."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from training.figures.style import label_epochs, new_figure, save_figure


def plot_cell_accuracy(curves: Mapping[str, Sequence[Sequence[float]]], path: Path) -> None:
    """Draw the mean validation accuracy of each cell by epoch.

    Args:
        curves: validation accuracies of each cell, (seeds, epochs).
        path: the PNG to write.
    """
    figure = new_figure(9, 5, "Validation accuracy of recurrent cells")
    axes = figure.subplots()
    for name, accuracies in curves.items():
        mean = 100 * np.mean(accuracies, axis=0)
        axes.plot(range(1, len(mean) + 1), mean, marker=".", label=name)
    label_epochs(axes)
    axes.set_ylabel("accuracy, mean of the seeds (%)")
    axes.grid(alpha=0.3)
    figure.legend(fontsize="small", loc="outside lower center", ncols=2)
    save_figure(figure, path)
