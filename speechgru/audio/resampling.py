"""Resample a signal to 16 kHz, block by block."""

import numpy as np

from speechgru.audio.sample_arrays import Samples
from speechgru.errors import AudioError
from speechgru.fork_lock import not_forking

SAMPLE_RATE = 16_000
"""Rate in Hz to which all sound is resampled."""


class Resampler:
    """Resamples one mono signal to 16 kHz and clips it to [-1, 1].

    The output does not depend on how the signal is divided into blocks. It begins when the filter
    has seen enough, and is not delayed: its sample n is the signal at n / 16,000 s.

    Args:
        rate: sampling rate of the signal in Hz.

    Raises:
        AudioError: soxr cannot be loaded.
    """

    def __init__(self, rate: int) -> None:
        self._stream = None
        if rate != SAMPLE_RATE:
            try:
                with not_forking:
                    import soxr
            except OSError as error:  # such as too many open files
                raise AudioError(
                    f"expected soxr, which resamples sound, found: {error.strerror or error}"
                ) from error
            self._stream = soxr.ResampleStream(rate, SAMPLE_RATE, 1, dtype="float32", quality="HQ")

    def push(self, mono: Samples) -> Samples:
        """Resample one more block, float32 (frames,); it gives as many samples as are complete."""
        if self._stream is not None:
            mono = self._stream.resample_chunk(mono)
        return _clip(mono)

    def finish(self) -> Samples:
        """The samples that are left at the end of the signal. Nothing may be pushed after it."""
        if self._stream is None:
            return np.empty(0, np.float32)
        rest: Samples = self._stream.resample_chunk(np.empty(0, np.float32), last=True)
        return _clip(rest)


def _clip(mono: Samples) -> Samples:
    clipped: Samples = np.maximum(mono, -1)  # in half the time of mono.clip for a short block
    return np.minimum(clipped, 1, out=clipped)
