"""What can be checked about a run before TensorFlow starts and any clip is read."""

import contextlib
import dataclasses
import io
from collections.abc import Sequence
from pathlib import Path

from speechgru import pretrained
from training.clips.errors import DataError
from training.clips.finding import find_clips, find_recordings
from training.clips.words import SILENCE, UNKNOWN, choose_words
from training.loop.arguments import Options, UsageError, is_bundled
from training.recipes.recipe import Recipe, load_recipe, override, with_batch_size
from training.run_files import run_folder
from training.run_files.lengthening import Lengthening, lengthenings
from training.run_files.trained_model import read_metrics


@dataclasses.dataclass(frozen=True)
class Plan:
    """A run whose options have been checked.

    Attributes:
        options: the options; those of the run's start if it is resumed.
        recipe: the recipe, with the options' epochs, seed and batch size. That of `--batch auto`
            is known when the device is.
        labels: the labels of the data folder; None if it is still to be downloaded.
        lengthened: how a run that is resumed was or is lengthened. Default: not at all.
    """

    options: Options
    recipe: Recipe
    labels: tuple[str, ...] | None
    lengthened: tuple[Lengthening, ...] = ()


def check_options(options: Options) -> Plan:
    """Check the options of a run.

    Raises:
        SpeechGRUError: an option, the recipe or a folder cannot be used.
        OSError: a file or folder cannot be read.
    """
    typed = options
    if options.resume:
        options = run_folder.saved_options(options)
    recipe = override(load_recipe(options.recipe), epochs=options.epochs, seed=options.seed)
    if options.phrases and options.start is None and recipe.preset in pretrained.NAMES:
        options = dataclasses.replace(options, start=Path(recipe.preset))
    if isinstance(options.batch, int):
        recipe = with_batch_size(recipe, options.batch)
    lengthened: tuple[Lengthening, ...] = ()
    if options.resume:
        run_folder.check_writable(options.out)
        lengthened = lengthenings(typed, recipe)
        recipe = override(recipe, epochs=lengthened[-1].epochs if lengthened else None)
    else:
        run_folder.check_new(options.out, recipe)
    if recipe.scene_seconds > 1:
        _check_scenes(options)
    _check_data(options)
    labels = find_labels(options.data, options.phrases or options.words) if options.data else None
    if options.start is not None:
        _check_start(options.start, recipe)
    for teacher in options.teachers:
        _check_run(teacher)
    return Plan(options, recipe, labels, lengthened)


def _check_scenes(options: Options) -> None:
    if options.features == "librosa":
        raise UsageError("--features librosa: expected a recipe of single clips, found scenes")


def find_labels(data: Path, words: Sequence[str] | None) -> tuple[str, ...]:
    """Return the labels that a model of a data folder has, from its files' names.

    Args:
        data: folder of <word>/*.wav.
        words: the command words, or None, as for `make_task`.

    Raises:
        DataError: it holds no such words.
    """
    with _without_warnings():
        clips = find_clips(data)
    return (*choose_words(clips, words), UNKNOWN, SILENCE)


def _check_data(options: Options) -> None:
    folders = [("data", options.data), ("synthetic", options.synthetic), ("noise", options.noise)]
    for name, folder in [*folders, *(("negative", folder) for folder in options.negative)]:
        if folder is not None:
            _check_folder(name, folder, options.out)


def _check_folder(name: str, folder: Path, out: Path) -> None:
    content = "<word>/*.wav" if name in ("data", "synthetic") else "sound files"
    if folder.resolve() == out.resolve():
        raise DataError(f"--out: {folder}: expected another folder than that of --{name}")
    if not folder.is_dir():
        found = "a file" if folder.exists() else "nothing"
        raise DataError(f"--{name}: {folder}: expected a folder of {content}, found {found}")
    if name == "data":  # `find_labels` looks into it
        return
    with _without_warnings():
        clips = find_recordings(folder) if content == "sound files" else find_clips(folder)
    if not clips:
        raise DataError(f"--{name}: {folder}: expected a folder of {content}, found none in it")


def _without_warnings() -> contextlib.AbstractContextManager[object]:
    """Suppress warnings about files, which are repeated when the files are read."""
    return contextlib.redirect_stderr(io.StringIO())


def _check_start(start: Path, recipe: Recipe) -> None:
    presets = (recipe.preset, *recipe.students)
    if not is_bundled(start):
        _check_run(start)
    elif str(start) not in presets:
        raise UsageError(
            f"--start: expected a recipe of the preset {start}, found one of {', '.join(presets)}"
        )


def _check_run(folder: Path) -> None:
    if folder.exists() and not folder.is_dir():
        raise UsageError(f"{folder}: expected the folder of a run, found a file")
    read_metrics(folder / run_folder.MODEL)
