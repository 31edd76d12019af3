"""Runs the int8 step of a model with TensorFlow Lite Micro, the interpreter of microcontrollers."""

import os
import re
import tempfile
from bisect import bisect_left
from collections.abc import Iterator
from contextlib import contextmanager
from typing import IO, Any

import numpy as np
import numpy.typing as npt

from export.tflite.runner import ModelRunner
from export.verification.stream_forms import UnavailableError
from speechgru.conversion import flatbuffer
from speechgru.errors import ConversionError

AMPLE_ARENA = 1 << 20  # bytes
ARENA_ALIGNMENT = 16

Integers = npt.NDArray[np.int8]


class MicroRunner:
    """The step of an int8 model with TensorFlow Lite Micro, behind LiteRT's float32 front end.

    Args:
        whole: the int8 model. Its signature `stream` computes the frames.
        step: its step; see `export.tflite.int8.to_int8`.

    Attributes:
        bytes: size of the step.
        memory: bytes of the smallest arena with which the interpreter starts (`stream`), and of
            what is in use afterwards (`arena_used`), on this system.
        changed_labels_limit: 1 %. Its kernels round otherwise than those of LiteRT.

    Raises:
        ConversionError: TensorFlow Lite Micro cannot run the step.
        UnavailableError: the package tflite-micro is not installed.
    """

    def __init__(self, whole: bytes, step: bytes) -> None:
        self.bytes = len(step)
        self.memory = arena_sizes(step)
        self.changed_labels_limit = 0.01
        self._step = interpreter(step, AMPLE_ARENA)
        self._front_end = ModelRunner(whole)
        self._inputs, self._outputs = _places(step)
        details = self._step.get_input_details
        self._shapes = {name: details(place)["shape"] for name, place in self._inputs.items()}
        self._quantization = {n: _quantization(details(place)) for n, place in self._inputs.items()}
        scores = self._step.get_output_details(self._outputs["scores"])
        self._score_scale, self._score_zero = _quantization(scores)
        self.reset()

    def reset(self) -> None:
        """Start a new stream."""
        self._front_end_state = self._front_end.initial_state()
        self._states = {  # zeros, which are the zero points
            name: np.full(self._shapes[name], self._quantization[name][1], np.int8)
            for name in self._inputs
            if name != "frames"
        }

    def feed(self, audio: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
        """Return the scores after each hop, (hops, labels), of audio, (samples,)."""
        hops = audio.reshape(-1, self._front_end.hop_samples)
        scores = np.array([self._run_step(self._next_frames(hop)) for hop in hops], np.float32)
        return (scores - self._score_zero) * self._score_scale

    def _next_frames(self, hop: npt.NDArray[np.float32]) -> Integers:
        """Return the quantised frames of the hop's step, (1, conv_width, n_mfcc)."""
        before = self._front_end_state["frames"]
        _, self._front_end_state = self._front_end.hop(hop, self._front_end_state)
        after = self._front_end_state["frames"]  # the last frames of the step
        width = self._shapes["frames"][1]
        frames = np.concatenate([before[:, : width - after.shape[1]], after], axis=1)
        scale, zero = self._quantization["frames"]
        return np.clip(np.round(frames / scale) + zero, -128, 127).astype(np.int8)

    def _run_step(self, frames: Integers) -> Integers:
        """Run the step, keep its states, and return its scores, (labels,)."""
        for name, values in {"frames": frames, **self._states}.items():
            self._step.set_input(values, self._inputs[name])
        self._step.invoke()
        self._states = {
            name: self._step.get_output(self._outputs[f"next_{name}"]) for name in self._states
        }
        scores: Integers = self._step.get_output(self._outputs["scores"])[0]
        return scores


def interpreter(step: bytes, arena_size: int) -> Any:
    """Return TensorFlow Lite Micro's interpreter of a step, with an arena of some bytes.

    Raises:
        ConversionError: the interpreter refuses the step, or the arena is too small.
        UnavailableError: the package tflite-micro is not installed.
    """
    try:
        from tflite_micro import runtime
    except ImportError as error:
        raise UnavailableError(
            f"expected the package tflite-micro (Linux on x86-64 only), found: {error}"
        ) from error
    try:
        return runtime.Interpreter.from_bytes(step, arena_size=arena_size)
    except RuntimeError as error:
        raise ConversionError(
            f"TensorFlow Lite Micro, arena of {arena_size:,} bytes: {error}"
        ) from error


def arena_sizes(step: bytes) -> dict[str, int]:
    """Return `MicroRunner.memory` of a step.

    While it starts, the interpreter plans its memory in the arena. It needs more than it uses
    afterwards.
    """

    def starts(arena_size: int) -> bool:
        try:
            interpreter(step, arena_size)
        except ConversionError:
            return False
        return True

    running = interpreter(step, AMPLE_ARENA)
    with _stderr() as printed:  # the interpreter tells what it uses only there, and each failure
        running.print_allocations()
        printed.seek(0)
        (used,) = map(int, re.findall(rb"Arena allocation total (\d+) bytes", printed.read()))
        sizes = range(used, AMPLE_ARENA, ARENA_ALIGNMENT)
        smallest = sizes[bisect_left(sizes, True, key=starts)]
    return {"stream": smallest, "arena_used": used}


@contextmanager
def _stderr() -> Iterator[IO[bytes]]:
    """Send what C++ code writes to stderr to a file."""
    with tempfile.TemporaryFile() as file:
        stderr = os.dup(2)
        os.dup2(file.fileno(), 2)
        try:
            yield file
        finally:
            os.dup2(stderr, 2)
            os.close(stderr)


def _places(step: bytes) -> tuple[dict[str, int], dict[str, int]]:
    """Return the numbers of the step's inputs and outputs by name: the interpreter has no names."""
    model = flatbuffer.load(step)
    (graph,), (signature,) = model.subgraphs, model.signatureDefs
    inputs, outputs = (
        {entry.name.decode(): list(tensors).index(entry.tensorIndex) for entry in entries}
        for entries, tensors in (
            (signature.inputs, graph.inputs),
            (signature.outputs, graph.outputs),
        )
    )
    return inputs, outputs


def _quantization(details: dict[str, Any]) -> tuple[np.float32, int]:
    """Return the scale and the zero point of a tensor."""
    parameters = details["quantization_parameters"]
    return parameters["scales"][0], int(parameters["zero_points"][0])
