"""What to evaluate in streams."""

import dataclasses
from collections.abc import Sequence
from pathlib import Path

from training.evaluation.speakers import UNRESERVED, Speakers
from training.evaluation.streams.recipe import StreamRecipe


@dataclasses.dataclass(frozen=True)
class StreamOptions:
    """What to evaluate in streams.

    Attributes:
        recipe: what the streams consist of.
        negatives: folders of recordings without a command. Default: none.
        speakers: whose words and recordings are used. Default: all but the reserved third.
        choose: choose thresholds for so many false accepts an hour and write them into the model
            file; needs `negatives`. Default None: use those of the file.
    """

    recipe: StreamRecipe
    negatives: Sequence[Path] = ()
    speakers: Speakers = UNRESERVED
    choose: float | None = None
