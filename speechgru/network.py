"""The signatures of a model file, run by LiteRT."""

import abc
import os
import weakref
from typing import Any

import numpy as np
import numpy.typing as npt
from ai_edge_litert.interpreter import Interpreter

from speechgru.audio.resampling import SAMPLE_RATE
from speechgru.audio.sample_arrays import Samples
from speechgru.errors import ModelError
from speechgru.fork_lock import not_forking
from speechgru.modelfile import SIGNATURES, ModelFile

Shapes = dict[str, tuple[int, ...]]


class _Network(abc.ABC):
    """One signature in an interpreter of its own. Only one thread at a time may use it.

    Raises:
        ModelError: the model has no such signature, or LiteRT cannot run it.
    """

    signature: str

    def __init__(self, file: ModelFile, num_threads: int) -> None:
        self._file = file
        self._num_threads = num_threads
        self._runner: Any = self._load()
        _networks.add(self)

    def run(self, **inputs: Any) -> dict[str, Any]:
        """Return the outputs, which may be views that the next call overwrites."""
        if self._runner is None:  # in a forked process
            self._runner = self._load()
        outputs: dict[str, Any] = self._runner(**inputs)
        return outputs

    @abc.abstractmethod
    def check_shapes(self, inputs: Shapes, outputs: Shapes) -> None:
        """Check the shapes of the inputs and outputs.

        Raises:
            ModelError: they are not what the file's settings say.
        """

    @abc.abstractmethod
    def trial_inputs(self) -> dict[str, Any]:
        """Inputs to run a model with that has just been loaded."""

    def _load(self) -> Any:
        """Load the signature and run it once on silence."""
        name = self._file.name
        if self._file.sample_rate != SAMPLE_RATE:
            raise ModelError(
                f"{name}: expected a model for audio at {SAMPLE_RATE} Hz, "
                f"found one for {self._file.sample_rate} Hz"
            )
        try:
            with not_forking:
                runner = self._open()
                self.check_shapes(
                    _shapes(runner.get_input_details()), _shapes(runner.get_output_details())
                )
                total = runner(**self.trial_inputs())["scores"].sum()
        except ModelError:
            raise
        except (ValueError, RuntimeError) as error:
            raise ModelError(f"{name}: expected a model that LiteRT runs: {error}") from error
        if not abs(total - 1) < 1e-3:  # also where a score is NaN
            raise ModelError(f"{name}: expected scores that sum to 1, found {total}")
        return runner

    def _open(self) -> Any:
        interpreter = Interpreter(
            model_content=self._file.flatbuffer, num_threads=self._num_threads
        )
        signatures = interpreter.get_signature_list()
        missing = [name for name in SIGNATURES if name not in signatures]
        if missing:
            found = ", ".join(signatures) or "none"
            raise ModelError(
                f"{self._file.name}: expected the signature {missing[0]}, found {found}"
            )
        return interpreter.get_signature_runner(self.signature)


class WindowNetwork(_Network):
    """The signature `recognize`: the scores of a whole window."""

    signature = "recognize"

    def scores(self, window: Samples) -> npt.NDArray[np.float64]:
        """Return the scores of a window, (window_samples,) -> (labels,)."""
        return np.array(self.run(audio=window[np.newaxis])["scores"][0], dtype=np.float64)

    def check_shapes(self, inputs: Shapes, outputs: Shapes) -> None:
        """Expect one window and its scores."""
        found = {**inputs, **outputs}
        expected = {"audio": (1, self._file.window_samples), "scores": (1, len(self._file.labels))}
        if found != expected:
            raise ModelError(f"{self._file.name}: expected tensors {expected}, found {found}")

    def trial_inputs(self) -> dict[str, Any]:
        """A silent window."""
        return {"audio": np.zeros((1, self._file.window_samples), np.float32)}


class StreamNetwork(_Network):
    """The signature `stream` with its state: the scores after each hop of one stream."""

    signature = "stream"

    def __init__(self, file: ModelFile, num_threads: int = 1) -> None:
        self._state: dict[str, Samples] = {}
        super().__init__(file, num_threads)
        self.reset()

    @property
    def hop_samples(self) -> int:
        """Samples in a hop."""
        return self._file.hop_samples

    def reset(self) -> None:
        """Set the state to zeros."""
        self._state = {name: np.zeros(shape, np.float32) for name, shape in self._shapes.items()}

    def step(self, hop: Samples) -> list[float]:
        """Return the scores after one more hop, (1, hop_samples)."""
        outputs = self.run(audio=hop, **self._state)
        self._state = {name: outputs[f"next_{name}"].copy() for name in self._state}
        scores: list[float] = outputs["scores"][0].tolist()
        return scores

    def check_shapes(self, inputs: Shapes, outputs: Shapes) -> None:
        """Expect a hop, its scores, and for each state the next one of the same shape."""
        state = {name: shape for name, shape in inputs.items() if name != "audio"}
        expected_inputs = {"audio": (1, self.hop_samples), **state}
        expected_outputs = {
            "scores": (1, len(self._file.labels)),
            **{f"next_{name}": shape for name, shape in state.items()},
        }
        if (inputs, outputs) != (expected_inputs, expected_outputs):
            raise ModelError(
                f"{self._file.name}: expected the signature stream with inputs {expected_inputs} "
                f"and outputs {expected_outputs}, found {inputs} and {outputs}"
            )
        self._shapes = state

    def trial_inputs(self) -> dict[str, Any]:
        """A silent hop after a state of zeros."""
        shapes = {"audio": (1, self.hop_samples), **self._shapes}
        return {name: np.zeros(shape, np.float32) for name, shape in shapes.items()}


def _shapes(details: dict[str, Any]) -> Shapes:
    return {name: tuple(map(int, detail["shape"])) for name, detail in details.items()}


_networks: weakref.WeakSet[_Network] = weakref.WeakSet()
_left_behind: list[Any] = []


def _leave_behind() -> None:
    """Let a forked process load its models again.

    The interpreter's own threads are not there: it cannot be used, and deleting it crashes the
    child, so a reference stays.
    """
    for network in list(_networks):
        _left_behind.append(network._runner)
        network._runner = None


if hasattr(os, "register_at_fork"):  # not on Windows
    os.register_at_fork(after_in_child=_leave_behind)
