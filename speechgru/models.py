"""The recogniser: audio -> MFCC -> scaling -> light causal convolutions -> GRU -> logits."""

from collections.abc import Sequence
from typing import Any

import keras

from speechgru.architectures import PRESETS, WINDOW_SECONDS, Preset
from speechgru.features import MFCCConfig, dct_matrix
from speechgru.gru import GRU
from speechgru.mfcc_layer import MFCC

LEAST_COEFFICIENTS = 9  # of MFCC; fewer leave nothing of two convolutions


@keras.saving.register_keras_serializable(package="speechgru")
class SpectrumConv(keras.layers.Layer):
    """MFCC frames -> what the GRUs take: two small convolutions over time and frequency.

    A pattern of the spectrum is the same sound a few bands higher or lower, as another voice or
    another microphone has it, and coefficients do not show that: a dense layer, which starts as
    the inverse of the DCT, turns them into bands again, on which the convolutions run. They are
    3 by 5 and 3 by 3 (frames by bands), each takes every second band, and the second every second
    frame; then a dense layer. Convolutions before recurrent layers: Arik 2017 (arXiv:1703.05390).

    Nothing is padded: one step sees five frames, and the next one begins two frames later.

    Args:
        channels: of the first and the second convolution.
        units: of the output.
        **kwargs: of ``keras.layers.Layer``.

    Attributes:
        kernel_size: (5,), frames under one step.
        strides: (2,), frames from one step to the next.

    Call arguments:
        x: float, shape (batch, frames, coefficients); at least 5 frames and 9 coefficients.

    Returns:
        Shape (batch, (frames - 3) // 2, units).

    Raises:
        ValueError: fewer than 9 coefficients.
    """

    kernel_size = (5,)
    strides = (2,)

    def __init__(self, channels: Sequence[int], units: int, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.channels, self.units = tuple(channels), units
        own = {"activation": "relu", "dtype": self.dtype_policy}
        first, second = self.channels
        self.conv_1 = keras.layers.Conv2D(first, (3, 5), (1, 2), name="conv_1", **own)
        self.conv_2 = keras.layers.Conv2D(second, (3, 3), (2, 2), name="conv_2", **own)
        self.out = keras.layers.Dense(units, name="out", **own)

    def build(self, input_shape: Any) -> None:
        coefficients = input_shape[-1]
        if coefficients < LEAST_COEFFICIENTS:
            raise ValueError(
                f"expected at least {LEAST_COEFFICIENTS} coefficients a frame, found {coefficients}"
            )
        self.bands = keras.layers.Dense(
            coefficients, kernel_initializer=InverseDCT(), name="bands", dtype=self.dtype_policy
        )
        shape: Any = (None, None, coefficients)
        self.bands.build(shape)
        shape = (*shape, 1)
        for conv in (self.conv_1, self.conv_2):
            conv.build(shape)
            shape = conv.compute_output_shape(shape)
        self.out.build((None, None, shape[2] * shape[3]))

    def call(self, x: Any) -> Any:
        x = self.conv_2(self.conv_1(self.bands(x)[..., None]))
        return self.out(keras.ops.reshape(x, (-1, x.shape[1], x.shape[2] * x.shape[3])))

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "channels": self.channels, "units": self.units}


@keras.saving.register_keras_serializable(package="speechgru")
class InverseDCT(keras.initializers.Initializer):
    """From as many coefficients of the DCT-II, orthonormal, to bands."""

    def __call__(self, shape: Sequence[int], dtype: Any = None) -> Any:
        config = MFCCConfig(n_mels=shape[0], n_mfcc=shape[0])
        return keras.ops.convert_to_tensor(dct_matrix(config), dtype=dtype)


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
        ValueError: unknown preset, too few or repeated labels, fewer than 9 coefficients.
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
    (width,), (stride,) = SpectrumConv.kernel_size, SpectrumConv.strides
    x = keras.layers.ZeroPadding1D((width - stride + -x.shape[1] % stride, 0), name="past")(x)
    x = SpectrumConv(sizes.channels, sizes.conv_units, name="conv")(x)
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
