"""The MFCC front end: its settings, librosa's constants, and the reference by librosa.

`speechgru.mfcc_layer` computes the same numbers in TensorFlow. This module needs librosa only when
a function is called, and TensorFlow never.

The front end is causal. Audio is preceded by ``frame_length - hop_length`` zeros, so every hop of
audio ends exactly one frame, and ``n`` samples give ``n // hop_length`` frames.
"""

import dataclasses
import math
import warnings
from numbers import Integral, Real
from typing import Any

import numpy as np
import numpy.typing as npt

from speechgru.errors import show

# Smallest mel power: the log-mel scale ends at -70 dB, the level of white noise at -78 dBFS. Below
# it a transform in float32, such as LiteRT's, is more than 1e-3 dB off in loud frames.
AMIN = 1e-7
DB_PER_NEPER = 10 / np.log(10)  # 10 log10(x) = DB_PER_NEPER * ln(x)
MAX_PEAK = 16.0  # a larger peak means integer samples that were not scaled to [-1, 1]

_MAX_INTEGER = 1_000_000  # a larger setting is a mistake, and its arrays may not fit in memory
_INTEGER_SETTINGS = ("sample_rate", "frame_length", "hop_length", "n_fft", "n_mels", "n_mfcc")


@dataclasses.dataclass(frozen=True, kw_only=True)
class MFCCConfig:
    """Settings of the MFCC front end.

    Args:
        sample_rate: sampling rate, in Hz. Default 16000.
        frame_length: samples under one Hann window. Default 512 (32 ms).
        hop_length: samples from one frame to the next. Default 320 (20 ms).
        n_fft: length of the Fourier transform, a power of two, at least frame_length. Default 512.
        n_mels: number of mel bands (Slaney's scale and area norm, as in librosa). Default 40.
        n_mfcc: number of cepstral coefficients, at most n_mels. Default 40.
        fmin: lower edge of the lowest band, in Hz. Default 20.
        fmax: upper edge of the highest band, in Hz. Default 7600.

    Raises:
        ValueError: a setting has the wrong type or is out of its range; the message names it.

    Examples:
        >>> speechgru.MFCCConfig(n_mfcc=20).frames(16000)
        50
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
        for name in _INTEGER_SETTINGS:
            value = getattr(self, name)
            if isinstance(value, bool) or not isinstance(value, Integral) or value < 1:
                raise ValueError(f"`{name}` must be a positive integer. Received: {show(value)}")
            if int(value) > _MAX_INTEGER:
                raise ValueError(
                    f"`{name}` must be at most {_MAX_INTEGER:,}. Received: {show(value)}"
                )
            object.__setattr__(self, name, int(value))  # numpy's integers cannot be saved as JSON
        for name in ("fmin", "fmax"):
            value = getattr(self, name)
            if not _is_finite(value):
                raise ValueError(f"`{name}` must be a frequency in Hz. Received: {show(value)}")
            object.__setattr__(self, name, float(value))
        self._check_ranges()

    def _check_ranges(self) -> None:
        for name, limit in (
            ("hop_length", "frame_length"),
            ("frame_length", "n_fft"),
            ("n_mfcc", "n_mels"),
        ):
            found, largest = getattr(self, name), getattr(self, limit)
            if found > largest:
                raise ValueError(f"`{name}` must be at most {limit} ({largest}). Received: {found}")
        if self.n_fft & (self.n_fft - 1):  # LiteRT's Fourier transform supports no other length
            raise ValueError(f"`n_fft` must be a power of two. Received: {self.n_fft}")
        if not 0 <= self.fmin < self.fmax <= self.sample_rate / 2:
            raise ValueError(
                "`fmin` and `fmax` must satisfy 0 <= fmin < fmax <= sample_rate / 2 "
                f"({self.sample_rate / 2:g}). Received: fmin={self.fmin!r}, fmax={self.fmax!r}"
            )

    def frames(self, samples: int) -> int:
        """The number of frames of a signal of `samples` samples.

        Raises:
            ValueError: `samples` is not an integer from 0.
        """
        if isinstance(samples, bool) or not isinstance(samples, Integral) or samples < 0:
            raise ValueError(f"`samples` must be an integer from 0. Received: {show(samples)}")
        return int(samples) // self.hop_length


def _is_finite(value: Any) -> bool:
    if isinstance(value, bool) or not isinstance(value, Real):
        return False
    try:
        return math.isfinite(value)
    except OverflowError:  # an integer beyond the range of a float
        return False


def mfcc(samples: npt.ArrayLike, config: MFCCConfig = MFCCConfig()) -> npt.NDArray[np.float32]:
    """MFCC of one signal by librosa, in float64: the reference for every other implementation.

    Args:
        samples: mono signal in [-1, 1], shape (samples,), any float dtype.
        config: front-end settings. Default: those of MFCCConfig.

    Returns:
        float32, shape (samples // hop_length, n_mfcc); orthonormal DCT-II of the log-mel power in
        dB (``librosa.feature.mfcc`` with ``center=False``, ``top_db=None``).

    Raises:
        ValueError: samples are not floats, not one-dimensional, shorter than one hop, not finite,
            or so large that they cannot be in [-1, 1].
        ImportError: librosa is not installed.

    Examples:
        >>> speechgru.mfcc(np.zeros(16000)).shape
        (50, 40)
    """
    decibels = log_mel(samples, config)
    coefficients = _librosa().feature.mfcc(
        S=decibels.T, n_mfcc=config.n_mfcc, dct_type=2, norm="ortho"
    )
    return np.ascontiguousarray(coefficients.T, dtype=np.float32)


def log_mel(samples: npt.ArrayLike, config: MFCCConfig) -> npt.NDArray[np.float64]:
    """Log-mel power of one signal by librosa; `mfcc` is its DCT.

    Args:
        samples: mono signal in [-1, 1], shape (samples,), any float dtype.
        config: front-end settings.

    Returns:
        float64, shape (samples // hop_length, n_mels), in dB, at least ``10 * log10(AMIN)``.

    Raises:
        ValueError: see `mfcc`.
    """
    signal = _checked_signal(samples, config)
    librosa = _librosa()
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


def _librosa() -> Any:
    """librosa, which takes half a second to import."""
    try:
        import librosa
    except ModuleNotFoundError as error:
        message = f"MFCC need {error.name}: pip install 'speechgru[train]'"
        raise ImportError(message, name=error.name) from error
    return librosa


def _checked_signal(samples: npt.ArrayLike, config: MFCCConfig) -> npt.NDArray[np.float64]:
    if not isinstance(config, MFCCConfig):
        raise ValueError(f"`config` must be an MFCCConfig. Received: {config!r}")
    found = np.asarray(samples)
    if found.dtype.kind != "f":
        raise ValueError(float_samples_message(found.dtype))
    if found.ndim != 1 or found.size < config.hop_length:
        raise ValueError(
            f"`samples` must have shape (samples,) with at least {config.hop_length} samples "
            f"(one hop). Received shape: {found.shape}"
        )
    signal = found.astype(np.float64)
    peak = np.abs(signal).max()
    if not peak <= MAX_PEAK:  # true for NaN
        raise ValueError(peak_message(f"{peak:g}"))
    return signal


def float_samples_message(dtype: object, name: str = "samples") -> str:
    """The error for samples that are not floats."""
    return (
        f"`{name}` must be float (float32 or float64) in [-1, 1]. Received dtype: {dtype}. "
        "Divide integer PCM by its full scale first, int16 by 32768"
    )


def peak_message(peak: str, name: str = "samples") -> str:
    """The error for samples that are not finite, or are integer PCM that was not scaled."""
    return (
        f"`{name}` must be finite and in [-1, 1]. Received a peak of {peak}. "
        "Divide integer PCM by its full scale first, int16 by 32768"
    )


def mel_filters(config: MFCCConfig) -> npt.NDArray[np.float32]:
    """librosa's mel filter bank, float32, shape (n_mels, n_fft // 2 + 1).

    Raises:
        ValueError: a band lies between two frequencies of the Fourier transform.
    """
    mel = _librosa().filters.mel
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="Empty filters")
        filters: npt.NDArray[np.float32] = mel(
            sr=config.sample_rate,
            n_fft=config.n_fft,
            n_mels=config.n_mels,
            fmin=config.fmin,
            fmax=config.fmax,
        )
    empty = int((filters.max(axis=1) == 0).sum())
    if empty:
        raise ValueError(
            f"`n_mels` ({config.n_mels}) bands from `fmin` ({config.fmin:g}) to `fmax` "
            f"({config.fmax:g}) Hz must each contain a frequency of the Fourier transform of "
            f"length `n_fft` ({config.n_fft}). Received: {empty} empty bands"
        )
    return filters


def hann_window(config: MFCCConfig) -> npt.NDArray[np.float64]:
    """librosa's periodic Hann window, float64, shape (frame_length,)."""
    window: npt.NDArray[np.float64] = _librosa().filters.get_window(
        "hann", config.frame_length, fftbins=True
    )
    return window


def dct_matrix(config: MFCCConfig) -> npt.NDArray[np.float32]:
    """Orthonormal DCT-II that ``librosa.feature.mfcc`` applies, float32, shape (n_mfcc, n_mels)."""
    import scipy.fft

    matrix = scipy.fft.dct(np.eye(config.n_mels), type=2, norm="ortho", axis=0)
    return np.asarray(matrix[: config.n_mfcc], dtype=np.float32)
