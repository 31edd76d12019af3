"""Tables and pictures of the comparison."""

import statistics
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt
from ai_edge_litert.interpreter import Interpreter

from speechgru.atomic_files import write_text
from speechgru.conversion.to_tflite import to_tflite
from training.comparison.cells import CELLS
from training.comparison.experiments import (
    LAG_BATCH,
    LAG_UNITS,
    UNITS,
    accuracy_at_lags,
    train_cells,
)
from training.comparison.learner import Learner
from training.comparison.tasks import BATCH, Task
from training.comparison.timing import rounds
from training.figures.accuracy_by_lag import plot_lags
from training.figures.cell_accuracy import plot_cell_accuracy
from training.figures.gradient_reach import plot_gradient_reach
from training.output.tables import markdown_table

TARGET_ACCURACY = 0.9
TIMED_SEQUENCES = 100
GRADIENT_EXAMPLES = 64
Norms = dict[str, npt.NDArray[np.float32]]


def report_cells(task: Task, out: Path, seeds: int, epochs: int, steps: int) -> None:
    """Train all cells on a task; write compare.md, accuracy.png and gradients.png.

    Args:
        task: what to learn.
        out: folder of the files.
        seeds: number of repetitions.
        epochs: number of epochs.
        steps: batches in an epoch.
    """
    x, targets = task.validation
    rows = np.random.default_rng(0).permutation(len(targets))[:GRADIENT_EXAMPLES]
    x, targets = x[rows], targets[rows]
    untrained = {name: Learner(task, name, UNITS, 0).gradient_norms(x, targets) for name in CELLS}
    repetitions = train_cells(task, seeds, epochs, steps)
    trained = {
        learners[0].name: learners[0].gradient_norms(x, targets)
        for learners in repetitions[: len(CELLS)]
    }
    curves = {
        f"{learners[0].name}, {learners[0].units} units": [one.accuracies for one in learners]
        for learners in repetitions
    }
    plot_cell_accuracy(curves, out / "accuracy.png")
    plot_gradient_reach(untrained, trained, out / "gradients.png")
    parts = [
        cell_table(repetitions),
        f"{seeds} seeds, {epochs} epochs of {steps} batches of {BATCH}.",
        gradient_table(untrained, trained),
        "Norm of the gradient by the first state, relative to that by the last state.",
        "![Validation accuracy](accuracy.png)",
        "![Gradient norms](gradients.png)",
    ]
    write_text(out / "compare.md", "\n\n".join(parts) + "\n")


def cell_table(repetitions: Sequence[Sequence[Learner]]) -> str:
    """Return a Markdown table with a row for each cell and size."""
    header = [
        "cell",
        "units",
        "parameters",
        "multiply-adds",
        "accuracy",
        f"epochs to {TARGET_ACCURACY:.0%}",
        "ms a step",
        "bytes, int8 weights",
        "ms a sequence",
    ]
    return markdown_table([header, *map(_cell_row, repetitions)])


def _cell_row(learners: Sequence[Learner]) -> list[str]:
    first = learners[0]
    accuracies = [learner.accuracies[-1] for learner in learners]
    seconds = [s for learner in learners for s in learner.seconds[1:]]  # the first step traces
    size, milliseconds = exported_size_and_time(first)
    return [
        first.name,
        f"{first.units}",
        f"{first.parameters():,}",
        f"{first.multiply_adds():,}",
        f"{np.mean(accuracies):.2%} ± {np.std(accuracies, ddof=len(accuracies) > 1):.2%}",
        epochs_to_target([learner.accuracies for learner in learners]),
        f"{1e3 * statistics.median(seconds):.1f}",
        f"{size:,}",
        f"{milliseconds:.3f}",
    ]


def epochs_to_target(accuracies: Sequence[Sequence[float]]) -> str:
    """Return the mean number of epochs to `TARGET_ACCURACY`, and how many seeds reached it.

    Args:
        accuracies: of each seed, by epoch.
    """
    first = [
        next((epoch for epoch, a in enumerate(of_seed, 1) if a >= TARGET_ACCURACY), None)
        for of_seed in accuracies
    ]
    reached = [epoch for epoch in first if epoch is not None]
    if not reached:
        return "not reached"
    mean = f"{np.mean(reached):.1f}"
    if len(reached) < len(first):
        return f"{mean}, {len(reached)} of {len(first)} seeds"
    return mean


def exported_size_and_time(learner: Learner) -> tuple[int, float]:
    """Return the bytes of the network as .tflite with int8 weights, and ms for a sequence."""
    content = to_tflite(learner.model, quantize="dynamic")
    runner = Interpreter(model_content=content, num_threads=1).get_signature_runner()
    inputs = {
        name: np.zeros(details["shape"], np.float32)
        for name, details in runner.get_input_details().items()
    }
    seconds = rounds({"": lambda: runner(**inputs)}, TIMED_SEQUENCES)[""]
    return len(content), 1e3 * statistics.median(seconds)


def gradient_table(untrained: Norms, trained: Norms) -> str:
    """Return a Markdown table: the gradient by the first state over that by the last state."""
    rows = [["cell", "untrained", "trained"]]
    for name in CELLS:
        rows.append(
            [name, *(f"{norms[name][0] / norms[name][-1]:.1e}" for norms in (untrained, trained))]
        )
    return markdown_table(rows)


def report_lags(lags: Sequence[int], out: Path, seeds: int, steps: int) -> None:
    """Train all cells at each lag; write lags.md and lags.png.

    Args:
        lags: in steps.
        out: folder of the files.
        seeds: number of repetitions.
        steps: batches at each lag, at most.
    """
    accuracies = accuracy_at_lags(lags, seeds, steps)
    plot_lags(accuracies, lags, out / "lags.png")
    rows = [["cell", *(f"lag {lag}" for lag in lags)]]
    for name, by_lag in accuracies.items():
        rows.append([name, *(f"{np.mean(seeds):.0%} ({min(seeds):.0%})" for seeds in by_lag)])
    parts = [
        markdown_table(rows),
        f"Accuracy on the first of four symbols: mean (worst) of {seeds} seeds after at most "
        f"{steps} batches of {LAG_BATCH}, with {LAG_UNITS} units. Chance is 25 %.",
        "![Accuracy at each lag](lags.png)",
    ]
    write_text(out / "lags.md", "\n\n".join(parts) + "\n")
