"""The C files compiled for this machine and called from Python, to compare them with LiteRT."""

import ctypes
import shutil
import subprocess
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from export.c99.generate import CFiles
from export.errors import ExportError

MAX_FINISH = 1000  # more than KWS_MAX_FINISH of any model
WARNINGS = ("-Wall", "-Wextra", "-Wpedantic", "-Wconversion", "-Werror")


class Found(NamedTuple):
    """A detection: the label's index, the confidence, and the sample at which the word ends."""

    label: int
    confidence: float
    sample: int


class _Detection(ctypes.Structure):
    _fields_ = (
        ("label", ctypes.c_int),
        ("confidence", ctypes.c_float),
        ("sample", ctypes.c_uint64),
    )


class CLibrary:
    """A stream of the C code.

    Args:
        files: the C files, with the prefix "kws".
        labels: number of labels.
        hop_samples: samples of a hop.
        compiler: the C compiler. Default "cc".
        flags: further arguments of the compiler. Default: none.

    Attributes:
        state_bytes: size of a `kws_t`.
        object_bytes: bytes of code and constants, compiled for size.

    Raises:
        ExportError: the files cannot be compiled; the message has what the compiler printed.
        FileNotFoundError: there is no such compiler.
    """

    def __init__(
        self,
        files: CFiles,
        labels: int,
        hop_samples: int,
        compiler: str = "cc",
        flags: Sequence[str] = (),
    ) -> None:
        if not shutil.which(compiler):
            raise FileNotFoundError(f"expected a C compiler, found no {compiler}")
        with tempfile.TemporaryDirectory() as folder:
            place = Path(folder)
            (place / "kws.c").write_text(files.code)
            (place / "kws.h").write_text(files.header)
            command = [compiler, "-std=c99", *WARNINGS, *flags]
            _run([*command, "-Os", "-c", "kws.c"], place)
            sizes = _run(["size", "kws.o"], place).splitlines()[1].split()
            _run([*command, "-O2", "-fPIC", "-shared", "kws.c", "-lm", "-o", "kws.so"], place)
            self._library = ctypes.CDLL(str(place / "kws.so"))
        self.object_bytes = int(sizes[0]) + int(sizes[1])
        self._library.kws_size.restype = ctypes.c_size_t
        self._library.kws_scores.restype = ctypes.POINTER(ctypes.c_float)
        self.state_bytes = int(self._library.kws_size())
        self._state = ctypes.create_string_buffer(self.state_bytes)
        self._labels, self._hop = labels, hop_samples
        self.reset()

    def reset(self) -> None:
        """Start a new stream."""
        self._library.kws_reset(self._state)

    def feed(self, samples: npt.NDArray[np.int16]) -> list[Found]:
        """Process samples; return the detections."""
        samples = np.ascontiguousarray(samples, np.int16)
        found = (_Detection * (samples.size // self._hop + 1))()
        pointer = samples.ctypes.data_as(ctypes.c_void_p)
        count = self._library.kws_feed(self._state, pointer, ctypes.c_size_t(samples.size), found)
        return _found(found, count)

    def finish(self) -> list[Found]:
        """End the audio; return what was detected, and start a new stream."""
        found = (_Detection * MAX_FINISH)()
        return _found(found, self._library.kws_finish(self._state, found))

    @property
    def labels(self) -> tuple[str, ...]:
        """The labels in the order of the scores."""
        pointers = (ctypes.c_char_p * self._labels).in_dll(self._library, "kws_labels")
        return tuple((pointer or b"").decode() for pointer in pointers)

    @property
    def scores(self) -> npt.NDArray[np.float32]:
        """The scores after the last hop, (labels,)."""
        pointer = self._library.kws_scores(self._state)
        return np.ctypeslib.as_array(pointer, (self._labels,)).copy()


def _found(found: Any, count: int) -> list[Found]:
    return [Found(one.label, one.confidence, one.sample) for one in found[:count]]


def _run(command: Sequence[str], folder: Path) -> str:
    result = subprocess.run(command, cwd=folder, capture_output=True, text=True)
    if result.returncode:
        raise ExportError(f"{' '.join(command)}: expected no error, found:\n{result.stderr}")
    return result.stdout
