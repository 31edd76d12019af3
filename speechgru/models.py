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


def streaming(model: keras.Model, frames: int) -> keras.Model:
    """A model of `build_model` that goes on from where earlier sound has left it.

    Args:
        model: what `build_model` made; the result shares its layers and weights.
        frames: MFCC frames that one call takes. Of a number that the convolution's stride does
            not divide the first call alone, after zeros, is what the model computes.

    Returns:
        A model from a dict of "mfcc", float32 (batch, frames, n_mfcc), and the state to a dict of
        "logits", (batch, labels), and the next state, its names with "next_" before them. The
        state is "frames", the scaled frames that the convolution still reaches, and "h_1", "h_2",
        ..., the outputs of the GRUs. After zeros one second gives what `model` gives.
    """
    conv = model.get_layer("conv")
    (stride,), (width,) = conv.strides, conv.kernel_size
    mfcc = keras.Input((frames, model.get_layer("mfcc").config.n_mfcc), name="mfcc")
    past = keras.Input((width - stride, mfcc.shape[2]), name="frames")
    grus = [layer for layer in model.layers if isinstance(layer, GRU)]
    states = [
        keras.Input((gru.units,), name=f"h_{number}") for number, gru in enumerate(grus, start=1)
    ]
    scaled = keras.layers.ZeroPadding1D((-frames % stride, 0))(model.get_layer("scale")(mfcc))
    x = keras.layers.Concatenate(axis=1)([past, scaled])
    following = {"next_frames": x[:, stride - width :]}
    x = conv(x)
    for gru, h in zip(grus, states, strict=True):
        x = gru(x, initial_state=h)
        following[f"next_{h.name}"] = x[:, -1] if gru.return_sequences else x
    logits = model.get_layer("logits")(x)
    inputs = {tensor.name: tensor for tensor in (mfcc, past, *states)}
    return keras.Model(inputs, {"logits": logits, **following}, name=f"{model.name}_streaming")


def initial_state(model: keras.Model, batch: int) -> dict[str, Any]:
    """The state from which a model of `streaming` starts: zeros, (batch, ...) each."""
    return {
        tensor.name: keras.ops.zeros((batch, *tensor.shape[1:]))
        for tensor in model.inputs
        if tensor.name != "mfcc"
    }
