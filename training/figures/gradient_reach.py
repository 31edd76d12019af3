"""How far back the gradient of a recurrent cell reaches."""

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import numpy.typing as npt
from matplotlib.ticker import MaxNLocator

from training.figures.style import new_figure, save_figure

Norms = Mapping[str, npt.NDArray[np.floating]]


def plot_gradient_reach(untrained: Norms, trained: Norms, path: Path) -> None:
    """Draw the norm of the loss's gradient by each state against the distance to the last step.

    Args:
        untrained: for each cell before training the norm at every step, (steps,).
        trained: the same after training.
        path: the PNG to write.
    """
    figure = new_figure(10, 5.5, "Gradient of the loss by the state, over time")
    for axes, (title, norms) in zip(
        figure.subplots(1, 2, sharey=True),
        (("before training", untrained), ("after training", trained)),
        strict=True,
    ):
        for name, values in norms.items():
            axes.semilogy(np.arange(len(values))[::-1], np.maximum(values, 1e-12), label=name)
        axes.set(title=title, xlabel="steps before the last one")
        axes.xaxis.set_major_locator(MaxNLocator(integer=True))
        axes.label_outer()
        axes.grid(alpha=0.3)
    figure.axes[0].set_ylabel("norm of dL/dh, median of the clips")
    handles = figure.axes[0].get_legend_handles_labels()
    figure.legend(*handles, fontsize="small", loc="outside lower center", ncols=3)
    save_figure(figure, path)
