"""Every figure has a title, labelled axes, and legends that cover no data."""

import numpy as np
import pytest
from matplotlib.legend import Legend

from training.evaluation.gate_trace import GateTrace, GRUTrace
from training.evaluation.metrics import metrics_of
from training.figures import (
    accuracy_by_lag,
    accuracy_in_noise,
    cell_accuracy,
    confusion_matrix,
    det_curve,
    exported_forms,
    gates,
    gradient_reach,
    learning_curves,
)

LABELS = ["yes", "no", "unknown", "silence"]
EPOCH = {"loss": 1.0, "validation_loss": 1.1, "training_accuracy": 0.5, "validation_accuracy": 0.4}
FORM = {"accuracy": 0.95, "stream_accuracy": 0.94, "bytes": 1000}


def history(epochs):
    return [{"epoch": number, **EPOCH} for number in range(1, epochs + 1)]


def trace():
    rng = np.random.default_rng(0)
    values = [rng.random((25, 8)).astype(np.float32) for _ in range(4)]
    probabilities = rng.dirichlet(np.ones(len(LABELS)), 25).astype(np.float32)
    audio = rng.normal(size=16000).astype(np.float32)
    spectrogram = rng.normal(size=(50, 40)).astype(np.float32)
    return GateTrace(audio, spectrogram, [GRUTrace(*values)] * 2, probabilities, 0.04)


COUNTS = np.diag([20, 19, 18, 20]) + np.eye(4, k=1, dtype=int)
CALLS = {
    "one epoch": (learning_curves.plot_curves, history(1)),
    "three epochs": (learning_curves.plot_curves, history(3)),
    "fifty epochs": (learning_curves.plot_curves, history(50)),
    "confusion": (confusion_matrix.plot_confusion, COUNTS, LABELS),
    "noise": (
        accuracy_in_noise.plot_noise,
        {f"{snr} dB": metrics_of(COUNTS, LABELS) for snr in (20, 10, 0)},
    ),
    "cells": (cell_accuracy.plot_cell_accuracy, {f"cell {n}": np.ones((2, 3)) for n in range(8)}),
    "gradients": (gradient_reach.plot_gradient_reach, {"a": np.ones(25)}, {"a": np.ones(25)}),
    "lags": (accuracy_by_lag.plot_lags, {f"cell {n}": [[1.0], [0.5]] for n in range(9)}, [10, 20]),
    "forms": (exported_forms.plot_forms, {"Keras": FORM, "int8": {**FORM, "ms_per_clip": 0.5}}),
    "det": (
        det_curve.plot_det,
        {
            "thresholds": [0.5, 0.9, 0.99],
            "false_accepts_per_hour": [500.0, 30.0, 0.0],
            "missed": {f"noise at {snr} dB": [0.1, 0.2, 0.3] for snr in (20, 10, 0)},
        },
        {f"noise at {snr} dB": (0.0, 0.2) for snr in (20, 10, 0)},
    ),
    "gates": (gates.plot_gates, trace(), LABELS, "The GRUs of a model"),
}


@pytest.fixture
def figure(request, monkeypatch, tmp_path):
    """The figure of one of CALLS, drawn."""
    plot, *arguments = CALLS[request.param]
    drawn = []
    module = plot.__module__
    monkeypatch.setattr(f"{module}.save_figure", lambda figure, path: drawn.append(figure))
    plot(*arguments, tmp_path / "figure.png")
    drawn[0].draw_without_rendering()
    return drawn[0]


@pytest.mark.parametrize("figure", CALLS, indirect=True)
def test_a_figure_has_a_title_and_all_axes_are_labelled(figure):
    assert figure.get_suptitle()
    for axes in figure.axes:
        shared = axes.get_shared_x_axes().get_siblings(axes)
        colour_bar = axes.get_label() == "<colorbar>"
        named_ticks = any(t.get_text().isalpha() for t in axes.get_xticklabels())
        assert colour_bar or named_ticks or any(other.get_xlabel() for other in shared)
        siblings = axes.get_shared_y_axes().get_siblings(axes)
        assert colour_bar or any(other.get_ylabel() for other in siblings)


@pytest.mark.parametrize("figure", CALLS, indirect=True)
def test_no_legend_covers_data(figure):
    legends = figure.findobj(Legend)
    for legend in legends:
        box = legend.get_window_extent()
        assert figure.bbox.contains(box.x0, box.y0)
        assert figure.bbox.contains(box.x1, box.y1)
        for axes in figure.axes:
            assert not box.padded(-1).overlaps(axes.get_window_extent())
    lines = [axes for axes in figure.axes if len(axes.get_lines()) > 1]
    assert legends or not lines


@pytest.mark.parametrize("figure", ["one epoch", "three epochs", "fifty epochs"], indirect=True)
def test_epochs_are_whole_numbers(figure):
    for axes in figure.axes:
        low, high = axes.get_xlim()
        ticks = [tick for tick in axes.get_xticks() if low <= tick <= high]
        assert ticks
        assert all(tick == round(tick) for tick in ticks)
