"""The C files compiled for this machine and called from Python, to compare them with LiteRT."""

import ctypes
import tempfile
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from export.c99.compiling import WARNINGS, flash_bytes, run_compiler
from export.c99.generate import CFiles


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

    Attributes:
        state_bytes: size of a `kws_t`.
        object_bytes: bytes of code and constants, compiled for size.

    Raises:
        ExportError: the files cannot be compiled.
        MissingToolError: there is no C compiler.
    """

    def __init__(self, files: CFiles, labels: int, hop_samples: int) -> None:
        with tempfile.TemporaryDirectory() as folder:
            place = Path(folder)
            (place / "kws.c").write_text(files.code)
            (place / "kws.h").write_text(files.header)
            command, shared = ["cc", "-std=c99", *WARNINGS], ["-O2", "-fPIC", "-shared"]
            run_compiler([*command, "-Os", "-c", "kws.c"], "kws.c", place)
            run_compiler([*command, *shared, "kws.c", "-lm", "-o", "kws.so"], "kws.c", place)
            self.object_bytes = flash_bytes("size", place / "kws.o")
            self._library = ctypes.CDLL(str(place / "kws.so"))
        self._library.kws_size.restype = ctypes.c_size_t
        self._library.kws_scores.restype = ctypes.POINTER(ctypes.c_float)
        self.state_bytes = int(self._library.kws_size())
        self._state = ctypes.create_string_buffer(self.state_bytes)
        self._labels, self._hop = labels, hop_samples
        self._tail_hops = int(files.header.split("#define KWS_TAIL_HOPS ")[1].split()[0])
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
        found = (_Detection * (self._tail_hops + 2))()  # KWS_MAX_FINISH
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
