"""The exported forms of a model side by side."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from training.figures.style import new_figure, save_figure

PANELS = (
    (("accuracy", "stream_accuracy"), 100, "validation accuracy (%)"),
    (("bytes",), 1e-3, "size of the file (kB)"),
    (("ms_per_clip",), 1, "time for a clip of 1 s (ms)"),
    (("us_per_hop",), 1, "time for a hop of a stream (µs)"),
)


def plot_forms(rows: Mapping[str, Mapping[str, Any]], path: Path) -> None:
    """Draw accuracy, size and time of each form of a model.

    Args:
        rows: for each form its `accuracy` and `stream_accuracy` in [0, 1] and its `bytes`; where
            they are known, `ms_per_clip` and `us_per_hop`.
        path: the PNG to write.
    """
    figure = new_figure(10, 7, "Exported forms of one model")
    panels = figure.subplots(2, 2)
    at = np.arange(len(rows))
    for axes, (keys, scale, label) in zip(panels.flat, PANELS, strict=True):
        width = 0.8 / len(keys)
        for number, key in enumerate(keys):
            values = [scale * row.get(key, np.nan) for row in rows.values()]
            axes.bar(at + (number - (len(keys) - 1) / 2) * width, values, width)
        axes.set_ylabel(label)
        axes.set_xticks(at, list(rows), rotation=20, ha="right")
        axes.set_xlim(-0.6, len(rows) - 0.4)
        axes.grid(axis="y", alpha=0.3)
        axes.set_axisbelow(True)
    accuracy = panels[0, 0]
    lowest = min(min(row["accuracy"], row["stream_accuracy"]) for row in rows.values())
    accuracy.set_ylim(max(0, 100 * lowest - 2), 100)
    names = ["each clip by itself", "all clips as one stream"]
    figure.legend(accuracy.containers, names, title="accuracy", loc="outside lower center", ncols=2)
    save_figure(figure, path)
