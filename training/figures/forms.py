"""TODO: forms."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.figure import Figure

from training.figures.saving import save_figure


def plot_forms(rows: Mapping[str, Any], path: Path) -> None:
    """Accuracy, size and time of every form of a model; `rows` are those of `export/verify.py`."""
    figure = Figure(figsize=(13, 3.6), layout="constrained")
    places = figure.subplots(1, 4)
    at = np.arange(len(rows))
    for axes, keys, title in zip(
        places,
        (("accuracy", "stream_accuracy"), ("bytes",), ("ms_per_clip",), ("us_per_hop",)),
        ("validation accuracy", "bytes of the file", "ms a clip", "us a hop of a stream"),
        strict=True,
    ):
        width = 0.8 / len(keys)
        for number, key in enumerate(keys):
            values = [row.get(key, np.nan) for row in rows.values()]
            axes.bar(at + (number - (len(keys) - 1) / 2) * width, values, width)
        axes.set_title(title)
        axes.set_xticks(at, list(rows), rotation=30, ha="right")
    low = min(min(row["accuracy"], row["stream_accuracy"]) for row in rows.values())
    places[0].legend(["a clip at once", "in one long stream"], fontsize="small", loc="upper right")
    places[0].set_ylim(bottom=max(0, low - 0.02), top=1.01)
    save_figure(figure, path)
