"""TODO: lags."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.figure import Figure

from training.figures.saving import save_figure


def plot_lags(accuracies: Mapping[str, Any], lags: Sequence[int], path: Path) -> None:
    """Accuracy by lag: of each cell the accuracies, (lags, seeds); lags in steps."""
    figure = Figure(figsize=(10, 4.5), layout="constrained")
    axes = figure.subplots()
    for place, (name, by_lag) in enumerate(accuracies.items()):
        # Thin over thick: where lines lie on each other, all can be seen.
        style = {"marker": "osDv^<>PX"[place % 9], "linewidth": max(1, 5 - place / 2)}
        axes.semilogx(lags, [np.mean(seeds) for seeds in by_lag], label=name, **style)
    axes.set(xlabel="steps between symbol and answer", ylabel="accuracy", ylim=(0, 1.05))
    axes.set_xticks(lags, [str(lag) for lag in lags])
    axes.grid(alpha=0.3)
    figure.legend(fontsize="small", loc="outside right upper")
    save_figure(figure, path)
