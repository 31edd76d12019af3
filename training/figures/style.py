"""What all figures share: size of the text, legends outside of the data, saving."""

from pathlib import Path

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from speechgru.atomic_files import replacing

DPI = 110


def new_figure(width: float, height: float, title: str = "") -> Figure:
    """Return an empty figure with a title; its layout keeps labels and legends apart.

    Args:
        width: in inches. About 9 is readable on a page of the documentation.
        height: in inches.
        title: shown above all axes.
    """
    figure = Figure(figsize=(width, height), layout="constrained", dpi=DPI)
    if title:
        figure.suptitle(title, fontsize="large")
    return figure


def legend_above(axes: Axes, columns: int = 2) -> None:
    """Put the legend of axes above them, where it covers no data."""
    axes.legend(
        loc="lower center",
        bbox_to_anchor=(0.5, 1.0),
        ncols=columns,
        frameon=False,
        borderpad=0,
        fontsize="small",
    )


def label_epochs(axes: Axes) -> None:
    """Label the x axis with epochs, at whole numbers only."""
    axes.set_xlabel("epoch")
    axes.xaxis.set_major_locator(MaxNLocator(integer=True, min_n_ticks=1))


def save_figure(figure: Figure, path: Path) -> None:
    """Write a figure as PNG, whole or not at all; its metadata say that speechgru made it."""
    with replacing(path) as unfinished:
        figure.savefig(unfinished, format="png", metadata={"Software": "speechgru"})
