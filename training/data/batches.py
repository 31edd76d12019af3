"""TODO: sampling."""

from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from training.clips.errors import DataError
from training.clips.words import UNKNOWN
from training.data.clip_table import Rows

if TYPE_CHECKING:
    from training.data.task import Task

NEGATIVE_SHARE = 0.25  # of what is drawn as "unknown", where there is negative speech
Pool = tuple[npt.NDArray[np.int32], npt.NDArray[np.float64]]


def make_pools(
    rows: Rows,
    labels: Sequence[str],
    data: Path,
    synthetic_weight: float,
    synthetic_share: float,
    spliced_share: float,
) -> list[Pool]:
    """For each label its rows and how probable each is.

    Raises:
        DataError: a label has no rows.
    """
    numbers = {label: number for number, label in enumerate(labels)}
    origins = np.array(rows.origins)
    answers = np.array([numbers.get(word, numbers[UNKNOWN]) for word in rows.words])
    # A word outside the task counts with the root of its clips: rare words are heard as well.
    named = list(zip(rows.origins, rows.words, strict=True))
    clips_of = Counter(named)
    weights = np.array(
        [
            1.0 if word in numbers or of == "synthetic" else clips_of[of, word] ** -0.5
            for of, word in named
        ]
    )
    pools = []
    for number, label in enumerate(labels):
        own = np.flatnonzero(answers == number).astype(np.int32)
        if not own.size:
            raise DataError(f"{data}: no training clips of {label!r}")
        count = Counter(origins[own].tolist())
        shares = dict.fromkeys(count, 1.0) | {"synthetic": synthetic_share}
        if label == UNKNOWN:
            shares["negative"] = NEGATIVE_SHARE
            if not count["backwards"]:
                shares["splice"] = spliced_share
        elif count["synthetic"]:
            heard = synthetic_weight * count["synthetic"]
            shares["synthetic"] = max(synthetic_share, heard / (heard + count["recorded"]))
        if count["recorded"]:
            others = count.keys() & {"negative", "splice", "synthetic"}
            shares["recorded"] -= sum(shares[of] for of in others)
        pools.append((own, _probabilities(origins[own], weights[own], shares)))
    return pools


def _probabilities(
    origin: npt.NDArray[np.str_], weights: npt.NDArray[np.float64], shares: dict[str, float]
) -> npt.NDArray[np.float64]:
    """Weights scaled so that each origin has its share of the draws, float64 (n,), sum 1."""
    scaled = weights.copy()
    for of in np.unique(origin):
        scaled[origin == of] *= shares[of] / weights[origin == of].sum()
    return scaled / scaled.sum()


def label_shares(labels: int, unknown_share: float, silence_share: float) -> list[float]:
    """How often each label is drawn: commands alike, then unknown and silence."""
    commands = labels - 2
    share = (1 - unknown_share - silence_share) / commands
    return [share] * commands + [unknown_share, silence_share]


def draw_batch(
    task: "Task", size: int, unknown_share: float, silence_share: float, rng: np.random.Generator
) -> tuple[npt.NDArray[np.int32], npt.NDArray[np.int32]]:
    """Rows of `task.clips` and their labels: commands alike often, int32 (size,) each."""
    shares = label_shares(len(task.labels), unknown_share, silence_share)
    answers = rng.choice(len(task.labels), size, p=shares).astype(np.int32)
    rows = np.empty(size, np.int32)
    for number in np.unique(answers):
        places = answers == number
        pool, weights = task.pools[number]
        rows[places] = rng.choice(pool, int(places.sum()), p=weights)
    return rows, answers
