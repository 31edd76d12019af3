"""Sizes of the models that `speechgru.build_model` makes. This module does not need TensorFlow."""

import dataclasses
from typing import Literal

WINDOW_SECONDS = 1

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
