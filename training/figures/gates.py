"""TODO: gates."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.figure import Figure

from training.figures.saving import save_figure


def plot_gates(found: Any, labels: Sequence[str], title: str, path: Path) -> None:
    """What a model's GRUs do in a second of sound; `found` is a `training.gates.Trace`."""
    columns = len(found.layers)
    figure = Figure(figsize=(7 * columns, 15), layout="constrained")
    cells = figure.subplots(7, columns, squeeze=False, sharex=True)
    duration = len(found.scores) * found.seconds
    time = found.seconds * np.arange(1, len(found.scores) + 1)
    for number, layer in enumerate(found.layers):
        wave, spectrum, means, z, r, norms, scores = cells[:, number]
        wave.plot(np.arange(found.samples.size) * duration / found.samples.size, found.samples)
        wave.set(title=f"{title}, GRU {number + 1} of {columns}", ylabel="sound", ylim=(-1, 1))
        spectrum.imshow(
            found.log_mel.T,
            origin="lower",
            aspect="auto",
            extent=(0, duration, 0, found.log_mel.shape[1]),
            vmin=-70,
        )
        spectrum.set(ylabel="mel band")
        for gate, name in ((layer.z, "z, update"), (layer.r, "r, reset")):
            means.plot(time, gate.mean(axis=1), label=f"{name}: mean, quartiles")
            means.fill_between(time, *np.quantile(gate, (0.25, 0.75), axis=1), alpha=0.2)
        means.set(ylabel="gates", ylim=(0, 1))
        means.legend(fontsize="small", loc="upper left")
        # Units that write early above those that write late.
        order = np.argsort(layer.z.argmax(axis=0))
        for axes, gate, name in ((z, layer.z, "z"), (r, layer.r, "r")):
            axes.imshow(
                gate[:, order].T, aspect="auto", extent=(0, duration, len(order), 0), vmin=0, vmax=1
            )
            axes.set(ylabel=f"{name} of each unit")
        norms.plot(time, np.linalg.norm(layer.candidate, axis=1), label="candidate")
        norms.plot(time, np.linalg.norm(layer.h, axis=1), label="state")
        norms.set(ylabel="norm", ylim=0)
        norms.legend(fontsize="small", loc="upper left")
        for label, values in zip(labels, found.scores.T, strict=True):
            if values.max() >= 0.1:
                scores.plot(time, values, label=label)
        scores.set(ylabel="probability", ylim=(0, 1), xlabel="seconds", xlim=(0, duration))
        scores.legend(fontsize="small", loc="upper left")
    save_figure(figure, path, dpi=65)
