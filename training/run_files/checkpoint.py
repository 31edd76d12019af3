"""Save and load the state of a run between two epochs, in one .npz file."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from speechgru.atomic_files import replacing
from speechgru.errors import SpeechGRUError

Array = npt.NDArray[Any]


class CheckpointError(SpeechGRUError, ValueError):
    """A checkpoint that is damaged or belongs to another run."""


def save(path: Path, arrays: Sequence[Array], progress: dict[str, Any]) -> None:
    """Write a checkpoint.

    Args:
        path: the file.
        arrays: weights and the optimizer's variables.
        progress: values that JSON can hold, such as the history.

    Raises:
        OSError: it cannot be written. An earlier file at `path` stays as it was.
    """
    named: dict[str, Any] = {f"{number:04}": array for number, array in enumerate(arrays)}
    with replacing(path) as unfinished:
        np.savez(unfinished, progress=np.array(json.dumps(progress)), **named)


def load(path: Path) -> tuple[list[Array], dict[str, Any]]:
    """Read a checkpoint that `save` wrote. Nothing in the file is executed.

    Returns:
        The arrays and the progress.

    Raises:
        CheckpointError: there is no such file, or it is damaged.
    """
    try:
        with open(path, "rb") as stream, np.load(stream, allow_pickle=False) as file:
            names = sorted(set(file.files) - {"progress"})
            progress = json.loads(str(file["progress"]))
            if not isinstance(progress, dict):
                raise ValueError(f"progress {progress!r}")
            return [file[name] for name in names], progress
    except Exception as error:  # zipfile, numpy and json raise many kinds
        raise CheckpointError(f"{path}: expected the checkpoint of a run, found {error}") from error
