"""The confusion matrix."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt

from training.figures.style import new_figure, save_figure


def plot_confusion(counts: npt.ArrayLike, labels: Sequence[str], path: Path) -> None:
    """Draw a confusion matrix: counts as numbers, shares of the row as colours.

    Args:
        counts: clips by spoken label (rows) and predicted label (columns), (labels, labels).
        labels: names of the rows and columns.
        path: the PNG to write.
    """
    counts = np.asarray(counts)
    share = 100 * counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
    size = 3 + 0.5 * len(labels)
    figure = new_figure(size + 1, size, "Confusion matrix: number of clips")
    axes = figure.subplots()
    image = axes.imshow(share, cmap="Blues", vmin=0, vmax=100)
    for (row, column), count in np.ndenumerate(counts):
        if count:
            colour = "white" if share[row, column] > 50 else "black"
            axes.text(column, row, str(count), ha="center", va="center", color=colour, fontsize=9)
    axes.set_xticks(range(len(labels)), labels, rotation=90)
    axes.set_yticks(range(len(labels)), labels)
    axes.set(xlabel="predicted label", ylabel="spoken label")
    figure.colorbar(image, ax=axes, shrink=0.7, label="share of the row (%)")
    save_figure(figure, path)
