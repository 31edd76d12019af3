"""TODO: cells."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.figure import Figure

from training.figures.saving import save_figure


def plot_cells(
    curves: Mapping[str, Any],
    norms: Mapping[str, Mapping[str, Any]],
    folder: Path,
) -> None:
    """Pictures of `compare`: accuracy by epoch, gradient by distance.

    Args:
        curves: of each network the validation accuracies, (seeds, epochs).
        norms: "untrained" and "trained"; of each cell the gradient's norm at every step, (steps,).
        folder: for accuracy.png and gradients.png.
    """
    figure = Figure(figsize=(8, 5), layout="constrained")
    axes = figure.subplots()
    for name, histories in curves.items():
        axes.plot(range(1, len(histories[0]) + 1), np.mean(histories, axis=0), label=name)
    axes.set(xlabel="epoch", ylabel="validation accuracy, mean of the seeds")
    axes.grid(alpha=0.3)
    axes.legend(fontsize="small")
    save_figure(figure, folder / "accuracy.png")

    figure = Figure(figsize=(12, 5), layout="constrained")
    for axes, (when, own) in zip(figure.subplots(1, 2, sharey=True), norms.items(), strict=True):
        for name, values in own.items():
            axes.semilogy(np.arange(len(values))[::-1], np.maximum(values, 1e-12), label=name)
        axes.set(title=when, xlabel="steps back from the answer", ylabel="|d loss / d state|")
        axes.grid(alpha=0.3)
    axes.legend(fontsize="small")
    save_figure(figure, folder / "gradients.png")
