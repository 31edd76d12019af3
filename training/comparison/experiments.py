"""TODO: experiments."""

import time
from collections.abc import Sequence
from typing import Any

import numpy as np
from tqdm import tqdm

from training.comparison.cells import CELLS, REFERENCE, lag_cells
from training.comparison.learner import Learner
from training.comparison.tasks import Recall

UNITS = 80
LAGS = (10, 20, 50, 100, 200, 500)
LAG_UNITS, LAG_BATCH, LAG_RATE = 40, 64, 5e-3


def units_for(task: Any, name: str, parameters: int) -> int:
    """Units with which a network of this cell has about so many parameters."""
    sizes = (1, 16, 32)  # for a n^2 + b n + c
    a, b, c = np.polyfit(sizes, [Learner(task, name, n, 0).parameters() for n in sizes], 2)
    return round((-b + np.sqrt(b * b - 4 * a * (c - parameters))) / (2 * a))


def compete(task: Any, seeds: int, epochs: int, steps: int) -> list[list[Learner]]:
    """Every cell at both sizes, all from the same batches: for each a learner a seed."""
    goal = Learner(task, REFERENCE, UNITS, 0).parameters()
    sizes = [(name, UNITS) for name in CELLS]
    sizes += [(name, units) for name in CELLS if (units := units_for(task, name, goal)) != UNITS]
    teams: list[list[Learner]] = [[] for _ in sizes]
    bar = tqdm(total=seeds * epochs * steps, unit="step", disable=None)
    began = time.monotonic()
    for seed in range(seeds):
        rng = np.random.default_rng(seed)
        learners = [Learner(task, name, units, seed) for name, units in sizes]
        for _ in range(epochs):
            for _ in range(steps):
                batch = task.batch(rng)
                for learner in learners:
                    learner.learn(*batch)
                bar.update()
            for learner in learners:
                learner.validate(task)
        for team, learner in zip(teams, learners, strict=True):
            team.append(learner)
        if bar.disable:
            print(f"seed {seed + 1} of {seeds}: {time.monotonic() - began:.0f} s", flush=True)
    bar.close()
    return teams


def lag_accuracies(lags: Sequence[int], seeds: int, steps: int) -> dict[str, list[list[float]]]:
    """For each cell and lag the accuracy of each seed after `steps`, or once it is learnt."""
    found: dict[str, list[list[float]]] = {name: [[] for _ in lags] for name in lag_cells(2)}
    runs = [
        (place, name, seed) for place in range(len(lags)) for name in found for seed in range(seeds)
    ]
    for place, name, seed in tqdm(runs, "lags", disable=None):
        task, rng = Recall(lags[place]), np.random.default_rng(seed)
        cells = lag_cells(lags[place])
        learner = Learner(task, name, LAG_UNITS, seed, rate=LAG_RATE, cells=cells)
        for step in range(1, steps + 1):
            learner.learn(*task.batch(rng, LAG_BATCH))
            if step % 50 == 0 and learner.validate(task) > 0.999:
                break
        found[name][place].append(learner.validate(task))
    return found
