"""Load the models of other runs: those to start from (--start) and teachers (--teachers)."""

import dataclasses
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import keras

import speechgru
from speechgru import modelfile, pretrained
from speechgru.pretrained import load_model
from training.clips.errors import DataError
from training.clips.window import RATE
from training.loop.arguments import is_bundled
from training.loop.network import build_preset, has_gru, window_seconds_of
from training.recipes.recipe import Recipe, RecipeError
from training.run_files.new_head import Head, copy_with_head, head_of
from training.run_files.run_folder import MODEL, RunFolderError
from training.run_files.trained_model import load_trained


@dataclasses.dataclass(frozen=True)
class EarlierRun:
    """A finished run, or a bundled model.

    Attributes:
        folder: its folder, or the name of the bundled model.
        model: its model.
        metrics: its `metrics.json`.
        file: the model's file.
        head: how the model of the new run gets its head, if its labels differ. Default None.
    """

    folder: Path
    model: keras.Model
    metrics: dict[str, Any]
    file: Path
    head: Head | None = None


def load_teachers(folders: Sequence[Path], recipe: Recipe) -> list[EarlierRun]:
    """Load teachers.

    Raises:
        ModelError: there is no model in a folder.
        RecipeError: a model has another front end than the recipe, or cannot run on a stream and
            the recipe has scenes.
    """
    teachers = [_load_run(folder) for folder in folders]
    for teacher in teachers:
        if recipe.scene_seconds > 1 and not has_gru(teacher.model):
            raise RecipeError(
                f"{teacher.folder}: expected a model with GRU layers to teach scenes, found "
                f"{teacher.model.name}"
            )
        found = teacher.model.get_layer("mfcc").config
        if found != recipe.front_end:
            raise RecipeError(
                f"{teacher.folder}: expected a model with {recipe.front_end}, found {found}"
            )
    return teachers


def load_start(folder: Path, recipe: Recipe) -> list[EarlierRun]:
    """Load the models that a run starts from: the preset's, then each student's.

    Args:
        folder: an earlier run. A model is in the folder of its preset's name if there is one. Or
            the name of a bundled model: then each preset starts from its own bundled model.
        recipe: the recipe of the new run.

    Raises:
        ModelError: there is no model in a folder.
        RunFolderError: it is not the folder of a run.
        RecipeError: a model is not of the recipe's preset or front end.
    """
    if is_bundled(folder):
        return [_load_bundled(preset, recipe) for preset in (recipe.preset, *recipe.students)]
    return [
        _load_start(own if (own := folder / preset).is_dir() else folder, preset, recipe)
        for preset in (recipe.preset, *recipe.students)
    ]


def _load_bundled(preset: str, recipe: Recipe) -> EarlierRun:
    if preset not in pretrained.NAMES:
        known = " or ".join(pretrained.NAMES)
        raise RecipeError(f"--start: expected a recipe of {known}, found the preset {preset}")
    bundled = modelfile.read(preset)
    metrics = {
        "labels": list(bundled.labels),
        "licence": bundled.settings["licence"],
        "commands": [f"# {preset}: the bundled model of speechgru {speechgru.__version__}"],
        "epochs": 0,
        "training_seconds": 0.0,
    }
    file = Path(pretrained.__file__).with_name(f"{preset}.keras")
    return _checked(EarlierRun(Path(preset), load_model(preset), metrics, file), preset, recipe)


def _load_run(folder: Path) -> EarlierRun:
    return EarlierRun(folder, *load_trained(folder), folder / MODEL)


def _load_start(folder: Path, preset: str, recipe: Recipe) -> EarlierRun:
    run = _load_run(folder)
    for key, kind in (("commands", list), ("epochs", int), ("training_seconds", (int, float))):
        if not isinstance(run.metrics.get(key), kind):
            raise RunFolderError(
                f"{folder / 'metrics.json'}: expected that of a run with `{key}`, found "
                f"{run.metrics.get(key)!r}"
            )
    return _checked(run, preset, recipe)


def _checked(run: EarlierRun, preset: str, recipe: Recipe) -> EarlierRun:
    front_end, window = run.model.get_layer("mfcc").config, window_seconds_of(run.model)
    expected = build_preset(preset, run.metrics["labels"], front_end, window)
    if front_end != recipe.front_end or _shapes(run.model) != _shapes(expected):
        raise RecipeError(
            f"{run.folder}: expected a model of preset {preset} with the recipe's front end, "
            f"found {run.model.name} with {front_end}"
        )
    return run


def with_labels(
    runs: Sequence[EarlierRun], labels: Sequence[str], recipe: Recipe
) -> list[EarlierRun]:
    """Return the runs that `load_start` returned with models that have the labels of a task.

    A model that has other labels is replaced by a new one with its weights and a new head; see
    `new_head.copy_with_head`.

    Args:
        runs: the runs.
        labels: the labels of the task.
        recipe: the recipe of the new run; its seed decides the new rows of the heads.
    """
    keras.utils.set_random_seed(recipe.seed)
    presets = (recipe.preset, *recipe.students)
    return [
        _with_labels(run, preset, labels, recipe) for run, preset in zip(runs, presets, strict=True)
    ]


def _with_labels(run: EarlierRun, preset: str, labels: Sequence[str], recipe: Recipe) -> EarlierRun:
    start_labels = run.metrics["labels"]
    if list(labels) == start_labels:
        return run
    model = build_preset(preset, labels, recipe.front_end, window_seconds_of(run.model))
    copy_with_head(run.model, start_labels, model, labels)
    return dataclasses.replace(run, model=model, head=head_of(labels, start_labels))


def check_labels(runs: Sequence[EarlierRun], labels: Sequence[str]) -> None:
    """Check that teachers have the labels of a task.

    Raises:
        DataError: a model has others.
    """
    for run in runs:
        if list(run.metrics["labels"]) != list(labels):
            raise DataError(
                f"{run.folder}: expected a model of {', '.join(labels)}, "
                f"found one of {', '.join(run.metrics['labels'])}"
            )


def check_windows(teachers: Sequence[EarlierRun], window: int) -> None:
    """Check that teachers have the window of a task, in samples.

    Raises:
        RecipeError: a teacher has another one.
    """
    for teacher in teachers:
        if (found := teacher.model.input_shape[1]) != window:
            raise RecipeError(
                f"{teacher.folder}: expected a teacher with a window of {window / RATE} s, as in "
                f"this run, found {found / RATE} s (`window_seconds` in the recipe sets the window)"
            )


def _shapes(model: keras.Model) -> list[Any]:
    outputs = [(layer.name, layer.output.shape) for layer in model.layers]
    return [*outputs, *(weight.shape for weight in model.weights)]
