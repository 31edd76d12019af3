"""The two experiments: all cells on one task, and all cells at several lags."""

import time
from collections.abc import Sequence

import numpy as np
from tqdm import tqdm

from training.comparison.cells import CELLS, REFERENCE, lag_cells
from training.comparison.learner import Learner
from training.comparison.tasks import RecallTask, Task

UNITS = 80
LAGS = (10, 20, 50, 100, 200, 500)  # steps
LAG_UNITS, LAG_BATCH, LAG_LEARNING_RATE = 40, 64, 5e-3
LAG_VALIDATION_STEPS = 50  # between two measurements of the accuracy
LEARNED = 0.999  # the accuracy at which training for a lag ends


def train_cells(task: Task, seeds: int, epochs: int, steps: int) -> list[list[Learner]]:
    """Train every cell at equal units and at equal parameters, all on the same batches.

    Args:
        task: what to learn.
        seeds: number of repetitions.
        epochs: the accuracy is measured after each.
        steps: batches in an epoch.

    Returns:
        For each cell and size the learners, one for each seed: first all cells with `UNITS` units,
        then those that need other sizes to have the parameters of `REFERENCE`.
    """
    sizes = cell_sizes(task)
    learners_of: list[list[Learner]] = [[] for _ in sizes]
    progress = tqdm(total=seeds * epochs * steps, unit="step", disable=None)
    start = time.monotonic()
    for seed in range(seeds):
        rng = np.random.default_rng(seed)
        learners = [Learner(task, name, units, seed) for name, units in sizes]
        for _ in range(epochs):
            for _ in range(steps):
                batch = task.batch(rng)
                for learner in learners:
                    learner.learn(*batch)
                progress.update()
            for learner in learners:
                learner.validate(task)
        for repetitions, learner in zip(learners_of, learners, strict=True):
            repetitions.append(learner)
        if progress.disable:  # stderr is not a terminal
            print(f"seed {seed + 1} of {seeds}: {time.monotonic() - start:.0f} s", flush=True)
    progress.close()
    return learners_of


def cell_sizes(task: Task) -> list[tuple[str, int]]:
    """Return the name and the units of each network that `train_cells` trains."""
    parameters = Learner(task, REFERENCE, UNITS, 0).parameters()
    equal_parameters = [(name, units_for(task, name, parameters)) for name in CELLS]
    equal_units = [(name, UNITS) for name in CELLS]
    return equal_units + [size for size in equal_parameters if size not in equal_units]


def units_for(task: Task, name: str, parameters: int) -> int:
    """Return the units with which the network of a cell has about so many parameters."""
    sizes = (1, 16, 32)  # the parameters are a n^2 + b n + c for n units
    a, b, c = np.polyfit(sizes, [Learner(task, name, n, 0).parameters() for n in sizes], 2)
    return round(float((-b + np.sqrt(b * b - 4 * a * (c - parameters))) / (2 * a)))


def accuracy_at_lags(lags: Sequence[int], seeds: int, steps: int) -> dict[str, list[list[float]]]:
    """Train every cell, and three with slow or other starts, to recall a symbol at each lag.

    Args:
        lags: in steps.
        seeds: number of repetitions.
        steps: batches, at most: training ends early when the task is learned.

    Returns:
        For each cell the accuracies, (lags, seeds).
    """
    accuracies: dict[str, list[list[float]]] = {name: [[] for _ in lags] for name in lag_cells(2)}
    runs = [
        (i, name, seed) for i in range(len(lags)) for name in accuracies for seed in range(seeds)
    ]
    for i, name, seed in tqdm(runs, "lags", disable=None):
        accuracies[name][i].append(_accuracy_at_lag(lags[i], name, seed, steps))
    return accuracies


def _accuracy_at_lag(lag: int, name: str, seed: int, steps: int) -> float:
    task, rng = RecallTask(lag), np.random.default_rng(seed)
    learner = Learner(
        task, name, LAG_UNITS, seed, learning_rate=LAG_LEARNING_RATE, cells=lag_cells(lag)
    )
    for step in range(1, steps + 1):
        learner.learn(*task.batch(rng, LAG_BATCH))
        if step % LAG_VALIDATION_STEPS == 0 and learner.validate(task) > LEARNED:
            break
    return learner.validate(task)
