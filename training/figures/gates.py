"""The gates and states of a model's GRUs during a clip."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from matplotlib.axes import Axes

from training.evaluation.gate_trace import FloatArray, GateTrace, GRUTrace
from training.figures.style import legend_above, new_figure, save_figure

SHOWN_PROBABILITY = 0.1  # labels that never reach it are left out


def plot_gates(trace: GateTrace, labels: Sequence[str], title: str, path: Path) -> None:
    """Draw a column for each GRU, all rows over the same time axis.

    Args:
        trace: what `gate_trace.trace_gates` returns.
        labels: of the model.
        title: of the figure.
        path: the PNG to write.
    """
    columns = len(trace.layers)
    figure = new_figure(4.6 * columns, 13.5, title)
    cells = figure.subplots(
        7, columns, squeeze=False, sharex=True, height_ratios=(1, 1, 1.2, 1.6, 1.6, 1.2, 1.2)
    )
    duration = len(trace.probabilities) * trace.step_seconds
    time = trace.step_seconds * np.arange(1, len(trace.probabilities) + 1)
    for number, layer in enumerate(trace.layers):
        waveform, spectrogram, means, z, r, norms, probabilities = cells[:, number]
        waveform.set_title(f"GRU {number + 1} of {columns}")
        _plot_audio(waveform, spectrogram, trace, duration)
        _plot_gate_means(means, layer, time)
        order = np.argsort(layer.z.argmax(axis=0))  # units that write early are on top
        _plot_units(z, layer.z[:, order], duration, "unit (colour: z)")
        _plot_units(r, layer.r[:, order], duration, "unit (colour: r)")
        _plot_norms(norms, layer, time)
        _plot_probabilities(probabilities, trace.probabilities, labels, time)
        probabilities.set(xlabel="time (s)", xlim=(0, duration))
    save_figure(figure, path)


def _plot_audio(waveform: Axes, spectrogram: Axes, trace: GateTrace, duration: float) -> None:
    samples = trace.samples
    waveform.plot(np.arange(samples.size) * duration / samples.size, samples, linewidth=0.6)
    waveform.set(ylabel="amplitude", ylim=(-1, 1))
    bands = trace.log_mel.shape[1]
    spectrogram.imshow(
        trace.log_mel.T, origin="lower", aspect="auto", extent=(0, duration, 0, bands), vmin=-70
    )
    spectrogram.set_ylabel("mel band")


def _plot_gate_means(axes: Axes, layer: GRUTrace, time: FloatArray) -> None:
    for gate, name in ((layer.z, "z (update)"), (layer.r, "r (reset)")):
        axes.plot(time, gate.mean(axis=1), label=f"{name}: mean, quartiles")
        axes.fill_between(time, *np.quantile(gate, (0.25, 0.75), axis=1), alpha=0.2)
    axes.set(ylabel="gate value", ylim=(0, 1))
    legend_above(axes)


def _plot_units(axes: Axes, gate: FloatArray, duration: float, label: str) -> None:
    extent = (0, duration, gate.shape[1], 0)
    image = axes.imshow(
        gate.T, aspect="auto", extent=extent, vmin=0, vmax=1, interpolation="nearest"
    )
    axes.set_ylabel(label)
    axes.figure.colorbar(image, ax=axes, pad=0.02)


def _plot_norms(axes: Axes, layer: GRUTrace, time: FloatArray) -> None:
    axes.plot(time, np.linalg.norm(layer.candidate, axis=1), label="candidate")
    axes.plot(time, np.linalg.norm(layer.h, axis=1), label="state h")
    axes.set(ylabel="norm", ylim=0)
    legend_above(axes)


def _plot_probabilities(
    axes: Axes, probabilities: FloatArray, labels: Sequence[str], time: FloatArray
) -> None:
    for label, values in zip(labels, probabilities.T, strict=True):
        if values.max() >= SHOWN_PROBABILITY:
            axes.plot(time, values, label=label)
    axes.set(ylabel="probability", ylim=(0, 1))
    legend_above(axes, columns=4)
