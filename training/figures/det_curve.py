"""The trade between false accepts and missed words in streams."""

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from matplotlib.ticker import NullFormatter

from training.figures.style import new_figure, save_figure

if TYPE_CHECKING:
    from training.evaluation.streams.summary import DetCurve

LEAST = 0.1  # false accepts an hour at the left edge: 0 has no place on a logarithmic axis


def plot_det(curve: "DetCurve", point: "dict[str, tuple[float, float]]", path: Path) -> None:
    """Draw missed words against false accepts an hour, with one threshold for all commands.

    Args:
        curve: both, for each threshold, by condition.
        point: both with the thresholds of the model file, by condition.
        path: the PNG to write.
    """
    figure = new_figure(7, 4.8, "Missed words and false accepts in streams")
    axes = figure.subplots()
    rates = np.array(curve["false_accepts_per_hour"])
    shown = rates > 0
    for name, missed in curve["missed"].items():
        (line,) = axes.plot(rates[shown], 100 * np.array(missed)[shown], ".-", label=name)
        false_accepts, miss = point[name]
        x = max(false_accepts, LEAST)
        axes.plot(x, 100 * miss, "*", markersize=12, color=line.get_color())
    axes.plot([], [], "k*", markersize=10, label="thresholds of the file")
    axes.set(
        xscale="log",
        xlabel="false accepts an hour, in recorded speech",
        ylabel="words missed (%)",
        ylim=(0, 100),
    )
    axes.xaxis.set_major_formatter("{x:g}")
    axes.xaxis.set_minor_formatter(NullFormatter())
    axes.grid(alpha=0.3, which="both")
    figure.legend(loc="outside lower center", ncols=3)
    save_figure(figure, path)
