"""The recogniser: audio -> MFCC -> scaling -> small causal convolutions -> GRUs -> logits."""

import unicodedata
from collections.abc import Sequence
from typing import Any

import keras

from speechgru.architectures import (
    HOP_FRAMES,
    PRESETS,
    WINDOW_SECONDS,
    Preset,
    window_samples,
)
from speechgru.features import MFCCConfig, dct_matrix
from speechgru.gru import GRU
from speechgru.mfcc_layer import MFCC

# Unicode's categories of control characters, lone surrogates, line and paragraph separators.
_NOT_IN_LABELS = ("Cc", "Cs", "Zl", "Zp")
MIN_COEFFICIENTS = 9  # with fewer, nothing is left after two convolutions


@keras.saving.register_keras_serializable(package="speechgru")
class SpectrumConv(keras.layers.Layer):
    """Two small convolutions over time and frequency, from MFCC frames to the input of the GRUs.

    The same sound by another voice or microphone lies a few bands higher or lower in the spectrum.
    A convolution over bands recognises it there, one over MFCC does not. So a dense layer, which
    starts as the inverse DCT, first turns the coefficients into bands. The convolutions are 3 by 5
    and 3 by 3 (frames by bands). Both have a stride of 2 over bands, the second one over frames,
    too. A dense layer follows. Arik 2017 (arXiv:1703.05390) puts convolutions before recurrent
    layers in the same way.

    There is no padding: a step covers five frames, and the next one begins two frames later.

    Args:
        channels: output channels of the first and the second convolution.
        units: size of the output.
        **kwargs: arguments of ``keras.layers.Layer``.

    Attributes:
        kernel_size: (5,), frames that one step covers.
        strides: (2,), frames from one step to the next.

    Call arguments:
        x: float, shape (batch, frames, coefficients); at least 5 frames and 9 coefficients.

    Returns:
        float, shape (batch, (frames - 3) // 2, units).

    Raises:
        ValueError: fewer than 9 coefficients.
    """

    kernel_size = (5,)
    strides = (HOP_FRAMES,)

    def __init__(self, channels: Sequence[int], units: int, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.channels, self.units = tuple(channels), units
        options = {"activation": "relu", "dtype": self.dtype_policy}
        first, second = self.channels
        self.conv_1 = keras.layers.Conv2D(first, (3, 5), (1, 2), name="conv_1", **options)
        self.conv_2 = keras.layers.Conv2D(second, (3, 3), (2, 2), name="conv_2", **options)
        self.out = keras.layers.Dense(units, name="out", **options)

    def build(self, input_shape: Any) -> None:
        coefficients = input_shape[-1]
        if coefficients < MIN_COEFFICIENTS:
            raise ValueError(
                f"expected at least {MIN_COEFFICIENTS} coefficients a frame, found {coefficients}"
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
    """The matrix from orthonormal DCT-II coefficients back to as many bands."""

    def __call__(self, shape: Sequence[int], dtype: Any = None) -> Any:
        config = MFCCConfig(n_mels=shape[0], n_mfcc=shape[0])
        return keras.ops.convert_to_tensor(dct_matrix(config), dtype=dtype)


def build_model(
    preset: Preset,
    labels: Sequence[str],
    config: MFCCConfig = MFCCConfig(),
    *,
    window_seconds: float = WINDOW_SECONDS,
) -> keras.Model:
    """Build a Keras model from audio to logits.

    Args:
        preset: "small" (at most 40 K parameters), "medium" (160 K) or "large" (500 K).
        labels: the classes in the order of the logits: a list or tuple of two or more strings that
            differ in more than white space or Unicode form.
        config: front-end settings. Default: those of MFCCConfig.
        window_seconds: length of the audio that the model takes, 1 to 3 seconds; other windows than
            one second must be a whole number of hops (40 ms with the default front end). The
            weights do not depend on it. Default 1.0.

    Returns:
        A model with input (batch, samples of the window), float32 in [-1, 1], and output (batch,
        labels), float32. Its layer "mfcc" is the front end. Its layer "scale" standardises every
        coefficient with the mean and variance of the training set; until it is adapted to one, it
        changes nothing.

    Raises:
        ValueError: unknown preset, unusable labels, fewer than 9 coefficients, or a window that is
            out of its range or not a whole number of hops.

    Examples:
        >>> speechgru.build_model("small", ["yes", "no", "unknown"]).output_shape
        (None, 3)
    """
    if not isinstance(preset, str) or preset not in PRESETS:
        raise ValueError(f"`preset` must be one of {', '.join(PRESETS)}. Received: {preset!r}")
    if not isinstance(config, MFCCConfig):
        raise ValueError(f"`config` must be an MFCCConfig. Received: {config!r}")
    _check_labels(labels)
    try:
        samples = window_samples(window_seconds, config)
    except ValueError as error:
        raise ValueError(f"`window_seconds`: {error}") from None
    sizes = PRESETS[preset]
    audio = keras.Input((samples,), name="audio")
    x: Any = MFCC(config, name="mfcc")(audio)
    x = keras.layers.Normalization(name="scale")(x)
    # The zeros go before the sound: the model stays causal, and the last step of the GRUs covers
    # the last frame.
    (width,), (stride,) = SpectrumConv.kernel_size, SpectrumConv.strides
    x = keras.layers.ZeroPadding1D((width - stride + -x.shape[1] % stride, 0), name="past")(x)
    x = SpectrumConv(sizes.channels, sizes.conv_units, name="conv")(x)
    for number, units in enumerate(sizes.gru_units, start=1):
        is_last = number == len(sizes.gru_units)
        x = GRU(units, return_sequences=not is_last, name=f"gru_{number}")(x)
    logits = keras.layers.Dense(len(labels), name="logits")(x)
    return keras.Model(audio, logits, name=f"speechgru_{preset}")


def _check_labels(labels: Any) -> None:
    if isinstance(labels, str | bytes) or not isinstance(labels, Sequence):
        raise ValueError(f"`labels` must be a list or tuple of strings. Received: {labels!r}")
    for label in labels:
        is_text = isinstance(label, str) and label.strip()
        if not is_text or any(unicodedata.category(one) in _NOT_IN_LABELS for one in label):
            raise ValueError(
                "`labels` must be strings that are not blank and have no control characters, line "
                f"separators or lone surrogates. Received: {label!r} in {labels!r}"
            )
    spellings = {unicodedata.normalize("NFC", " ".join(label.split())) for label in labels}
    if len(labels) < 2 or len(spellings) < len(labels):
        raise ValueError(f"`labels` must be two or more different words. Received: {labels!r}")


def streaming(model: keras.Model, frames: int, *, every_step: bool = False) -> keras.Model:
    """Build a streaming model, which takes its state as input and returns the next one.

    Args:
        model: a model of `build_model`; the result shares its layers and weights.
        frames: MFCC frames that one call takes. If the convolution's stride does not divide it,
            only the first call, from zeros, computes what `model` computes.
        every_step: whether to return the logits of every step of the GRUs, not of the last one
            alone. Default False.

    Returns:
        A model from a dict of "mfcc", float32 (batch, frames, n_mfcc), and the state to a dict of
        "logits", (batch, labels) or (batch, steps, labels), and the next state under the names of
        the state with "next_" before them. The state is "frames", the scaled frames that the next
        call still needs, and "h_1", "h_2", ..., the outputs of the GRUs. From zeros, one window
        gives the logits that `model` gives.
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
    next_state = {"next_frames": x[:, stride - width :]}
    x = conv(x)
    for gru, h in zip(grus, states, strict=True):
        gru = _of_every_step(gru) if every_step else gru
        x = gru(x, initial_state=h)
        next_state[f"next_{h.name}"] = x[:, -1] if gru.return_sequences else x
    logits = model.get_layer("logits")(x)
    inputs = {tensor.name: tensor for tensor in (mfcc, past, *states)}
    return keras.Model(inputs, {"logits": logits, **next_state}, name=f"{model.name}_streaming")


def _of_every_step(gru: GRU) -> GRU:
    """Return a layer with the cell of another one that returns the output of every step."""
    layer = GRU.from_config({**gru.get_config(), "return_sequences": True})
    layer.cell = gru.cell
    return layer


def initial_state(model: keras.Model, batch: int) -> dict[str, Any]:
    """Return the state in which a model of `streaming` starts: zeros of shape (batch, ...)."""
    return {
        tensor.name: keras.ops.zeros((batch, *tensor.shape[1:]))
        for tensor in model.inputs
        if tensor.name != "mfcc"
    }
