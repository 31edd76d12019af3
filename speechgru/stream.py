"""Live audio: blocks of samples in, detections out."""

import dataclasses
import os
import threading
import weakref
from types import TracebackType
from typing import Any, NoReturn

import numpy as np

from speechgru.audio import sample_arrays
from speechgru.audio.mixing import Mixer
from speechgru.audio.resampling import Resampler
from speechgru.audio.sample_arrays import Array, Samples
from speechgru.detection import Detection, DetectionRule, Detector
from speechgru.errors import AudioError
from speechgru.network import StreamNetwork
from speechgru.recording import tail_hops

_PIECE_SAMPLES = 1 << 16  # a long block is processed in pieces, so that it needs little memory


class Stream:
    """Detects commands in live audio. Made by `Recognizer.stream`.

    The detections do not depend on how the audio is divided into blocks. Channels are averaged;
    those that cancel out in the average, as in stereo with one channel inverted, are averaged after
    inverting some of them.

    Each stream has an interpreter of its own: streams in several threads do not wait for each
    other. Calls of one stream take turns. In a process that is forked while no call is running, a
    stream continues; otherwise it is reset there. It cannot be pickled.

    Use it as a context manager: leaving the context resets it.

    Examples:
        >>> with recognizer.stream(sample_rate=48000) as stream:
        ...     for block in blocks_of_a_microphone():
        ...         for detection in stream.feed(block):
        ...             print(detection.label, detection.time)

        With asyncio, feed it in a thread:

        >>> detections = await asyncio.to_thread(stream.feed, block)
    """

    def __init__(
        self, network: StreamNetwork, rule: DetectionRule, sample_rate: int, name: str = "<block>"
    ) -> None:
        self._network = network
        self._detector = Detector(rule)
        self._rate = sample_rate
        self._name = name  # in messages
        self._hop = np.empty((1, network.hop_samples), np.float32)
        self._lock = threading.Lock()
        self._start()
        _streams.add(self)

    def _start(self) -> None:
        self._channels: int | None = None
        self._frames = 0
        self._mixer: Mixer | None = None
        self._resampler = Resampler(self._rate)
        self._filled = 0  # samples in the hop that is being filled
        self._network.reset()
        self._detector.reset()

    def __enter__(self) -> "Stream":
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.reset()

    def __reduce__(self) -> NoReturn:
        raise TypeError("a Stream cannot be pickled or copied; pickle its Recognizer")

    @property
    def sample_rate(self) -> int:
        """Sampling rate of the blocks in Hz."""
        return self._rate

    def feed(self, block: Array) -> list[Detection]:
        """Process the next block of audio.

        Args:
            block: samples, (frames,) or (frames, channels), of any length, also 0; float16,
                float32 or float64 in [-1, 1], or uint8, int16 or int32 PCM. The first block
                decides the number of channels.

        Returns:
            Detections whose time is known now, in the order of their times.

        Raises:
            AudioError: the block has another dtype or shape, another number of channels than the
                first one, NaN or infinite samples, or a peak above 16. It is ignored, and the
                stream can be used further.
        """
        with self._lock, np.errstate(all="ignore"):
            frames = self._check(block)
            if not len(frames):
                return []
            self._channels = frames.shape[1]
            self._frames += len(frames)
            detections: list[Detection] = []
            length = max(1, _PIECE_SAMPLES // frames.shape[1])
            for start in range(0, len(frames), length):
                piece = frames[start : start + length]
                piece = sample_arrays.scale(piece, *sample_arrays.full_scale(piece.dtype))
                detections += self._process(piece.astype(np.float32, copy=False))
            return detections

    def finish(self) -> list[Detection]:
        """End the audio, reset the stream, and return the detections that were still awaited."""
        with self._lock:
            detections = self._fill_hops(self._resampler.finish())
            size = self._network.hop_samples
            silence = -self._filled % size + size * tail_hops(self._detector.rule.hop_seconds)
            detections += self._fill_hops(np.zeros(silence, np.float32))
            if (awaited := self._detector.flush()) is not None:
                detections.append(awaited)
            end = self._frames / self._rate
            self._start()
            return [dataclasses.replace(one, time=min(one.time, end)) for one in detections]

    def reset(self) -> None:
        """Reset the stream, as if nothing had been fed: the next block begins at 0 s."""
        with self._lock:
            self._start()

    def _check(self, block: Any) -> Array:
        """The block as (frames, channels), if it can be processed."""
        if not isinstance(block, np.ndarray):
            raise AudioError(f"{self._name}: expected a numpy array, found {type(block).__name__}")
        frames = sample_arrays.to_frames(np.asarray(block), self._name)
        if not len(frames):
            return frames
        if self._channels not in (None, frames.shape[1]):
            raise AudioError(
                f"{self._name}: expected {self._channels} channel(s) as in the first block, "
                f"found {frames.shape[1]}"
            )
        if frames.dtype.kind == "f":
            sample_arrays.check_samples(frames, self._name)
        return frames

    def _process(self, frames: Samples) -> list[Detection]:
        if self._mixer is None:
            self._mixer = Mixer(frames.shape[1], self._rate)
        return self._fill_hops(self._resampler.push(self._mixer.push(frames)))

    def _fill_hops(self, samples: Samples) -> list[Detection]:
        detections = []
        position, size = 0, self._network.hop_samples
        while position < len(samples):
            part = samples[position : position + size - self._filled]
            self._hop[0, self._filled : self._filled + len(part)] = part
            position += len(part)
            self._filled += len(part)
            if self._filled == size:
                self._filled = 0
                detection = self._detector.push(self._network.step(self._hop))
                if detection is not None:
                    detections.append(detection)
        return detections


_streams: weakref.WeakSet[Stream] = weakref.WeakSet()


def _unlock_in_child() -> None:
    """Let a forked process use its streams: a thread that it does not have may have fed one."""
    for stream in list(_streams):
        was_fed = stream._lock.locked()
        stream._lock = threading.Lock()
        if was_fed:
            stream._start()


if hasattr(os, "register_at_fork"):  # not on Windows
    os.register_at_fork(after_in_child=_unlock_in_child)
