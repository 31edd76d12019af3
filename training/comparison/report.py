"""TODO: report."""

import statistics
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import tensorflow as tf
from ai_edge_litert.interpreter import Interpreter

from training.comparison.cells import CELLS
from training.comparison.experiments import LAG_BATCH, LAG_UNITS, UNITS, compete, lag_accuracies
from training.comparison.learner import Learner
from training.comparison.tasks import BATCH
from training.comparison.timing import rounds
from training.figures.cells import plot_cells
from training.figures.lags import plot_lags
from training.output.atomic_files import write_text

LEARNT = 0.9


def exported(learner: Learner) -> tuple[int, float]:
    """Bytes of the network as .tflite with int8 weights, and ms a sequence."""
    from speechgru.conversion.converter import convert

    module = tf.Module()
    module.held = [w.value for w in learner.model.weights]
    spec = tf.TensorSpec((1, *learner.model.input_shape[1:]), name="x")
    run = tf.function(lambda x: {"y": learner.model(x, training=False)}).get_concrete_function(spec)
    packed = convert(module, {"run": run}, "dynamic")
    runner = Interpreter(model_content=packed, num_threads=1).get_signature_runner("run")
    x = np.zeros(spec.shape, np.float32)
    seconds = rounds({"": lambda: runner(x=x)}, 100)[""]
    return len(packed), 1e3 * statistics.median(seconds)


def table(teams: list[list[Learner]], of: str) -> str:
    """Markdown: a row for each cell at each size."""
    head = ["cell", "units", "parameters", "multiply-adds", "accuracy", f"epochs to {LEARNT:.0%}"]
    rows = [[*head, "ms a step", "bytes, int8 weights", "ms a sequence"]]
    for team in teams:
        first = team[0]
        last = [learner.history[-1] for learner in team]
        reached = [
            next((i + 1 for i, a in enumerate(o.history) if a >= LEARNT), None) for o in team
        ]
        known = [epoch for epoch in reached if epoch]
        epochs = f"{np.mean(known):.1f}" if len(known) == len(team) else "not reached"
        if known and len(known) < len(team):
            epochs = f"{np.mean(known):.1f}, {len(known)} of {len(team)} seeds"
        size, latency = exported(first)
        seconds = [s for learner in team for s in learner.seconds[1:]]  # the first traces
        rows.append(
            [
                first.name,
                f"{first.units}",
                f"{first.parameters():,}",
                f"{first.multiply_adds():,}",
                f"{np.mean(last):.2%} ± {np.std(last, ddof=len(last) > 1):.2%}",
                epochs,
                f"{1e3 * statistics.median(seconds):.1f}",
                f"{size:,}",
                f"{latency:.3f}",
            ]
        )
    return markdown(rows, f"{len(teams[0])} seeds, {of}")


def markdown(rows: Sequence[Sequence[str]], caption: str) -> str:
    lines = [f"| {' | '.join(row)} |" for row in rows]
    return "\n".join([lines[0], "|" + "---|" * len(rows[0]), *lines[1:], "", caption + "."])


def report_cells(task: Any, out: Path, seeds: int, epochs: int, steps: int) -> None:
    """Let the cells compete; write compare.md, accuracy.png and gradients.png."""
    rows = np.random.default_rng(0).permutation(len(task.validation[1]))[:64]
    x, answers = (values[rows] for values in task.validation)
    norms: dict[str, dict[str, Any]] = {"untrained": {}, "trained": {}}
    for name in CELLS:
        norms["untrained"][name] = Learner(task, name, UNITS, 0).gradient_norms(x, answers)
    teams = compete(task, seeds, epochs, steps)
    for team in teams[: len(CELLS)]:
        norms["trained"][team[0].name] = team[0].gradient_norms(x, answers)
    curves = {f"{team[0].name}, {team[0].units} units": [o.history for o in team] for team in teams}
    plot_cells(curves, norms, out)
    text = table(teams, f"{epochs} epochs of {steps} batches of {BATCH}")
    pictures = ["![Validation accuracy](accuracy.png)", "![Gradient norms](gradients.png)"]
    write_text(out / "compare.md", "\n\n".join([text, reach(norms), *pictures]) + "\n")


def reach(norms: dict[str, dict[str, Any]]) -> str:
    """Markdown: the part of the last state's gradient that reaches the first, for each cell."""
    rows = [["cell", *norms]]
    for name in CELLS:
        rows.append([name, *(f"{own[name][0] / own[name][-1]:.1e}" for own in norms.values())])
    steps = len(next(iter(norms["trained"].values()))) - 1
    return markdown(rows, f"gradient by the state {steps} steps back, over that by the last state")


def report_lags(lags: Sequence[int], out: Path, seeds: int, steps: int) -> None:
    """Let the cells remember; write lags.md and lags.png."""
    accuracies = lag_accuracies(lags, seeds, steps)
    rows = [["cell", *(f"lag {lag}" for lag in lags)]]
    for name, by_lag in accuracies.items():
        rows.append([name, *(f"{np.mean(a):.0%} ({min(a):.0%})" for a in by_lag)])
    text = markdown(
        rows,
        f"accuracy on the first of four symbols, mean (worst) of {seeds} seeds after at most "
        f"{steps} batches of {LAG_BATCH}, {LAG_UNITS} units; chance is 25 %",
    )
    plot_lags(accuracies, lags, out / "lags.png")
    write_text(out / "lags.md", f"{text}\n\n![Accuracy at each lag](lags.png)\n")
