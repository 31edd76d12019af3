"""Accuracy and false alarms in noise."""

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from training.figures.style import new_figure, save_figure

if TYPE_CHECKING:
    from training.evaluation.metrics import Metrics


def plot_noise(metrics: Mapping[str, "Metrics"], path: Path) -> None:
    """Draw accuracy and false alarms on unknown words against the signal-to-noise ratio.

    Args:
        metrics: metrics for each label of the x axis, as "10 dB".
        path: the PNG to write.
    """
    figure = new_figure(7, 4.8, "Accuracy and false alarms in noise")
    axes = figure.subplots()
    for name, proportions in (
        ("accuracy", [found["accuracy"] for found in metrics.values()]),
        ("false alarms on unknown words", [m["false_alarms_on_unknown"] for m in metrics.values()]),
    ):
        rows = [[found["share"], found["low"], found["high"]] for found in proportions]
        share, low, high = 100 * np.array(rows, float).T
        axes.errorbar(
            list(metrics), share, (share - low, high - share), label=name, marker="o", capsize=3
        )
    axes.set(xlabel="signal-to-noise ratio", ylabel="share of clips (%)", ylim=(0, 100))
    axes.grid(alpha=0.3)
    figure.legend(loc="outside lower center", ncols=2, title="with 95 % intervals")
    save_figure(figure, path)
