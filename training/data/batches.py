"""Draw the clips of a batch: labels first, then clips of each label."""

import dataclasses
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Protocol

import numpy as np
import numpy.typing as npt

from training.clips.errors import DataError
from training.clips.words import UNKNOWN
from training.data.clip_table import ClipTable

NEGATIVE_SHARE = 0.25  # of what is drawn as "unknown", if there is negative speech
Pool = tuple[npt.NDArray[np.int32], npt.NDArray[np.float64]]  # rows and their probabilities


@dataclasses.dataclass(frozen=True)
class DrawShares:
    """How often clips are drawn that are not recordings of the data folder.

    Attributes:
        synthetic_weight: least number of synthetic clips of a command drawn for each real one,
            as a share of the synthetic clips for each real clip; at least 0.
        synthetic_share: least share of synthetic clips in what is drawn of a label, in [0, 1].
        spliced_share: share of splices of two commands in what is drawn of "unknown", in [0, 1].
            Default 0.
        negative_share: share of negative speech in what is drawn of "unknown", if there is any, in
            [0, 1]. Default 0.25.
    """

    synthetic_weight: float
    synthetic_share: float
    spliced_share: float = 0.0
    negative_share: float = NEGATIVE_SHARE

    def __post_init__(self) -> None:
        if not self.synthetic_weight >= 0:
            raise DataError(f"synthetic_weight: expected 0 or more, found {self.synthetic_weight}")
        for name in ("synthetic_share", "spliced_share", "negative_share"):
            if not 0 <= getattr(self, name) <= 1:
                raise DataError(f"{name}: expected 0 to 1, found {getattr(self, name)}")


class HasPools(Protocol):
    """A task, as far as drawing needs it."""

    labels: tuple[str, ...]
    pools: list[Pool]


def make_pools(
    table: ClipTable, labels: Sequence[str], shares: DrawShares, data: Path
) -> list[Pool]:
    """Return the rows of each label, and how probable each is when the label is drawn.

    Args:
        table: the training clips.
        labels: the labels of the task; other words are "unknown".
        shares: of clips that are not recordings.
        data: the data folder, named in errors.

    Returns:
        For each label the rows, int32 (n,), and their probabilities, float64 (n,).

    Raises:
        DataError: a label has no clips.
    """
    numbers = {label: number for number, label in enumerate(labels)}
    origins = np.array(table.origins)
    targets = np.array([numbers.get(word, numbers[UNKNOWN]) for word in table.words])
    # Another word counts with the root of its number of clips, so that rare words occur as well.
    described = list(zip(table.origins, table.words, strict=True))
    clips_of = Counter(described)
    weights = np.array(
        [
            1.0 if word in numbers or of == "synthetic" else clips_of[of, word] ** -0.5
            for of, word in described
        ]
    )
    pools = []
    for number, label in enumerate(labels):
        rows = np.flatnonzero(targets == number).astype(np.int32)
        if not rows.size:
            raise DataError(f"{data}: no training clips of {label!r}")
        own = _origin_shares(Counter(origins[rows].tolist()), label == UNKNOWN, shares)
        pools.append((rows, _probabilities(origins[rows], weights[rows], own)))
    return pools


def label_shares(labels: int, unknown_share: float, silence_share: float) -> list[float]:
    """Return how often each label is drawn: all commands equally, then unknown and silence.

    Args:
        labels: the number of labels, with unknown and silence.
        unknown_share: the probability of unknown.
        silence_share: the probability of silence.
    """
    commands = labels - 2
    share = (1 - unknown_share - silence_share) / commands
    return [share] * commands + [unknown_share, silence_share]


def draw_batch(
    task: HasPools, size: int, unknown_share: float, silence_share: float, rng: np.random.Generator
) -> tuple[npt.NDArray[np.int32], npt.NDArray[np.int32]]:
    """Draw a batch; see `label_shares` for the probabilities of the labels.

    Returns:
        Rows of `task.clips` and their targets, int32, shape (size,) each.
    """
    shares = label_shares(len(task.labels), unknown_share, silence_share)
    targets = rng.choice(len(task.labels), size, p=shares).astype(np.int32)
    rows = np.empty(size, np.int32)
    for number in np.unique(targets):
        places = targets == number
        pool, probabilities = task.pools[number]
        rows[places] = rng.choice(pool, int(places.sum()), p=probabilities)
    return rows, targets


def _origin_shares(count: Counter[str], is_unknown: bool, shares: DrawShares) -> dict[str, float]:
    """The share of each origin in what is drawn of a label; recordings take what is left."""
    own = dict.fromkeys(count, 1.0) | {"synthetic": shares.synthetic_share}
    if is_unknown:
        own["negative"] = shares.negative_share
        if not count["backwards"]:
            own["splice"] = shares.spliced_share
    elif count["synthetic"]:
        weighted = shares.synthetic_weight * count["synthetic"]
        weighted_share = weighted / (weighted + count["recorded"])
        own["synthetic"] = max(shares.synthetic_share, weighted_share)
    if count["recorded"]:
        others = count.keys() & {"negative", "splice", "synthetic"}
        own["recorded"] -= sum(own[of] for of in sorted(others))
    return own


def _probabilities(
    origins: npt.NDArray[np.str_], weights: npt.NDArray[np.float64], shares: dict[str, float]
) -> npt.NDArray[np.float64]:
    """Weights scaled so that each origin has its share of the draws, float64 (n,), sum 1."""
    scaled = weights.copy()
    for of in np.unique(origins):
        scaled[origins == of] *= shares[of] / weights[origins == of].sum()
    probabilities: npt.NDArray[np.float64] = scaled / scaled.sum()
    return probabilities
