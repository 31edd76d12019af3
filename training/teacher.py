"""Teachers: what a recipe's models learn from, and one that no device runs.

That one is residual convolutions over the whole second, after TC-ResNet (Choi 2019,
arXiv:1904.03814).
"""

from collections.abc import Sequence
from typing import Any

import keras

from speechgru.features import MFCC, MFCCConfig
from speechgru.gru import GRU
from speechgru.models import WINDOW_SECONDS, build_model, streaming

TEACHER = "convolutions"  # its preset in a recipe
CHANNELS = (80, 112, 144, 192)
WIDTH = 9


def build(preset: str, labels: Sequence[str], config: MFCCConfig) -> keras.Model:
    """An untrained model of a recipe's preset: the teacher, or one of `build_model`."""
    if preset == TEACHER:
        return build_teacher(labels, config)
    return build_model(preset, labels, config)


def build_teacher(labels: Sequence[str], config: MFCCConfig = MFCCConfig()) -> keras.Model:
    """A Keras model from audio to logits that is no stream's.

    Its convolutions run over time alone, each coefficient is a channel, and the mean over time
    answers: it hears what comes after as well as what came before.

    Args:
        labels: the classes, in the order of the logits.
        config: front-end settings. Default: those of MFCCConfig.

    Returns:
        A model with the input, the output and the layers "mfcc", "scale" and "logits" of
        `build_model`, 1.2 M parameters.
    """
    audio = keras.Input((config.sample_rate * WINDOW_SECONDS,), name="audio")
    x: Any = MFCC(config, name="mfcc")(audio)
    scaled = keras.layers.Normalization(name="scale")(x)
    return keras.Model(audio, _heard(scaled, len(labels)), name=f"speechgru_{TEACHER}")


def classifier(model: keras.Model) -> keras.Model:
    """A model without its front end: as `streaming` makes it, for the teacher without a state."""
    scaled = model.get_layer("scale").input
    if any(isinstance(layer, GRU) for layer in model.layers):
        return streaming(model, scaled.shape[1])
    mfcc = keras.Input(scaled.shape[1:], name="mfcc")
    return keras.Model({"mfcc": mfcc}, {"logits": keras.Model(scaled, model.output)(mfcc)})


def _heard(x: Any, labels: int) -> Any:
    x = _convolved(x, CHANNELS[0], 3, 1)
    for channels in CHANNELS[1:]:
        past = _convolved(x, channels, 1, 2)
        x = _convolved(x, channels, WIDTH, 2)
        x = _convolved(x, channels, WIDTH, 1, rectified=False)
        x = keras.layers.ReLU()(keras.layers.Add()([x, past]))
    x = keras.layers.GlobalAveragePooling1D()(x)
    return keras.layers.Dense(labels, name="logits")(x)


def _convolved(x: Any, channels: int, width: int, stride: int, rectified: bool = True) -> Any:
    x = keras.layers.Conv1D(channels, width, strides=stride, padding="same", use_bias=False)(x)
    x = keras.layers.BatchNormalization()(x)
    return keras.layers.ReLU()(x) if rectified else x
