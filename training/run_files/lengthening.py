"""Runs that are lengthened: `--resume --epochs N` with more epochs than a run has.

The added epochs have a learning rate of their own, which rises and falls as in the epochs before
(a warm restart: Loshchilov & Hutter 2017, arXiv:1608.03983). So a run of 36 epochs that is
lengthened to 60 is the same whether it had ended before or not.

This module does not need TensorFlow.
"""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from speechgru.atomic_files import write_text
from training.loop.arguments import Options
from training.recipes.recipe import Recipe
from training.run_files.run_folder import STARTED, RunFolderError

LENGTHENED = "lengthened"  # the key in run.json


class Lengthening(NamedTuple):
    """A command that lengthened a run.

    Attributes:
        command: the arguments as they were typed.
        before: the run's epochs before.
        epochs: the run's epochs after.
    """

    command: tuple[str, ...]
    before: int
    epochs: int


def lengthenings(options: Options, recipe: Recipe) -> tuple[Lengthening, ...]:
    """Return how a run that is resumed was lengthened before and is lengthened now, in order.

    Args:
        options: the options that were typed, with `--resume`.
        recipe: the recipe that the run was started with.

    Raises:
        RunFolderError: fewer epochs are asked for than the run has, or `run.json` is damaged.
    """
    found = _read(options.out)
    epochs = found[-1].epochs if found else recipe.epochs
    if options.epochs is None or options.epochs == epochs:
        return found
    if options.epochs < epochs:
        raise RunFolderError(
            f"--resume: expected --epochs of at least {epochs}, which the run has, found "
            f"{options.epochs}"
        )
    return (*found, Lengthening(options.command, epochs, options.epochs))


def write_lengthenings(out: Path, lengthened: Sequence[Lengthening]) -> None:
    """Write into `run.json` how a run is lengthened.

    Raises:
        OSError: it cannot be written.
    """
    started = json.loads((out / STARTED).read_text(encoding="utf-8"))
    found = [lengthening._asdict() for lengthening in lengthened]
    write_text(out / STARTED, json.dumps({**started, LENGTHENED: found}, indent=1))


def _read(out: Path) -> tuple[Lengthening, ...]:
    path = out / STARTED
    found = json.loads(path.read_text(encoding="utf-8")).get(LENGTHENED, [])
    try:
        return tuple(
            Lengthening(tuple(map(str, one["command"])), int(one["before"]), int(one["epochs"]))
            for one in found
        )
    except (ValueError, KeyError, TypeError) as error:
        raise RunFolderError(f"{path}: expected the start of a run, found {error!r}") from error
