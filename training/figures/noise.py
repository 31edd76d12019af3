"""TODO: noise."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.figure import Figure

from training.figures.saving import save_figure


def plot_noise(outcomes: Mapping[str, Any], path: Path) -> None:
    """Accuracy and false commands, with their intervals, at each signal-to-noise ratio.

    `outcomes` are those of `evaluate.outcome`, by what the axis says.
    """
    figure = Figure(figsize=(6, 4), layout="constrained")
    axes = figure.subplots()
    shown = {
        "accuracy": "accuracy",
        "false_commands_of_unknown": "unknown words taken for a command",
    }
    for key, label in shown.items():
        rows = [[o[key][k] for k in ("share", "low", "high")] for o in outcomes.values()]
        value, low, high = 100 * np.array(rows, float).T
        axes.errorbar(list(outcomes), value, (value - low, high - value), label=label, capsize=3)
    axes.set(xlabel="signal-to-noise ratio", ylabel="% of clips", ylim=(0, 100))
    axes.grid(alpha=0.3)
    axes.legend(loc="center left")
    save_figure(figure, path)
