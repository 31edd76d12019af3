"""How far back a recurrent cell learns to remember."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from training.figures.style import new_figure, save_figure

MARKERS = "osDv^<>PX"


def plot_lags(
    accuracies: Mapping[str, Sequence[Sequence[float]]], lags: Sequence[int], path: Path
) -> None:
    """Draw the accuracy of each cell against the lag.

    Args:
        accuracies: for each cell the accuracies, (lags, seeds).
        lags: in steps.
        path: the PNG to write.
    """
    figure = new_figure(10, 4.8, "Recalling the first symbol of a sequence")
    axes = figure.subplots()
    for number, (name, by_lag) in enumerate(accuracies.items()):
        axes.semilogx(
            lags,
            [100 * np.mean(seeds) for seeds in by_lag],
            label=name,
            marker=MARKERS[number % len(MARKERS)],
            linewidth=max(1, 5 - number / 2),  # thin over thick, where lines coincide
        )
    axes.set(xlabel="steps between symbol and answer", ylabel="accuracy, mean (%)", ylim=(0, 105))
    axes.set_xticks(lags, [str(lag) for lag in lags])
    axes.minorticks_off()
    axes.grid(alpha=0.3)
    figure.legend(fontsize="small", loc="outside right upper")
    save_figure(figure, path)
