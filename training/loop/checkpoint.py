"""The state of a run between two epochs, in one file that is written whole or not at all."""

import json
from pathlib import Path
from typing import Any

import numpy as np

from training.output.atomic_files import replacing


class CheckpointError(ValueError):
    """A checkpoint that does not belong to this run or cannot be read."""


def save(path: Path, arrays: list[np.ndarray], progress: dict[str, Any]) -> None:
    """Write arrays and plain values to an .npz file.

    Args:
        path: where to.
        arrays: everything that the next epoch starts from.
        progress: values that JSON can hold, such as the history.

    Raises:
        OSError: it cannot be written; an earlier file at `path` is as it was.
    """
    named = {f"{number:04}": array for number, array in enumerate(arrays)}
    with replacing(path) as unfinished:
        np.savez(unfinished, progress=np.array(json.dumps(progress)), **named)


def load(path: Path) -> tuple[list[np.ndarray], dict[str, Any]]:
    """Read what `save` wrote; nothing in the file is executed.

    Raises:
        CheckpointError: no such file, or it is damaged.
    """
    try:
        with open(path, "rb") as stream, np.load(stream, allow_pickle=False) as file:
            names = sorted(set(file.files) - {"progress"})
            progress = json.loads(str(file["progress"]))
            if not isinstance(progress, dict):
                raise ValueError(f"progress {progress!r}")
            return [file[name] for name in names], progress
    except Exception as error:  # zipfile, numpy and json raise many kinds for damaged files
        raise CheckpointError(f"{path}: expected the checkpoint of a run, found {error}") from error
