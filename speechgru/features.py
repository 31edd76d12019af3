"""MFCC front end: librosa's constants, one numpy reference and one Keras layer that agree.

The front end is causal. Audio is preceded by ``frame_length - hop_length`` zeros, so every hop of
audio ends exactly one frame, and ``n`` samples give ``n // hop_length`` frames.
"""

import dataclasses
from collections.abc import Iterator
from typing import Any

import keras
import numpy as np
import numpy.typing as npt
import tensorflow as tf

# Smallest mel power: the log-mel scale ends at -70 dB, the level of white noise at -78 dBFS. Below
# it a transform in float32, such as LiteRT's, is more than 1e-3 dB off in loud frames.
AMIN = 1e-7
DB_PER_NEPER = 10 / np.log(10)  # 10 log10(x) = DB_PER_NEPER * ln(x)


@dataclasses.dataclass(frozen=True, kw_only=True)
class MFCCConfig:
    """Settings of the MFCC front end.

    Args:
        sample_rate: samples a second, in Hz. Default 16000.
        frame_length: samples under one Hann window. Default 512 (32 ms).
        hop_length: samples from one frame to the next. Default 320 (20 ms).
        n_fft: length of the Fourier transform, a power of two, at least frame_length. Default 512.
        n_mels: number of mel bands (Slaney's scale and area norm, as in librosa). Default 40.
        n_mfcc: number of cepstral coefficients, at most n_mels. Default 40.
        fmin: lower edge of the lowest band, in Hz. Default 20.
        fmax: upper edge of the highest band, in Hz. Default 7600.

    Raises:
        ValueError: a setting is out of its range; the message names it.
    """

    sample_rate: int = 16_000
    frame_length: int = 512
    hop_length: int = 320
    n_fft: int = 512
    n_mels: int = 40
    n_mfcc: int = 40
    fmin: float = 20.0
    fmax: float = 7600.0

    def __post_init__(self) -> None:
        for name in ("sample_rate", "frame_length", "hop_length", "n_fft", "n_mels", "n_mfcc"):
            value = getattr(self, name)
            if isinstance(value, bool) or not isinstance(value, int) or value < 1:
                raise ValueError(f"`{name}` must be a positive integer. Received: {value!r}")
        for name, high, limit in (
            ("hop_length", self.frame_length, "frame_length"),
            ("frame_length", self.n_fft, "n_fft"),
            ("n_mfcc", self.n_mels, "n_mels"),
        ):
            if getattr(self, name) > high:
                found = getattr(self, name)
                raise ValueError(f"`{name}` must be at most {limit} ({high}). Received: {found}")
        if self.n_fft & (self.n_fft - 1):  # the FFT operator of LiteRT takes nothing else
            raise ValueError(f"`n_fft` must be a power of two. Received: {self.n_fft}")
        if not 0 <= self.fmin < self.fmax <= self.sample_rate / 2:
            raise ValueError(
                "`fmin` and `fmax` must satisfy 0 <= fmin < fmax <= sample_rate / 2 "
                f"({self.sample_rate / 2:g}). Received: fmin={self.fmin!r}, fmax={self.fmax!r}"
            )

    def frames(self, samples: int) -> int:
        """Number of frames that a signal of `samples` samples gives."""
        return samples // self.hop_length


def mfcc(samples: npt.ArrayLike, config: MFCCConfig = MFCCConfig()) -> npt.NDArray[np.float32]:
    """MFCC of one signal by librosa, in float64: the reference for every other implementation.

    Args:
        samples: mono signal in [-1, 1], shape (samples,), any float dtype.
        config: front-end settings.

    Returns:
        float32, shape (samples // hop_length, n_mfcc); orthonormal DCT-II of the log-mel power in
        dB (``librosa.feature.mfcc`` with ``center=False``, ``top_db=None``).

    Raises:
        ValueError: samples is not one-dimensional or is shorter than one hop.
    """
    import librosa

    coefficients = librosa.feature.mfcc(
        S=log_mel(samples, config).T, n_mfcc=config.n_mfcc, dct_type=2, norm="ortho"
    )
    return np.ascontiguousarray(coefficients.T, dtype=np.float32)


def log_mel(samples: npt.ArrayLike, config: MFCCConfig) -> npt.NDArray[np.float64]:
    """Log-mel power of one signal by librosa, of which `mfcc` is the DCT.

    Args:
        samples: mono signal in [-1, 1], shape (samples,), any float dtype.
        config: front-end settings.

    Returns:
        float64, shape (samples // hop_length, n_mels), in dB, at least ``10 * log10(AMIN)``.

    Raises:
        ValueError: samples is not one-dimensional or is shorter than one hop.
    """
    import librosa

    signal = np.asarray(samples, dtype=np.float64)
    if signal.ndim != 1 or signal.size < config.hop_length:
        raise ValueError(
            f"`samples` must have shape (samples,) with at least {config.hop_length} samples "
            f"(one hop). Received shape: {signal.shape}"
        )
    past = config.frame_length - config.hop_length
    margin = config.n_fft - config.frame_length  # librosa centres the window inside n_fft
    padded = np.pad(signal, (past + margin // 2, margin - margin // 2))
    spectrum = librosa.stft(
        padded,
        n_fft=config.n_fft,
        hop_length=config.hop_length,
        win_length=config.frame_length,
        window="hann",
        center=False,
    )
    mel = mel_filters(config).astype(np.float64) @ np.abs(spectrum) ** 2
    decibels: npt.NDArray[np.float64] = librosa.power_to_db(mel, ref=1.0, amin=AMIN, top_db=None)
    return decibels.T


def mel_filters(config: MFCCConfig) -> npt.NDArray[np.float32]:
    """librosa's mel filter bank, float32, shape (n_mels, n_fft // 2 + 1)."""
    from librosa.filters import mel

    filters: npt.NDArray[np.float32] = mel(
        sr=config.sample_rate,
        n_fft=config.n_fft,
        n_mels=config.n_mels,
        fmin=config.fmin,
        fmax=config.fmax,
    )
    return filters


def hann_window(config: MFCCConfig) -> npt.NDArray[np.float64]:
    """librosa's periodic Hann window, float64, shape (frame_length,)."""
    from librosa.filters import get_window

    window: npt.NDArray[np.float64] = get_window("hann", config.frame_length, fftbins=True)
    return window


def dct_matrix(config: MFCCConfig) -> npt.NDArray[np.float32]:
    """Orthonormal DCT-II that ``librosa.feature.mfcc`` applies, float32, shape (n_mfcc, n_mels)."""
    import scipy.fft

    matrix = scipy.fft.dct(np.eye(config.n_mels), type=2, norm="ortho", axis=0)
    return np.asarray(matrix[: config.n_mfcc], dtype=np.float32)


@keras.saving.register_keras_serializable(package="speechgru")
class MFCC(keras.layers.Layer):
    """MFCC frames of a batch of signals, equal to `mfcc` to 1e-3 and free of trained weights.

    Args:
        config: an MFCCConfig, or the dict of its fields that `get_config` gives. Default: the
            defaults of MFCCConfig.
        dtype: precision of the transform. float64 agrees with librosa to 1e-4 dB; float32, which
            LiteRT needs, to 1e-3 dB, with the faintest bands of loud frames at the limit.
            Default "float64".

    Call arguments:
        audio: float, shape (batch, samples), in [-1, 1].

    Returns:
        float32, shape (batch, samples // hop_length, n_mfcc).

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
        self.config = MFCCConfig(**config) if isinstance(config, dict) else config or MFCCConfig()
        self._window = hann_window(self.config)
        # The smaller blocks hold fewer zeros of the mel filters; the DCT has none.
        self._mel = tuple(_blocks(mel_filters(self.config).T, 640))
        self._dct = tuple(_blocks(dct_matrix(self.config).T, 1023))

    def call(self, audio: Any) -> Any:
        return self.dct(self.log_mel(audio))

    def log_mel(self, audio: Any, past: Any = None) -> Any:
        """Log-mel power in dB, float32, shape (batch, frames, n_mels).

        `past` are the samples before `audio`, (batch, frame_length - hop_length). Default zeros.
        """
        frames = self._frames(tf.cast(audio, self.compute_dtype), past)
        frames *= tf.cast(self._window, self.compute_dtype)
        spectrum = tf.signal.rfft(frames, fft_length=[self.config.n_fft])
        power = tf.square(tf.math.real(spectrum)) + tf.square(tf.math.imag(spectrum))
        mel = _product(tf.cast(power, tf.float32), self._mel)
        return DB_PER_NEPER * tf.math.log(tf.maximum(mel, AMIN))

    def dct(self, log_mel: Any) -> Any:
        """MFCC of log-mel frames, float32, shape (batch, frames, n_mfcc)."""
        return _product(log_mel, self._dct)

    def _frames(self, audio: Any, past: Any) -> Any:
        """Overlapping frames (batch, frames, frame_length): frame t ends with hop t."""
        config = self.config
        self.compute_output_shape(audio.shape)  # refuses less than a hop
        hops_per_frame = -(-config.frame_length // config.hop_length)
        count = config.frames(audio.shape[1])
        audio = audio[:, : count * config.hop_length]
        missing = (hops_per_frame - 1) * config.hop_length
        if past is not None:
            audio = tf.concat([tf.cast(past, self.compute_dtype), audio], axis=1)
            missing -= past.shape[1]
        audio = tf.pad(audio, ((0, 0), (missing, 0)))
        hops = tf.reshape(audio, (-1, count + hops_per_frame - 1, config.hop_length))
        frames = tf.concat([hops[:, k : k + count] for k in range(hops_per_frame)], axis=-1)
        return frames[..., -config.frame_length :]

    def compute_output_shape(self, input_shape: tuple[int | None, ...]) -> tuple[int | None, ...]:
        batch, samples = input_shape
        if samples is None or samples < self.config.hop_length:
            raise ValueError(
                f"MFCC needs a fixed number of samples, at least {self.config.hop_length} "
                f"(one hop). Received input shape: {input_shape}"
            )
        return (batch, self.config.frames(samples), self.config.n_mfcc)

    def compute_output_spec(self, audio: Any) -> keras.KerasTensor:
        return keras.KerasTensor(self.compute_output_shape(audio.shape), dtype="float32")

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "config": dataclasses.asdict(self.config)}


Block = tuple[slice, npt.NDArray[np.float32]]


def _blocks(matrix: npt.NDArray[np.float32], max_elements: int) -> Iterator[Block]:
    """Cut a matrix into groups of columns, each with only the rows that are not all zero.

    A mel filter touches few bins, so the blocks hold a tenth of the matrix. With fewer than
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
