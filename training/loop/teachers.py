"""Teachers: what a recipe's models learn from, and two that no device runs.

Those are convolutions over the whole second: over time and frequency at first, as bands of the
spectrum have neighbours, then residual ones over time alone, after TC-ResNet (Choi 2019,
arXiv:1904.03814). They hear what comes after as well as what came before.
"""

import dataclasses
from collections.abc import Sequence
from typing import Any

import keras

from speechgru.architectures import WINDOW_SECONDS
from speechgru.features import MFCCConfig
from speechgru.gru import GRU
from speechgru.mfcc_layer import MFCC
from speechgru.models import InverseDCT, build_model, streaming

WIDTH = 9  # of the convolutions over time


@dataclasses.dataclass(frozen=True)
class Teacher:
    """Channels and strides after a first convolution of 24 channels over every second band.

    Args:
        spectral: residual blocks over time and frequency, or single convolutions where `plain`.
        temporal: residual blocks over time.
        plain: whether `spectral` is of single convolutions. Default False.
    """

    spectral: tuple[tuple[int, Any], ...]
    temporal: tuple[tuple[int, int], ...]
    plain: bool = False


TEACHERS = {  # presets in a recipe
    "convolutions": Teacher(((48, 2),), ((112, 1), (144, 2), (192, 2)), plain=True),
    "residual": Teacher(((32, 2), (56, (1, 2))), ((144, 2), (192, 2))),
}


def build(preset: str, labels: Sequence[str], config: MFCCConfig) -> keras.Model:
    """An untrained model of a recipe's preset: a teacher, or one of `build_model`."""
    if preset in TEACHERS:
        return build_teacher(preset, labels, config)
    return build_model(preset, labels, config)


def build_teacher(
    preset: str, labels: Sequence[str], config: MFCCConfig = MFCCConfig()
) -> keras.Model:
    """A Keras model from audio to logits that is no stream's.

    Args:
        preset: "convolutions" (1.3 M parameters) or "residual" (1.1 M).
        labels: the classes, in the order of the logits.
        config: front-end settings. Default: those of MFCCConfig.

    Returns:
        A model with the input, the output and the layers "mfcc", "scale" and "logits" of
        `build_model`.
    """
    audio = keras.Input((config.sample_rate * WINDOW_SECONDS,), name="audio")
    x: Any = MFCC(config, name="mfcc")(audio)
    scaled = keras.layers.Normalization(name="scale")(x)
    logits = _heard(scaled, len(labels), TEACHERS[preset])
    return keras.Model(audio, logits, name=f"speechgru_{preset}")


def classifier(model: keras.Model) -> keras.Model:
    """A model without its front end: as `streaming` makes it, for a teacher without a state."""
    scaled = model.get_layer("scale").input
    if any(isinstance(layer, GRU) for layer in model.layers):
        return streaming(model, scaled.shape[1])
    mfcc = keras.Input(scaled.shape[1:], name="mfcc")
    return keras.Model({"mfcc": mfcc}, {"logits": keras.Model(scaled, model.output)(mfcc)})


def _heard(x: Any, labels: int, sizes: Teacher) -> Any:
    x = keras.layers.Dense(x.shape[2], kernel_initializer=InverseDCT(), name="bands")(x)
    x = keras.layers.Reshape((*x.shape[1:], 1))(x)
    x = _convolved(x, 24, (3, 5), (1, 2))
    block = _convolved if sizes.plain else _residual
    for channels, stride in sizes.spectral:
        x = block(x, channels, 3, stride)
    x = keras.layers.Reshape((x.shape[1], x.shape[2] * x.shape[3]))(x)
    x = _convolved(x, sizes.temporal[0][0], 1, 1)
    for channels, stride in sizes.temporal:
        x = _residual(x, channels, WIDTH, stride)
    x = keras.layers.GlobalAveragePooling1D()(x)
    return keras.layers.Dense(labels, name="logits")(x)


def _residual(x: Any, channels: int, size: int, strides: Any) -> Any:
    past = _convolved(x, channels, 1, strides)
    x = _convolved(x, channels, size, strides)
    x = _convolved(x, channels, size, 1, rectified=False)
    return keras.layers.ReLU()(keras.layers.Add()([x, past]))


def _convolved(x: Any, channels: int, size: Any, strides: Any, rectified: bool = True) -> Any:
    """Over time and frequency where `x` has both, else over time."""
    convolution = keras.layers.Conv2D if len(x.shape) == 4 else keras.layers.Conv1D
    x = convolution(channels, size, strides=strides, padding="same", use_bias=False)(x)
    x = keras.layers.BatchNormalization()(x)
    return keras.layers.ReLU()(x) if rectified else x
