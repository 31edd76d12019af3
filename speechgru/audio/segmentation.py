"""Where sound rises above the noise of the room: speech between pauses."""

import dataclasses
from collections.abc import Iterator

import numpy as np
import numpy.typing as npt

from speechgru.audio.resampling import SAMPLE_RATE
from speechgru.audio.sample_arrays import Samples

PAUSE_SECONDS = 0.5
"""A shorter pause, as inside a phrase, does not end speech."""

_HOP = SAMPLE_RATE // 100  # samples from level to level: 10 ms
_FRAME = 400  # samples that a level is measured in
_PAUSE_HOPS = round(PAUSE_SECONDS * SAMPLE_RATE / _HOP)
_SMOOTHING_HOPS = 3
_FEWEST_HOPS = 10  # 0.1 s; shorter sounds are clicks
_CHUNK = 4096 * _HOP  # samples whose levels are measured at once, as an hour needs much memory

# Speech is loud in at least one of these bands, in Hz. Hum and offset lie below them.
_BANDS = ((200, 1000), (1000, 3500), (3500, 7500))
_FIRST_DB = 10.0  # above the noise, in one band: speech
_LEAST_DB = 5.0  # speech goes on down to this
_QUIETEST_DB = -60.0  # below full scale; no speech is as quiet

# The noise is what one level in ten does not reach, in the seconds before or in those after: the
# greater of both, as a fan may go on or off. A gated microphone gives no noise between words, so
# the noise is also at least 45 dB below the loudest sound around.
_NOISE_PERCENT, _LOUDEST_PERCENT = 10, 99
_NOISE_HOPS = 50  # the noise is estimated twice a second,
_AROUND_HOPS = 400  # from the four seconds before and the four after it
_DYNAMIC_DB = 45.0

Levels = npt.NDArray[np.float32]


@dataclasses.dataclass(frozen=True)
class Speech:
    """A part of a sound that is louder than the noise around it.

    Attributes:
        start: its first sample at 16 kHz.
        end: the sample behind its last one.
        level: its greatest level in dB below full scale.
    """

    start: int
    end: int
    level: float


def find_speech(samples: Samples) -> list[Speech]:
    """Find speech between pauses of at least 0.5 s.

    The energy of a band is compared with the noise in the same band, of the seconds around. Speech
    begins and ends where it rises and falls 5 dB above the noise, and reaches 10 dB. Sounds of less
    than 0.1 s are clicks and are left out.

    Args:
        samples: 16 kHz mono samples, float32 (samples,), of any length.

    Returns:
        Speech in the order of time. Neither clicks nor steady noise are speech; other loud sounds
        are.
    """
    if len(samples) < _HOP:
        return []
    bands = _smooth(np.concatenate(list(_band_energies(samples))))
    total = _decibels(bands.sum(axis=1, keepdims=True))
    above = np.max(_decibels(bands) - _noise(_decibels(bands), total), axis=1)
    is_loud = (above >= _FIRST_DB) & (total[:, 0] >= _QUIETEST_DB)
    found = [
        (start, end)
        for start, end in _runs(above >= _LEAST_DB)
        if end - start >= _FEWEST_HOPS and is_loud[start:end].any()
    ]
    return [
        Speech(start * _HOP, end * _HOP, float(total[start:end].max()))
        for start, end in _join(found)
    ]


def _band_energies(samples: Samples) -> Iterator[Levels]:
    """Yield the mean square in each band and hop, (hops, bands), of pieces of a sound."""
    window = np.hanning(_FRAME + 1)[:-1].astype(np.float32)
    edges = [[round(edge * _FRAME / SAMPLE_RATE) for edge in band] for band in _BANDS]
    unit = 2 / (_FRAME * float(np.sum(window**2)))  # of one side of the spectrum: Parseval
    margin = (_FRAME - _HOP) // 2
    end = len(samples) // _HOP * _HOP
    for start in range(0, end, _CHUNK):
        stop = min(start + _CHUNK, end)
        piece = samples[max(0, start - margin) : stop + margin]
        before, behind = max(0, margin - start), max(0, stop + margin - len(samples))
        padded = np.pad(piece, (before, behind))
        frames = np.lib.stride_tricks.sliding_window_view(padded, _FRAME)[::_HOP]
        power = np.square(np.abs(np.fft.rfft(frames * window)), dtype=np.float32)
        yield np.stack([power[:, low:high].sum(axis=1) * unit for low, high in edges], axis=1)


def _smooth(energies: Levels) -> Levels:
    """Average over neighbouring hops."""
    around = np.pad(energies, ((_SMOOTHING_HOPS // 2,) * 2, (0, 0)), mode="edge")
    windows = np.lib.stride_tricks.sliding_window_view(around, _SMOOTHING_HOPS, axis=0)
    smoothed: Levels = windows.mean(axis=2, dtype=np.float32)
    return smoothed


def _decibels(energies: Levels) -> Levels:
    levels: Levels = 10 * np.log10(energies + np.float32(1e-12))
    return levels


def _noise(bands: Levels, total: Levels) -> Levels:
    """The level of the noise in each band and hop."""
    noise = np.empty_like(bands)
    for start in range(0, len(bands), _NOISE_HOPS):
        end = min(start + _NOISE_HOPS, len(bands))
        first, last = max(0, start - _AROUND_HOPS), min(end + _AROUND_HOPS, len(bands))
        before = bands[first : max(end, _AROUND_HOPS)]  # as long at the beginning of the sound
        after = bands[max(0, min(start, len(bands) - _AROUND_HOPS)) : last]  # and at its end
        steady = [np.percentile(part, _NOISE_PERCENT, axis=0) for part in (before, after)]
        loudest = np.percentile(total[first:last], _LOUDEST_PERCENT)
        noise[start:end] = np.maximum(np.maximum(*steady), loudest - _DYNAMIC_DB)
    return noise


def _runs(flags: npt.NDArray[np.bool_]) -> list[tuple[int, int]]:
    """The first and the last place, exclusive, of each run of true values."""
    edges = np.flatnonzero(np.diff(flags, prepend=False, append=False))
    return list(zip(edges[::2].tolist(), edges[1::2].tolist(), strict=True))


def _join(runs: list[tuple[int, int]]) -> list[tuple[int, int]]:
    """Join the runs between which there is no pause."""
    joined: list[tuple[int, int]] = []
    for start, end in runs:
        if joined and start - joined[-1][1] < _PAUSE_HOPS:
            start = joined.pop()[0]
        joined.append((start, end))
    return joined
