"""The MFCC front end as a Keras layer, with the constants of `speechgru.features`."""

import dataclasses
from collections.abc import Iterator
from typing import Any

import keras
import numpy as np
import numpy.typing as npt
import tensorflow as tf

from speechgru.features import (
    AMIN,
    DB_PER_NEPER,
    MAX_PEAK,
    MFCCConfig,
    dct_matrix,
    float_samples_message,
    hann_window,
    mel_filters,
    peak_message,
)

Block = tuple[slice, npt.NDArray[np.float32]]


@keras.saving.register_keras_serializable(package="speechgru")
class MFCC(keras.layers.Layer):
    """MFCC frames of a batch of signals, within 1e-3 of `speechgru.mfcc`. It has no weights.

    Args:
        config: an MFCCConfig, or the dict of its fields that `get_config` gives. Default: the
            defaults of MFCCConfig.
        dtype: precision of the Fourier transform, "float64" or "float32". float64 agrees with
            librosa to 1e-4 dB; float32, which LiteRT needs, to 1e-3 dB, with the faintest bands of
            loud frames at the limit. Default "float64".
        **kwargs: arguments of ``keras.layers.Layer``.

    Call arguments:
        audio: float, shape (batch, samples), in [-1, 1].

    Returns:
        float32, shape (batch, samples // hop_length, n_mfcc).

    Raises:
        ValueError: audio is not float, not two-dimensional, shorter than one hop, of unknown
            length, not finite, or so large that it cannot be in [-1, 1]. In a graph the last two
            are TensorFlow's InvalidArgumentError.

    Examples:
        >>> speechgru.MFCC()(np.zeros((1, 16000), "float32")).shape
        TensorShape([1, 50, 40])
    """

    def __init__(
        self,
        config: MFCCConfig | dict[str, Any] | None = None,
        *,
        dtype: Any = "float64",
        **kwargs: Any,
    ) -> None:
        super().__init__(dtype=dtype, **kwargs)
        if self.compute_dtype not in ("float32", "float64"):
            raise ValueError(f'`dtype` must be "float32" or "float64". Received: {dtype!r}')
        config = MFCCConfig(**config) if isinstance(config, dict) else config
        self.config = MFCCConfig() if config is None else config
        if not isinstance(self.config, MFCCConfig):
            raise ValueError(f"`config` must be an MFCCConfig. Received: {config!r}")
        self._window = hann_window(self.config)
        # The smaller blocks hold fewer zeros of the mel filters; the DCT has none.
        self._mel = tuple(_blocks(mel_filters(self.config).T, 640))
        self._dct = tuple(_blocks(dct_matrix(self.config).T, 1023))

    def call(self, audio: Any) -> Any:
        return self.dct(self.log_mel(_in_range(_as_float(audio))))

    def log_mel(self, audio: Any, past: Any = None) -> Any:
        """Log-mel power of audio.

        Args:
            audio: float, shape (batch, samples), in [-1, 1].
            past: the samples before it, shape (batch, frame_length - hop_length). Default zeros.

        Returns:
            float32, shape (batch, samples // hop_length, n_mels), in dB.
        """
        audio = tf.cast(_as_float(audio), self.compute_dtype)
        frames = self._frames(audio, past)
        frames *= tf.cast(self._window, self.compute_dtype)
        spectrum = tf.signal.rfft(frames, fft_length=[self.config.n_fft])
        power = tf.square(tf.math.real(spectrum)) + tf.square(tf.math.imag(spectrum))
        mel = _product(tf.cast(power, tf.float32), self._mel)
        return DB_PER_NEPER * tf.math.log(tf.maximum(mel, AMIN))

    def dct(self, log_mel: Any) -> Any:
        """MFCC of log-mel frames: float32, shape (batch, frames, n_mfcc)."""
        return _product(log_mel, self._dct)

    def _frames(self, audio: Any, past: Any) -> Any:
        """Overlapping frames (batch, frames, frame_length): frame t ends with hop t."""
        config = self.config
        _, count, _ = self.compute_output_shape(audio.shape)
        hops_per_frame = -(-config.frame_length // config.hop_length)
        audio = audio[:, : count * config.hop_length]
        missing = (hops_per_frame - 1) * config.hop_length
        if past is not None:
            audio = tf.concat([tf.cast(past, self.compute_dtype), audio], axis=1)
            missing -= past.shape[1]
        audio = tf.pad(audio, ((0, 0), (missing, 0)))
        hops = tf.reshape(audio, (-1, count + hops_per_frame - 1, config.hop_length))
        frames = tf.concat([hops[:, k : k + count] for k in range(hops_per_frame)], axis=-1)
        return frames[..., -config.frame_length :]

    def compute_output_shape(self, input_shape: Any) -> tuple[Any, int, int]:
        samples = input_shape[1] if len(input_shape) == 2 else None
        if samples is None or samples < self.config.hop_length:
            raise ValueError(
                "MFCC expects input of shape (batch, samples) with a fixed number of samples, at "
                f"least {self.config.hop_length} (one hop). Received shape: {tuple(input_shape)}"
            )
        return (input_shape[0], self.config.frames(samples), self.config.n_mfcc)

    def compute_output_spec(self, audio: Any) -> keras.KerasTensor:
        if "float" not in audio.dtype:
            raise ValueError(float_samples_message(audio.dtype, "audio"))
        return keras.KerasTensor(self.compute_output_shape(audio.shape), dtype="float32")

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "config": dataclasses.asdict(self.config)}


def _as_float(audio: Any) -> Any:
    """Audio as a tensor; integer samples are refused."""
    audio = tf.convert_to_tensor(audio)
    if not audio.dtype.is_floating:
        raise ValueError(float_samples_message(audio.dtype.name, "audio"))
    return audio


def _in_range(audio: Any) -> Any:
    """The same audio; integer samples that Keras has cast to floats are refused, and NaN.

    Keras models cast before this layer sees the audio. LiteRT's converter drops the assertion.
    """
    peak = tf.reduce_max(tf.abs(audio))
    if tf.executing_eagerly():
        if not peak <= MAX_PEAK:  # true for NaN
            raise ValueError(peak_message(f"{float(peak):g}", "audio"))
        return audio
    message = peak_message("the number below", "audio")
    with tf.control_dependencies([tf.debugging.Assert(peak <= MAX_PEAK, [message, peak])]):
        return tf.identity(audio)


def _blocks(matrix: npt.NDArray[np.float32], max_elements: int) -> Iterator[Block]:
    """Cut a matrix into groups of columns, each with only the rows that are not all zero.

    A mel filter covers few frequencies, so the blocks hold a tenth of the matrix. With fewer than
    1024 elements, the size from which the LiteRT converter quantises a weight, an exported model
    keeps its front end in float32 under every quantisation.
    """

    def rows(columns: list[int]) -> slice:
        used = np.flatnonzero(matrix[:, columns].any(axis=1))
        return slice(int(used[0]), int(used[-1]) + 1) if used.size else slice(0, 1)

    group: list[int] = []
    for column in range(matrix.shape[1]):
        wider = rows([*group, column])
        if group and (wider.stop - wider.start) * (len(group) + 1) > max_elements:
            yield rows(group), matrix[rows(group), group]
            group = []
        group.append(column)
    yield rows(group), matrix[rows(group), group]


def _product(x: Any, blocks: tuple[Block, ...]) -> Any:
    """``x @ matrix`` for a matrix cut by `_blocks`."""
    return tf.concat([tf.matmul(x[..., rows], block) for rows, block in blocks], axis=-1)
