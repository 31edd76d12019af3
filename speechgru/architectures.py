"""Sizes of the models that `speechgru.build_model` makes. This module does not need TensorFlow."""

import dataclasses
from numbers import Real
from typing import Literal

from speechgru.features import MFCCConfig

WINDOW_SECONDS = 1.0  # of a model, unless another window is asked for
MAX_WINDOW_SECONDS = 3.0
HOP_FRAMES = 2  # MFCC frames from one step of the GRUs to the next

Preset = Literal["small", "medium", "large"]


@dataclasses.dataclass(frozen=True)
class Architecture:
    """Sizes of a model.

    Args:
        channels: channels of the two convolutions.
        conv_units: units of the dense layer after them.
        gru_units: units of each GRU.
    """

    channels: tuple[int, int]
    conv_units: int
    gru_units: tuple[int, ...]


PRESETS: dict[str, Architecture] = {
    "small": Architecture(channels=(12, 20), conv_units=40, gru_units=(76,)),
    "medium": Architecture(channels=(16, 24), conv_units=64, gru_units=(112, 112)),
    "large": Architecture(channels=(24, 40), conv_units=96, gru_units=(206, 206)),
}


def window_samples(seconds: float, config: MFCCConfig) -> int:
    """Return the number of samples of a model's window.

    A window is a whole number of hops, so that a stream ends a hop where a window ends. One second
    is allowed with every front end.

    Args:
        seconds: 1 to 3.
        config: front-end settings.

    Raises:
        ValueError: the window is out of this range or is not a whole number of hops.
    """
    is_number = isinstance(seconds, Real) and not isinstance(seconds, bool)
    if not is_number or not WINDOW_SECONDS <= seconds <= MAX_WINDOW_SECONDS:
        raise ValueError(
            f"expected a window of {WINDOW_SECONDS:g} to {MAX_WINDOW_SECONDS:g} seconds, found "
            f"{seconds!r}"
        )
    hop = HOP_FRAMES * config.hop_length
    samples = round(seconds * config.sample_rate)
    is_whole = abs(seconds * config.sample_rate - samples) < 1e-3 and samples % hop == 0
    if seconds != WINDOW_SECONDS and not is_whole:
        raise ValueError(
            f"expected a window of a whole number of hops of {1000 * hop / config.sample_rate:g} "
            f"ms, found {seconds!r} seconds"
        )
    return samples
