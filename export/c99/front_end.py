"""The constants of the front end: librosa's, in float or in fixed point."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from export.c99.c_text import array, define
from export.c99.quantized_step import Quantization
from speechgru.errors import ConversionError
from speechgru.features import AMIN, DB_PER_NEPER, MFCCConfig, dct_matrix, hann_window, mel_filters

Float = npt.NDArray[np.float64]

MIN_N_FFT = 8
MAX_N_FFT = 32768  # positions have 16 bits, and in fixed point a spectrum 31
# Fixed point: a sample of 1.0 has a spectrum of 2^22, and a power has at most 62 bits.
SPECTRUM_BITS, MAX_POWER_BITS = 22, 62
LOGARITHMS = 256  # intervals of the table of log2


class Scaling(NamedTuple):
    """The mean and the deviation of each MFCC, (n_mfcc,), and the integers of the scaled MFCC."""

    mean: Float
    deviation: Float
    quantization: Quantization

    @property
    def gain(self) -> Float:
        """Factor from MFCC to integers."""
        return 1 / (self.deviation * self.quantization.scale)

    @property
    def offset(self) -> Float:
        """What is added after the factor."""
        return self.quantization.zero_point - self.mean * self.gain


def front_end_constants(config: MFCCConfig, scaling: Scaling, fixed: bool) -> str:
    """Return C definitions for source/front_end_float.c or source/front_end_fixed.c.

    Raises:
        ConversionError: the settings have no front end in C.
    """
    if not MIN_N_FFT <= config.n_fft <= MAX_N_FFT:
        raise ConversionError(
            f"expected n_fft from {MIN_N_FFT} to {MAX_N_FFT}, found {config.n_fft}"
        )
    filters = mel_filters(config).astype(np.float64)
    if filters[:, -1].any():
        raise ConversionError("expected no mel band at half the sampling rate")
    used = [np.flatnonzero(row) for row in filters]
    starts = np.array([columns[0] for columns in used])
    lengths = np.array([columns[-1] + 1 - columns[0] for columns in used])
    weights = [row[s : s + n] for row, s, n in zip(filters, starts, lengths, strict=True)]
    angles = 2 * np.pi * np.arange(config.n_fft // 2) / config.n_fft
    twiddles = np.stack([np.cos(angles), np.sin(angles)], axis=1)
    numbers = _fixed if fixed else _float
    return "\n".join(
        [
            array(
                "uint16_t",
                "reversed",
                _bit_reversed(config.n_fft // 2),
                "The numbers up to KWS_N_FFT / 2 with their bits in reversed order.",
            ),
            array("uint16_t", "mel_starts", starts, "The first frequency of each mel band."),
            array("uint16_t", "mel_lengths", lengths, "The number of its frequencies."),
            *numbers(config, scaling, weights, twiddles),
        ]
    )


def _float(
    config: MFCCConfig, scaling: Scaling, bands: Sequence[Float], twiddles: Float
) -> tuple[str, ...]:
    window = hann_window(config) / 65536
    return (
        define("DECIBELS_PER_NEPER", DB_PER_NEPER) + define("LEAST_POWER", AMIN),
        array("float", "window", window.astype(np.float32), "Hann window / 2, for 16-bit samples."),
        array("float", "twiddles", twiddles.astype(np.float32), "cos and sin."),
        array(
            "float",
            "mel_weights",
            np.concatenate(bands).astype(np.float32),
            "Weights of the mel bands.",
        ),
        array("float", "dct", _half_dct(config).astype(np.float32), "Half of the DCT matrix."),
        array(
            "float", "mfcc_gain", scaling.gain.astype(np.float32), "From MFCC to their integers."
        ),
        array("float", "mfcc_offset", scaling.offset.astype(np.float32), "Less their mean."),
    )


def _fixed(
    config: MFCCConfig, scaling: Scaling, bands: Sequence[Float], twiddles: Float
) -> tuple[str, ...]:
    greatest = np.array([band.max() for band in bands])
    weight_bits = 15 - np.frexp(greatest)[1]  # the greatest one of each band has 15 bits
    scaled = [np.ldexp(band, n) for band, n in zip(bands, weight_bits, strict=True)]
    sum_bits = np.log2(max(band.sum() for band in scaled))
    power_bits = max(0, int(np.ceil(MAX_POWER_BITS + sum_bits + 0.01 - 64)))  # that are dropped
    exponents = 2 * SPECTRUM_BITS - power_bits + weight_bits
    gain, offset = scaling.gain * DB_PER_NEPER * np.log(2), scaling.offset
    if max(gain) >= 2**15 or max(abs(offset)) >= 2**27:
        raise ConversionError(
            f"expected deviations of the MFCC that fixed point can represent, found "
            f"{min(scaling.deviation):g}"
        )
    logarithms = 2**20 * np.log2(1 + np.arange(LOGARITHMS + 1) / LOGARITHMS)
    return (
        define("LEAST_POWER", round(2**20 * np.log2(AMIN))) + define("POWER_BITS", power_bits),
        array("int32_t", "window", _round(hann_window(config), 30), "Hann window, Q30."),
        array("int32_t", "twiddles", _round(twiddles, 30), "cos and sin, Q30."),
        array(
            "uint16_t",
            "mel_weights",
            _round(np.concatenate(scaled), 0),
            "Weights of the mel bands.",
        ),
        array("int32_t", "mel_exponents", exponents, "1.0 is 2^exponent there."),
        array("uint32_t", "logarithms", _round(logarithms, 0), "log2 of 1 to 2, Q20."),
        array("int32_t", "dct", _round(_half_dct(config), 24), "Half of the DCT matrix, Q24."),
        array(
            "int32_t",
            "mfcc_gain",
            _round(gain, 16),
            "From octaves to MFCC to their integers, Q16.",
        ),
        array("int64_t", "mfcc_offset", _round(offset, 36), "Less their mean, Q36."),
    )


def _half_dct(config: MFCCConfig) -> Float:
    """The first half of each row, the element in the middle included."""
    return dct_matrix(config)[:, : (config.n_mels + 1) // 2].astype(np.float64)


def _bit_reversed(count: int) -> npt.NDArray[np.int64]:
    bits = count.bit_length() - 1
    return np.array([int(f"{n:0{bits}b}"[::-1], 2) for n in range(count)])


def _round(values: Float, bits: int) -> npt.NDArray[np.int64]:
    """Numbers in fixed point."""
    return np.rint(np.ldexp(values, bits)).astype(np.int64)
