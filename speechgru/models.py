"""The recogniser: audio -> MFCC -> scaling -> light causal convolution -> GRU -> logits."""

import dataclasses
from collections.abc import Sequence
from typing import Any, Literal

import keras

from speechgru.features import MFCC, MFCCConfig
from speechgru.gru import GRU

WINDOW_SECONDS = 1

Preset = Literal["small", "medium", "large"]


@dataclasses.dataclass(frozen=True)
class Architecture:
    """Sizes of a model; `conv_units` channels over `conv_width` frames feed the GRUs."""

    conv_units: int
    conv_width: int
    gru_units: tuple[int, ...]
    conv_stride: int = 2  # frames for each step of the GRUs


PRESETS: dict[str, Architecture] = {
    "small": Architecture(conv_units=40, conv_width=5, gru_units=(80,)),
    "medium": Architecture(conv_units=72, conv_width=5, gru_units=(112, 112)),
    "large": Architecture(conv_units=112, conv_width=5, gru_units=(208, 208)),
}


def build_model(
    preset: Preset,
    labels: Sequence[str],
    config: MFCCConfig = MFCCConfig(),
) -> keras.Model:
    """A Keras model from audio to logits.

    Args:
        preset: "small" (at most 40 K parameters), "medium" (160 K) or "large" (500 K).
        labels: the classes, in the order of the logits; at least two, no two alike.
        config: front-end settings. Default: those of MFCCConfig.

    Returns:
        A model with input (batch, samples of one second) in [-1, 1] and output (batch, labels),
        float32. Its layer "mfcc" is the front end; its layer "scale" holds mean and variance of
        every coefficient and is the identity until it is adapted to a training set.

    Raises:
        ValueError: unknown preset, too few or repeated labels.
    """
    if preset not in PRESETS:
        raise ValueError(f"`preset` must be one of {', '.join(PRESETS)}. Received: {preset!r}")
    if len(labels) < 2 or len(set(labels)) < len(labels):
        raise ValueError(f"`labels` must be two or more different words. Received: {labels!r}")
    sizes = PRESETS[preset]
    audio = keras.Input((config.sample_rate * WINDOW_SECONDS,), name="audio")
    x: Any = MFCC(config, name="mfcc")(audio)
    x = keras.layers.Normalization(name="scale")(x)
    # Causal, and the last step of the GRUs has seen the last frame.
    past = sizes.conv_width - sizes.conv_stride + -x.shape[1] % sizes.conv_stride
    x = keras.layers.ZeroPadding1D((past, 0), name="past")(x)
    x = keras.layers.Conv1D(
        sizes.conv_units,
        sizes.conv_width,
        strides=sizes.conv_stride,
        activation="relu",
        name="conv",
    )(x)
    for index, units in enumerate(sizes.gru_units):
        last = index == len(sizes.gru_units) - 1
        x = GRU(units, return_sequences=not last, name=f"gru_{index + 1}")(x)
    logits = keras.layers.Dense(len(labels), name="logits")(x)
    return keras.Model(audio, logits, name=f"speechgru_{preset}")
