"""Several channels as one, also where they cancel out in the mean."""

from collections.abc import Iterator

import numpy as np

from speechgru.audio.sample_arrays import Array, Samples

_PARTS_PER_SECOND = 10  # of live audio: how often `Mixer` looks at the channels
_CANCELLATION = 0.25  # two equally loud channels with a correlation below -0.75; see `find_signs`


def mix(block: Samples, signs: Samples | None) -> Samples:
    """Average the channels of a block, (frames, channels) -> (frames,).

    Args:
        block: samples.
        signs: the sign of each channel in the mix, or None for the plain mean.
    """
    channels = block.shape[1]
    if channels == 1:
        return np.ascontiguousarray(block[:, 0])
    weights = np.full(channels, 1 / channels, np.float32)
    # A product with equal weights is the mean, and 40 times as fast as mean(axis=1).
    mono: Samples = np.dot(block, weights if signs is None else weights * signs)
    return mono


def channel_products(block: Samples, rate: int) -> Array:
    """The products of each two channels, summed over a block's frames: (2, channels, channels).

    Once for the samples without their mean, and once for the differences from sample to sample,
    where low frequencies are weak: what both channels of a wrongly wired cable share, such as hum,
    must not hide that the speech cancels out. Some 8,000 frames a second are enough.
    """
    step = max(1, rate // 8000)
    rows = np.ascontiguousarray(block[::step].T)  # one channel a row: six times as fast
    parts = (rows - rows.mean(axis=1, keepdims=True), np.diff(rows))
    # The copy keeps numpy from a routine for symmetric products, which is slow for few rows.
    return np.stack([part @ part.copy().T for part in parts])


def find_signs(products: Array) -> Samples | None:
    """The sign of each channel in the mix, or None for the plain mean.

    If channels have nothing in common, the energy of their sum is the sum of their energies, and
    more if they are alike. It is far less only if channels are inverted copies of others. Such
    channels have the opposite sign in the main direction (the first principal component) of the
    samples.

    Args:
        products: what `channel_products` gives, summed over all blocks.
    """
    if products.shape[1] == 1:
        return None
    for matrix in products:
        if matrix.sum() < _CANCELLATION * matrix.trace():
            main = np.linalg.eigh(matrix)[1][:, -1]
            loudest = main[np.abs(main).argmax()]
            return np.where(main * loudest < 0, -1, 1).astype(np.float32)
    return None


class Mixer:
    """Averages the channels of live audio, (frames, channels) -> (frames,), and delays nothing.

    Channels that cancel out in the audio so far are inverted, from the next tenth of a second on.
    The output does not depend on how the audio is divided into blocks.

    Args:
        channels: number of channels.
        rate: sampling rate in Hz.
    """

    def __init__(self, channels: int, rate: int) -> None:
        self._rate = rate
        self._signs: Samples | None = None
        self._part = np.empty((rate // _PARTS_PER_SECOND, channels), np.float32)
        self._filled = 0  # frames in the part
        self._products = np.zeros((2, channels, channels))

    def push(self, frames: Samples) -> Samples:
        """Mix one more block."""
        if frames.shape[1] == 1:
            return mix(frames, None)
        mono = np.empty(len(frames), np.float32)
        for start, stop in self._pieces(len(frames)):
            _average(frames[start:stop], self._signs, mono[start:stop])
            self._learn(frames[start:stop])
        return mono

    def _pieces(self, length: int) -> Iterator[tuple[int, int]]:
        """Divide a block where parts end."""
        start = 0
        while start < length:
            stop = min(length, start + len(self._part) - self._filled)
            yield start, stop
            start = stop

    def _learn(self, piece: Samples) -> None:
        self._part[self._filled : self._filled + len(piece)] = piece
        self._filled += len(piece)
        if self._filled == len(self._part):
            self._filled = 0
            self._products += channel_products(self._part, self._rate)
            self._signs = find_signs(self._products)


def _average(block: Samples, signs: Samples | None, out: Samples) -> None:
    """Average channel by channel: unlike a matrix product, every frame alike in any block."""
    channels = block.shape[1]
    out[:] = 0
    for channel in range(channels):
        out += block[:, channel] if signs is None else block[:, channel] * signs[channel]
    out /= channels
