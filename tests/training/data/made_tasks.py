"""Tasks that several tests make."""

from pathlib import Path
from typing import Any

from training.data.task import Task, make_task


def task(folder: Path, **changes: Any) -> Task:
    """The task of a folder with the commands yes and no, and without other sources."""
    arguments: dict[str, Any] = {
        "words": ["yes", "no"],
        "negative": [],
        "synthetic": None,
        "synthetic_weight": 0.2,
        "synthetic_share": 0.0,
        "seed": 0,
    }
    return make_task(folder, **{**arguments, **changes})
