"""The folder of a run: which files it has, how it is started, checked and resumed.

This module does not need TensorFlow.
"""

import dataclasses
import hashlib
import json
import os
import subprocess
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from speechgru.atomic_files import write_text
from speechgru.errors import SpeechGRUError
from training.loop.arguments import Options, UsageError, parse_arguments
from training.recipes.recipe import Recipe

ROOT = Path(__file__).resolve().parents[2]
MODEL = "model.keras"
STARTED = "run.json"  # the command, the folder it was typed in, the git revision
RECIPE = "recipe.json"
TASK = "task.json"  # labels and clips by name
SKIPPED = "skipped.txt"  # files that were not used, and why


class RunFolderError(SpeechGRUError, ValueError):
    """A folder that cannot be used for a run, or whose run cannot be resumed."""


def model_folders(out: Path, recipe: Recipe) -> list[Path]:
    """Return the folders of a run's models: the run's own, then one for each student."""
    return [out, *(out / student for student in recipe.students)]


def check_new(out: Path, recipe: Recipe) -> None:
    """Check that a run can be written to a folder and replaces no other run.

    Raises:
        RunFolderError: there is a run or a file in its place, or it cannot be written to.
    """
    for folder in model_folders(out, recipe):
        check_writable(folder)
        if (folder / MODEL).exists() or (folder / STARTED).exists():
            raise RunFolderError(
                f"--out: {folder}: expected a new folder, found a run (--resume continues it)"
            )


def check_writable(folder: Path) -> None:
    """Check that a folder can be written to, or can be made.

    Raises:
        RunFolderError: it cannot, or a file is in its place or in place of a folder above it.
    """
    try:
        place = _nearest(folder)
        if place.is_dir():
            with tempfile.TemporaryFile(dir=place):
                return
    except OSError as error:
        raise RunFolderError(
            f"--out: {folder}: expected a folder that can be written to, found: {error.strerror}"
        ) from error
    where = "" if place == folder else f" at {place}"
    raise RunFolderError(f"--out: {folder}: expected a folder, found a file{where}")


def _nearest(path: Path) -> Path:
    """Return a path, or the nearest one above it that exists."""
    try:
        os.lstat(path)  # and not stat: a link to nothing exists
    except (FileNotFoundError, NotADirectoryError):
        return _nearest(path.parent) if path.parent != path else path
    return path


def write_start(out: Path, options: Options, recipe: Recipe) -> None:
    """Write the files that `saved_options` reads.

    Raises:
        OSError: they cannot be written.
    """
    started = {"command": options.command, "folder": os.getcwd(), "git": _git_revision()}
    write_text(out / RECIPE, recipe_text(recipe))
    write_text(out / STARTED, json.dumps(started, indent=1))


def saved_options(options: Options) -> Options:
    """Return the options with which a run was started, with absolute paths.

    Epochs, batch size and seed are in the recipe, which is the folder's `recipe.json`.

    Args:
        options: options with `--resume`. `out` is the run's folder; any other option must be as
            the run was started, except `epochs`, which `lengthening` checks.

    Raises:
        RunFolderError: there is no run, or not one of this version, or an option differs.
    """
    out = options.out
    path = out / STARTED
    try:
        started = json.loads(path.read_text(encoding="utf-8"))
        if "options" in started and "folder" not in started:
            raise RunFolderError(
                f"{path}: expected a run of this version, found one of an earlier version; "
                "--start continues from its model"
            )
        command, folder = started["command"], started["folder"]
        if not all(isinstance(text, str) for text in (*command, folder)):
            raise TypeError(f"{command!r} in {folder!r}")
        saved = parse_arguments(command).from_folder(Path(folder))
    except OSError as error:
        raise RunFolderError(f"{path}: expected a run, found: {error.strerror}") from error
    except RunFolderError:
        raise
    except (UsageError, ValueError, KeyError, TypeError, RecursionError) as error:
        raise RunFolderError(f"{path}: expected the start of a run, found {error!r}") from error
    _check_same(options.from_folder(Path.cwd()), saved)
    return dataclasses.replace(
        saved, recipe=str(out / RECIPE), epochs=None, batch=None, seed=None, out=out, resume=True
    )


def _check_same(options: Options, saved: Options) -> None:
    for name in sorted(options.given - {"out", "resume", "epochs"}):
        found, expected = (_comparable(getattr(own, name)) for own in (options, saved))
        if found != expected:
            raise RunFolderError(
                f"--resume: expected --{name} as at the run's start ({expected}), found {found}"
            )


def _comparable(value: Any) -> Any:
    if isinstance(value, tuple):
        return tuple(_comparable(part) for part in value)
    return str(value.resolve()) if isinstance(value, Path) else value


def recipe_text(recipe: Recipe) -> str:
    """Return a recipe as JSON, which `load_recipe` reads."""
    return json.dumps(dataclasses.asdict(recipe), indent=1)


def check_task(out: Path, task: str) -> None:
    """Check that a run that is resumed has the clips that it was started with.

    Args:
        out: the folder of the run.
        task: labels and clips by name, as in its `task.json`.

    Raises:
        RunFolderError: they differ.
        OSError: `task.json` cannot be read.
    """
    if (out / TASK).read_bytes() != task.encode():
        raise RunFolderError(f"{out / TASK}: expected the clips of the data folder, found others")


def run_identity(
    recipe: Recipe, task: str, clips: npt.NDArray[np.int16], models: Sequence[Path]
) -> str:
    """Return a hash that tells this run from others.

    Args:
        recipe: the recipe.
        task: labels and clips by name.
        clips: int16, shape (clips, samples), the training clips.
        models: files of the models that the run starts or learns from.

    Returns:
        A hexadecimal digest.
    """
    digest = hashlib.blake2b((recipe_text(recipe) + task).encode())
    digest.update(np.ascontiguousarray(clips).data)
    for model in models:
        digest.update(model.read_bytes())
    return digest.hexdigest()


def _git_revision() -> str | None:
    """Return the commit of this clone, with "+" if files differ from it; None without git."""
    command = ["git", "-C", str(ROOT), "describe", "--always", "--abbrev=40", "--dirty=+"]
    try:
        return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()
    except (OSError, subprocess.CalledProcessError):
        return None
