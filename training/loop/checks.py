"""What can be checked about a run before TensorFlow starts and any clip is read."""

import dataclasses
from pathlib import Path

from training.clips.errors import DataError
from training.clips.finding import find_recordings
from training.loop import run_folder
from training.loop.arguments import Options, UsageError
from training.loop.trained_model import read_metrics
from training.recipes.recipe import Recipe, load_recipe, override


@dataclasses.dataclass(frozen=True)
class Plan:
    """A run whose options have been checked.

    Attributes:
        options: the options; those of the run's start if it is resumed.
        recipe: the recipe, with the options' epochs and seed.
    """

    options: Options
    recipe: Recipe


def check_options(options: Options) -> Plan:
    """Check the options of a run.

    Raises:
        SpeechGRUError: an option, the recipe or a folder cannot be used.
        OSError: a file or folder cannot be read or written.
    """
    if options.resume:
        options = run_folder.saved_options(options.out)
    recipe = override(load_recipe(options.recipe), epochs=options.epochs, seed=options.seed)
    if options.resume:
        run_folder.check_writable(options.out)
    else:
        run_folder.check_new(options.out, recipe)
    _check_data(options)
    for folder in (options.start, *options.teachers):
        if folder is not None:
            _check_run(folder)
    return Plan(options, recipe)


def _check_data(options: Options) -> None:
    for name, content in (
        ("data", "<word>/*.wav"),
        ("synthetic", "<word>/*.wav"),
        ("negative", "sound files"),
        ("noise", "sound files"),
    ):
        folder: Path | None = getattr(options, name)
        if folder is None:
            continue
        if not folder.is_dir():
            found = "a file" if folder.exists() else "nothing"
            raise DataError(f"--{name}: {folder}: expected a folder of {content}, found {found}")
        if content == "sound files" and not find_recordings(folder):
            raise DataError(f"--{name}: {folder}: expected a folder of {content}, found none in it")


def _check_run(folder: Path) -> None:
    if folder.exists() and not folder.is_dir():
        raise UsageError(f"{folder}: expected the folder of a run, found a file")
    read_metrics(folder / run_folder.MODEL)
