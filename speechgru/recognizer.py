"""Recognition with LiteRT: which word is spoken in a sound."""

import dataclasses
import functools
import os
import threading
import weakref
from typing import Any, overload

import numpy as np
import numpy.typing as npt
from ai_edge_litert.interpreter import Interpreter

from speechgru import audio, modelfile
from speechgru.audio import Source
from speechgru.errors import ModelError, show
from speechgru.fork_lock import not_forking

Sources = list[Source] | tuple[Source, ...]
NOT_COMMANDS = ("unknown", "silence")
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
        with not_forking:
            self._run: Any = _load(self._file, num_threads)
        self._lock = threading.Lock()  # the interpreter has one set of tensors
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
            if self._run is None:  # in a forked process
                with not_forking:
                    self._run = _load(self._file, self._num_threads)
            scores = self._run(audio=window[np.newaxis])["scores"]
            # A view into the interpreter's memory, which the next call overwrites.
            return np.array(scores[0], dtype=np.float64)


def _name(model: str | os.PathLike[str] | None) -> str:
    """The name of a bundled model, or an absolute path: what another process can load."""
    if model is None:
        return next(iter(modelfile.BUNDLED))
    path = os.fsdecode(model)
    return path if isinstance(model, str) and model in modelfile.BUNDLED else os.path.abspath(path)


def _load(file: modelfile.ModelFile, num_threads: int) -> Any:
    """The runner of the signature `recognize`, its shapes checked and run once on silence."""
    if file.sample_rate != audio.SAMPLE_RATE:
        raise ModelError(
            f"{file.name}: expected a model for audio at {audio.SAMPLE_RATE} Hz, "
            f"found one for {file.sample_rate} Hz"
        )
    expected = {"audio": (1, file.window_samples), "scores": (1, len(file.labels))}
    try:
        interpreter = Interpreter(model_content=file.flatbuffer, num_threads=num_threads)
        signatures = interpreter.get_signature_list()
        missing = [name for name in modelfile.SIGNATURES if name not in signatures]
        if missing:
            found = ", ".join(signatures) or "none"
            raise ModelError(f"{file.name}: expected the signature {missing[0]}, found {found}")
        runner = interpreter.get_signature_runner("recognize")
        shapes = {
            name: tuple(map(int, detail["shape"]))
            for details in (runner.get_input_details(), runner.get_output_details())
            for name, detail in details.items()
        }
        if shapes != expected:
            raise ModelError(f"{file.name}: expected tensors {expected}, found {shapes}")
        scores = runner(audio=np.zeros(expected["audio"], np.float32))["scores"]
        if not abs(scores.sum() - 1) < 1e-3:  # also where a score is NaN
            raise ModelError(f"{file.name}: expected scores that sum to 1, found {scores.sum()}")
    except ModelError:
        raise
    except (ValueError, RuntimeError) as error:
        raise ModelError(f"{file.name}: expected a model that LiteRT runs: {error}") from error
    return runner


_recognizers: weakref.WeakSet[Recognizer] = weakref.WeakSet()
_left_behind: list[Any] = []


def _reset_in_child() -> None:
    """Let a forked process load its models again.

    A thread that the child does not have may hold the lock. The interpreter's own threads are not
    there either: it cannot be used, and deleting it crashes the child, so a reference stays.
    """
    for recognizer in list(_recognizers):
        _left_behind.append(recognizer._run)
        recognizer._run = None
        recognizer._lock = threading.Lock()


if hasattr(os, "register_at_fork"):  # not on Windows
    os.register_at_fork(after_in_child=_reset_in_child)


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
