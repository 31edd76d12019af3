"""Recognition with LiteRT: which word is spoken in a sound."""

import dataclasses
import functools
import os
import threading
import weakref
from collections.abc import Callable, Iterator
from typing import Any, overload

import numpy as np
import numpy.typing as npt

from speechgru import audio, modelfile
from speechgru.audio import Source
from speechgru.detection import NOT_COMMANDS, Detection, DetectionRule
from speechgru.errors import show
from speechgru.network import StreamNetwork, WindowNetwork
from speechgru.sample_arrays import check_rate
from speechgru.stream import Stream

Sources = list[Source] | tuple[Source, ...]
_MAX_THREADS = 256  # LiteRT starts them all at once, and crashes if the system has no more
_WINDOWS_PER_LENGTH = 10  # a long sound is searched in steps of a tenth of the window


@dataclasses.dataclass(frozen=True, slots=True)
class Recognition:
    """The result for one sound.

    Attributes:
        label: one of the model's labels.
        confidence: the label's probability, in [0, 1].
        scores: the probability of every label, descending; they sum to 1.
    """

    label: str
    confidence: float
    scores: dict[str, float] = dataclasses.field(hash=False)

    def __repr__(self) -> str:
        return f"Recognition(label={self.label!r}, confidence={self.confidence:.3f})"


class Recognizer:
    """A model, loaded once, that recognises many sounds.

    Threads may share it: they take turns. It can be pickled and copied, which loads the model file
    again, and used in a process that is forked after it was made.

    Args:
        model: path of a model file, or the name of a bundled model, "medium" or "small" (a file
            of that name is `./medium`). Default: "medium".
        num_threads: threads for one clip, 1 to 256. Default 1.

    Raises:
        ModelError: the file is not a usable model.
        FileNotFoundError: there is nothing at the path.
        ValueError: num_threads is not an integer from 1 to 256.
    """

    def __init__(
        self, model: str | os.PathLike[str] | None = None, *, num_threads: int = 1
    ) -> None:
        if isinstance(num_threads, bool) or not isinstance(num_threads, int) or num_threads < 1:
            raise ValueError(f"`num_threads` must be a positive integer. Received: {num_threads!r}")
        if num_threads > _MAX_THREADS:
            raise ValueError(
                f"`num_threads` must be at most {_MAX_THREADS}. Received: {show(num_threads)}"
            )
        self._model = _name(model)
        self._num_threads = num_threads
        self._file = modelfile.read(model)
        self._rule = _rule(self._file)
        self._window = WindowNetwork(self._file, num_threads)
        self._lock = threading.Lock()  # the network has one set of tensors
        self._commands = [
            index for index, label in enumerate(self.labels) if label not in NOT_COMMANDS
        ]
        _recognizers.add(self)

    def __repr__(self) -> str:
        return f"Recognizer({self._model!r}, {len(self.labels)} labels)"

    def __getstate__(self) -> dict[str, Any]:
        return {"model": self._model, "num_threads": self._num_threads}

    def __setstate__(self, state: dict[str, Any]) -> None:
        Recognizer.__init__(self, state["model"], num_threads=state["num_threads"])

    @property
    def labels(self) -> tuple[str, ...]:
        """All labels in the order of the model's scores: commands, "unknown", "silence"."""
        return self._file.labels

    def stream(
        self, sample_rate: int = audio.SAMPLE_RATE, *, threshold: float | None = None
    ) -> Stream:
        """Start a stream of live audio.

        Streams are independent of each other and of `recognize`: several threads can feed one each.

        Args:
            sample_rate: rate of the blocks in Hz, an integral number from 4,000 to 192,000.
                Default 16,000.
            threshold: confidence from which each command is detected, in (0, 1]. Default None:
                those of the model file.

        Returns:
            A `Stream`, which is a context manager.

        Raises:
            AudioError: the sample rate is out of range.
            ValueError: the threshold is out of range.

        Examples:
            >>> with recognizer.stream(sample_rate=48000) as stream:
            ...     for block in microphone:
            ...         for detection in stream.feed(block):
            ...             print(detection.label, detection.time)
        """
        rate = check_rate(sample_rate, "<stream>")
        rule = self._rule.with_threshold(threshold)
        return Stream(StreamNetwork(self._file), rule, rate)

    def detect(
        self,
        source: Source,
        threshold: float | None = None,
        *,
        sample_rate: int | None = None,
    ) -> list[Detection]:
        """Find all commands in a recording of any length. Files are read in blocks.

        Args:
            source: a path, the bytes or binary file object of an encoded sound, or an array,
                (frames,) or (frames, channels).
            threshold: confidence from which each command is detected, in (0, 1]. Default None:
                those of the model file.
            sample_rate: rate of an array in Hz, 4,000 to 192,000. Encoded sound states its own.
                Default None.

        Returns:
            Detections in the order of their times.

        Raises:
            AudioError: the source is not usable sound.
            FileNotFoundError: there is nothing at the path.
            ValueError: the threshold is out of range.
        """
        return list(self.iter_detections(source, threshold, sample_rate=sample_rate))

    def iter_detections(
        self,
        source: Source,
        threshold: float | None = None,
        *,
        sample_rate: int | None = None,
        progress: Callable[[float], None] | None = None,
    ) -> Iterator[Detection]:
        """Find commands in a recording one by one, while it is read.

        Args:
            source: as in `detect`.
            threshold: as in `detect`.
            sample_rate: as in `detect`.
            progress: called after each block with the seconds of audio that have been processed.
                Default None.

        Yields:
            Detections in the order of their times.

        Raises:
            AudioError: the source is not usable sound, perhaps after some detections.
            FileNotFoundError: there is nothing at the path.
            ValueError: the threshold is out of range.
        """
        rule = self._rule.with_threshold(threshold)
        samples = audio.load(source, sample_rate)
        stream = Stream(StreamNetwork(self._file), rule, audio.SAMPLE_RATE)
        yield from stream.feed(samples)
        if progress is not None:
            progress(samples.size / audio.SAMPLE_RATE)
        yield from stream.finish()

    @overload
    def recognize(self, source: Sources, sample_rate: int | None = None) -> list[Recognition]: ...
    @overload
    def recognize(self, source: Source, sample_rate: int | None = None) -> Recognition: ...
    def recognize(
        self, source: Source | Sources, sample_rate: int | None = None
    ) -> Recognition | list[Recognition]:
        """Recognise one sound, or a list of them.

        Args:
            source: a path, the bytes or binary file object of an encoded sound, an array, shape
                (frames,) or (frames, channels); or a list or tuple of these. A sound shorter than
                the model's window is padded with zeros on both sides. In a longer one, the result
                is that of the window in which a command is most probable.
            sample_rate: rate of arrays in Hz, 4,000 to 192,000. Encoded sound states its own.
                Default None.

        Returns:
            A Recognition, or a list of them in the order of the list of sounds.

        Raises:
            AudioError: a source is not usable sound.
            FileNotFoundError: there is nothing at a path.
        """
        if isinstance(source, list | tuple):
            return [self._recognize_one(one, sample_rate) for one in source]
        return self._recognize_one(source, sample_rate)

    def _recognize_one(self, source: Source, sample_rate: int | None) -> Recognition:
        samples = audio.load(source, sample_rate)
        scores = self._best_scores(samples)
        scores /= scores.sum()
        order = np.argsort(-scores, kind="stable")
        ranked = {self.labels[i]: float(scores[i]) for i in order}
        label = self.labels[order[0]]
        return Recognition(label, ranked[label], ranked)

    def _best_scores(self, samples: npt.NDArray[np.float32]) -> npt.NDArray[np.float64]:
        """Scores of the window in which a command is most probable, float64 (labels,)."""
        length = self._file.window_samples
        spare = samples.size - length
        if spare <= 0:
            samples = np.pad(samples, (-spare // 2, -spare - -spare // 2))
            spare = 0
        step = max(1, length // _WINDOWS_PER_LENGTH)
        starts = [*range(0, spare, step), spare]
        windows = (self._scores(samples[start : start + length]) for start in starts)
        return max(windows, key=lambda scores: scores[self._commands].max(initial=0.0))

    def _scores(self, window: npt.NDArray[np.float32]) -> npt.NDArray[np.float64]:
        with self._lock:
            return self._window.scores(window)


def _rule(file: modelfile.ModelFile) -> DetectionRule:
    hop_seconds = file.settings["hop_samples"] / file.sample_rate
    return DetectionRule.from_settings(file.settings, file.labels, hop_seconds)


def _name(model: str | os.PathLike[str] | None) -> str:
    """The name of a bundled model, or an absolute path: what another process can load."""
    if model is None:
        return next(iter(modelfile.BUNDLED))
    path = os.fsdecode(model)
    return path if isinstance(model, str) and model in modelfile.BUNDLED else os.path.abspath(path)


_recognizers: weakref.WeakSet[Recognizer] = weakref.WeakSet()


def _unlock_in_child() -> None:
    """Let a forked process use its recognizers: a thread that it does not have may hold a lock."""
    for recognizer in list(_recognizers):
        recognizer._lock = threading.Lock()


if hasattr(os, "register_at_fork"):  # not on Windows
    os.register_at_fork(after_in_child=_unlock_in_child)


@functools.cache
def _bundled() -> Recognizer:
    return Recognizer()


@overload
def recognize(source: Sources, sample_rate: int | None = None) -> list[Recognition]: ...
@overload
def recognize(source: Source, sample_rate: int | None = None) -> Recognition: ...
def recognize(
    source: Source | Sources, sample_rate: int | None = None
) -> Recognition | list[Recognition]:
    """Recognise one sound, or a list of them, with the bundled model.

    Arguments, results and errors are those of `Recognizer.recognize`.

    Examples:
        >>> speechgru.recognize("samples/yes-festival-kal-32k-pcm16.wav").label
        'yes'
    """
    return _bundled().recognize(source, sample_rate)


def detect(
    source: Source, threshold: float | None = None, *, sample_rate: int | None = None
) -> list[Detection]:
    """Find all commands in a recording of any length, with the bundled model.

    Arguments, results and errors are those of `Recognizer.detect`.
    """
    return _bundled().detect(source, threshold, sample_rate=sample_rate)
