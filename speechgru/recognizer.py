"""Recognition with LiteRT: which word is spoken in a sound."""

import contextlib
import dataclasses
import functools
import os
import threading
import weakref
from collections.abc import Callable, Iterable, Iterator
from typing import Any, Literal, TypeAlias, cast, overload

import numpy as np

from speechgru import audio, modelfile
from speechgru.audio import Source
from speechgru.audio.sample_arrays import check_rate
from speechgru.detection import Detection, DetectionRule
from speechgru.errors import SpeechGRUError, show
from speechgru.network import StreamNetwork, WindowNetwork
from speechgru.recording import score_recording
from speechgru.stream import Stream

SourceError: TypeAlias = SpeechGRUError | FileNotFoundError
"""The errors of a source that cannot be used."""

OnError: TypeAlias = Literal["raise", "return"]
_MAX_THREADS = 256  # LiteRT starts them all at once, and crashes if the system has no more


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
        _check_threads(num_threads, "num_threads")
        if num_threads > _MAX_THREADS:
            raise ValueError(
                f"`num_threads` must be at most {_MAX_THREADS}. Received: {show(num_threads)}"
            )
        self._model = _name(model)
        self._num_threads = num_threads
        self._file = modelfile.read(model)
        self._rule = self._file.detection_rule()
        self._recording_rule = self._file.recording_rule()
        self._window = WindowNetwork(self._file, num_threads)
        self._lock = threading.Lock()  # the network has one set of tensors
        self._idle = [StreamNetwork(self._file)]  # for recordings, one for each thread
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

    @property
    def hop_seconds(self) -> float:
        """Length of the hops of a stream in seconds."""
        return self._rule.hop_seconds

    @property
    def window_seconds(self) -> float:
        """Length of the audio that the model takes at once in seconds."""
        return self._file.window_samples / self._file.sample_rate

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
        return self._detections(source, rule, sample_rate, progress)

    def _detections(
        self,
        source: Source,
        rule: DetectionRule,
        sample_rate: int | None,
        progress: Callable[[float], None] | None,
    ) -> Iterator[Detection]:
        blocks = audio.read_blocks(source, sample_rate)
        with contextlib.closing(blocks), self._network() as network:
            stream, frames = None, 0
            for rate, block in blocks:
                if stream is None:
                    stream = Stream(network, rule, rate, audio.describe(source))
                yield from stream.feed(block)
                frames += len(block)
                if progress is not None:
                    progress(frames / rate)
            if stream is not None:
                yield from stream.finish()

    @overload  # a str is also an iterable of str, but the first overload comes first
    def recognize(  # type: ignore[overload-overlap]
        self, source: Source, sample_rate: int | None = None, *, on_error: OnError = "raise"
    ) -> Recognition: ...
    @overload
    def recognize(
        self,
        source: Iterable[Source],
        sample_rate: int | None = None,
        *,
        on_error: Literal["raise"] = "raise",
        workers: int = 1,
    ) -> list[Recognition]: ...
    @overload
    def recognize(
        self,
        source: Iterable[Source],
        sample_rate: int | None = None,
        *,
        on_error: Literal["return"],
        workers: int = 1,
    ) -> list[Recognition | SourceError]: ...
    def recognize(
        self,
        source: Source | Iterable[Source],
        sample_rate: int | None = None,
        *,
        on_error: OnError = "raise",
        workers: int = 1,
    ) -> Recognition | list[Recognition] | list[Recognition | SourceError]:
        """Recognise one sound, or several.

        A sound shorter than the model's window is centred in it: its mean is taken off, and zeros
        are added on both sides. A longer one is answered by the most confident command that is said
        by itself in it (see `speechgru.detection.RecordingRule`), or, if there is none, by
        "unknown" or "silence".

        Args:
            source: a path, the bytes or binary file object of an encoded sound, an array, shape
                (frames,) or (frames, channels); or an iterable of these.
            sample_rate: rate of arrays in Hz, 4,000 to 192,000. Encoded sound states its own.
                Default None.
            on_error: what to do with a sound of an iterable that cannot be used: "raise" its
                error, or "return" it in place of the Recognition. Default "raise".
            workers: processes that recognise the sounds of an iterable. Default 1: this one.

        Returns:
            A Recognition, or for an iterable a list in its order. `scores` of a sound up to the
            length of the window are the model's. Of a longer one with a command they are the
            smoothed scores where the command's was greatest. Without a command they are the mean
            scores of all hops, weighted by the probability that a hop is not silence. Both are
            limited to the score of the label.

        Raises:
            AudioError: a source is not usable sound.
            FileNotFoundError: there is nothing at a path.
            ValueError: another argument is out of range.
        """
        if on_error not in ("raise", "return"):
            raise ValueError(f'`on_error` must be "raise" or "return". Received: {show(on_error)}')
        _check_threads(workers, "workers")
        if _is_one(source):
            return self._recognize_one(cast(Source, source), sample_rate)
        from speechgru.workers import recognize_all  # imports this module

        results: list[Recognition | SourceError] = []
        found = recognize_all(self, cast(Iterable[Source], source), sample_rate, workers=workers)
        with contextlib.closing(found):
            for result in found:
                if on_error == "raise" and isinstance(result, Exception):
                    raise result
                results.append(result)
        return results

    def _recognize_one(self, source: Source, sample_rate: int | None) -> Recognition:
        samples = audio.load(source, sample_rate)
        spare = self._file.window_samples - samples.size
        if spare < 0:
            with self._network() as network:
                best, scores = score_recording(network, self._recording_rule, samples)
        else:
            if spare:
                samples = samples - samples.mean(dtype=np.float64).astype(np.float32)
            samples = np.pad(samples, (spare // 2, spare - spare // 2))
            with self._lock:
                scores = self._window.scores(samples)
            scores /= scores.sum()
            best = int(scores.argmax())
        order = sorted(range(len(scores)), key=lambda index: (-scores[index], index != best))
        ranked = {self.labels[i]: float(scores[i]) for i in order}
        return Recognition(self.labels[best], ranked[self.labels[best]], ranked)

    @contextlib.contextmanager
    def _network(self) -> Iterator[StreamNetwork]:
        """A network for one recording, which no other thread uses."""
        try:
            network = self._idle.pop()
        except IndexError:
            network = StreamNetwork(self._file)
        try:
            yield network
        finally:
            self._idle.append(network)


def _check_threads(value: Any, name: str) -> None:
    if isinstance(value, bool) or not isinstance(value, int) or value < 1:
        raise ValueError(f"`{name}` must be a positive integer. Received: {show(value)}")


def _is_one(source: object) -> bool:
    """Whether an argument is one source, valid or not, and not an iterable of sources."""
    one = isinstance(source, (str, bytes, bytearray, memoryview, os.PathLike, np.ndarray))
    return one or hasattr(source, "read") or not isinstance(source, Iterable)


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
def recognize(  # type: ignore[overload-overlap]
    source: Source, sample_rate: int | None = None, *, on_error: OnError = "raise"
) -> Recognition: ...
@overload
def recognize(
    source: Iterable[Source],
    sample_rate: int | None = None,
    *,
    on_error: Literal["raise"] = "raise",
    workers: int = 1,
) -> list[Recognition]: ...
@overload
def recognize(
    source: Iterable[Source],
    sample_rate: int | None = None,
    *,
    on_error: Literal["return"],
    workers: int = 1,
) -> list[Recognition | SourceError]: ...
def recognize(source: Any, sample_rate: int | None = None, **options: Any) -> Any:
    """Recognise one sound, or several, with the bundled model.

    Arguments, results and errors are those of `Recognizer.recognize`.

    Examples:
        >>> speechgru.recognize("samples/yes-festival-kal-32k-pcm16.wav").label
        'yes'
    """
    return _bundled().recognize(source, sample_rate, **options)


def detect(
    source: Source, threshold: float | None = None, *, sample_rate: int | None = None
) -> list[Detection]:
    """Find all commands in a recording of any length, with the bundled model.

    Arguments, results and errors are those of `Recognizer.detect`.
    """
    return _bundled().detect(source, threshold, sample_rate=sample_rate)
