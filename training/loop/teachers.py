"""Convolutional teachers: models that are too large for devices and cannot run on a stream.

They convolve over the whole window: first over time and frequency, then, in residual blocks, over
time alone, after TC-ResNet (Choi 2019, arXiv:1904.03814). Each output depends on later frames as
well as earlier ones.
"""

import dataclasses
from collections.abc import Sequence
from typing import Any

import keras

from speechgru.architectures import WINDOW_SECONDS, window_samples
from speechgru.features import MFCCConfig
from speechgru.mfcc_layer import MFCC
from speechgru.models import InverseDCT

Strides = int | tuple[int, int]
FIRST_CHANNELS = 24  # of the first convolution, which takes every second band
WIDTH = 9  # frames under the convolutions over time


@dataclasses.dataclass(frozen=True)
class Teacher:
    """Channels and strides of a teacher's blocks, after the first convolution.

    Args:
        spectral: blocks over time and frequency.
        temporal: residual blocks over time.
        plain: whether the spectral blocks are single convolutions instead of residual blocks.
            Default False.
    """

    spectral: tuple[tuple[int, Strides], ...]
    temporal: tuple[tuple[int, int], ...]
    plain: bool = False


TEACHERS = {  # presets in a recipe
    "convolutions": Teacher(((48, 2),), ((112, 1), (144, 2), (192, 2)), plain=True),
    "residual": Teacher(((32, 2), (56, (1, 2))), ((144, 2), (192, 2))),
}


def build_teacher(
    preset: str,
    labels: Sequence[str],
    config: MFCCConfig = MFCCConfig(),
    *,
    window_seconds: float = WINDOW_SECONDS,
) -> keras.Model:
    """Build a Keras model from audio to logits.

    Args:
        preset: "convolutions" (1.3 M parameters) or "residual" (1.1 M).
        labels: the classes, in the order of the logits.
        config: front-end settings. Default: those of MFCCConfig.
        window_seconds: length of the audio that the model takes, as for `speechgru.build_model`.
            Default 1.0.

    Returns:
        An untrained model with the input, the output and the layers "mfcc", "scale" and "logits"
        of `speechgru.build_model`.

    Raises:
        ValueError: the window is out of its range or not a whole number of hops.
    """
    audio = keras.Input((window_samples(window_seconds, config),), name="audio")
    x: Any = MFCC(config, name="mfcc")(audio)
    scaled = keras.layers.Normalization(name="scale")(x)
    logits = _classify(scaled, len(labels), TEACHERS[preset])
    return keras.Model(audio, logits, name=f"speechgru_{preset}")


def _classify(x: Any, labels: int, teacher: Teacher) -> Any:
    """Scaled MFCC, (batch, frames, coefficients), to logits, (batch, labels)."""
    x = keras.layers.Dense(x.shape[2], kernel_initializer=InverseDCT(), name="bands")(x)
    x = keras.layers.Reshape((*x.shape[1:], 1))(x)
    x = _convolve(x, FIRST_CHANNELS, (3, 5), (1, 2))
    block = _convolve if teacher.plain else _residual_block
    for channels, strides in teacher.spectral:
        x = block(x, channels, 3, strides)
    x = keras.layers.Reshape((x.shape[1], x.shape[2] * x.shape[3]))(x)
    x = _convolve(x, teacher.temporal[0][0], 1, 1)
    for channels, strides in teacher.temporal:
        x = _residual_block(x, channels, WIDTH, strides)
    x = keras.layers.GlobalAveragePooling1D()(x)
    return keras.layers.Dense(labels, name="logits")(x)


def _residual_block(x: Any, channels: int, size: int, strides: Strides) -> Any:
    shortcut = _convolve(x, channels, 1, strides)
    x = _convolve(x, channels, size, strides)
    x = _convolve(x, channels, size, 1, activate=False)
    return keras.layers.ReLU()(keras.layers.Add()([x, shortcut]))


def _convolve(
    x: Any, channels: int, size: int | tuple[int, int], strides: Strides, activate: bool = True
) -> Any:
    """Convolve over time and frequency if `x` has both, else over time."""
    convolution = keras.layers.Conv2D if len(x.shape) == 4 else keras.layers.Conv1D
    x = convolution(channels, size, strides=strides, padding="same", use_bias=False)(x)
    x = keras.layers.BatchNormalization()(x)
    return keras.layers.ReLU()(x) if activate else x
