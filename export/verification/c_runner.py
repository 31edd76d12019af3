"""Runs the C99 form of a model, compiled for this machine."""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from export.c99.compiling import MissingToolError
from export.c99.from_run import Trained, recogniser_of_step
from export.c99.generate import Recogniser, generate
from export.c99.library import CLibrary, Found
from export.tflite.runner import ModelRunner
from export.verification.clips import VerificationClips
from export.verification.stream_forms import UnavailableError
from speechgru.architectures import HOP_FRAMES
from speechgru.conversion import flatbuffer
from speechgru.detection import Detector
from speechgru.errors import ConversionError
from speechgru.modelfile import ModelFile
from training.clips.window import to_int16
from training.evaluation.conditions import as_float

SAME_TIME = 0.1  # seconds, within which two detections of a label are the same one


class CRunner:
    """The C99 form of a model.

    Args:
        recogniser: the content of the C files.
        fixed: whether the front end is in fixed point.

    Attributes:
        bytes: code and constants, compiled for size on this machine.
        memory: bytes of a `kws_t` on this machine (`stream`).
        changed_labels_limit: 0.2 %; in fixed point 0.5 %.
        detections: those since the stream's start.

    Raises:
        ConversionError: C cannot represent the front end.
        ExportError: the C files cannot be compiled.
        MissingToolError: there is no C compiler.
    """

    def __init__(self, recogniser: Recogniser, fixed: bool) -> None:
        self._hop = recogniser.config.hop_length * HOP_FRAMES
        files = generate(recogniser, "kws", fixed)
        self._library = CLibrary(files, len(recogniser.rule.labels), self._hop)
        self.bytes = self._library.object_bytes
        self.memory = {"stream": self._library.state_bytes}
        self.changed_labels_limit = 0.005 if fixed else 0.002
        self.detections: list[Found] = []

    def reset(self) -> None:
        """Start a new stream."""
        self._library.reset()
        self.detections = []

    def feed(self, audio: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
        """Return the scores after each hop, (hops, labels), of audio, (samples,)."""
        scores = []
        for hop in to_int16(audio).reshape(-1, self._hop):
            self.detections += self._library.feed(hop)
            scores.append(self._library.scores)
        return np.array(scores)


def open_c_runner(trained: Trained, step: bytes, calibrated_on: str, *, fixed: bool) -> CRunner:
    """Open the C99 form of a model whose step was quantised.

    Args:
        trained: the model.
        step: its int8 step; see `export.tflite.int8.to_int8`.
        calibrated_on: the clips that set the ranges of int8, in words.
        fixed: whether the front end is in fixed point.

    Raises:
        ExportError: the C files cannot be compiled.
        UnavailableError: there is no C compiler, or C cannot represent the model.
    """
    try:
        return CRunner(recogniser_of_step(trained, flatbuffer.load(step), calibrated_on), fixed)
    except (ConversionError, MissingToolError) as error:
        raise UnavailableError(str(error)) from error


def detections_in_stream(int8: bytes, file: ModelFile, clips: VerificationClips) -> list[Found]:
    """Return the detections of the int8 form in the stream of all gaps and clips in 16 bits.

    Args:
        int8: the int8 form.
        file: the model file, which has the detection rule.
        clips: the gaps and clips.
    """
    runner = ModelRunner(int8)
    detector, state, found = Detector(file.detection_rule()), runner.initial_state(), []
    for pair in zip(clips.gaps, clips.audio, strict=True):
        pcm = as_float(to_int16(np.concatenate(pair)))
        scores, state = runner.stream(pcm, state)
        for row in scores.tolist():
            if detection := detector.push(row):
                sample = round(detection.time * file.sample_rate)
                label = file.labels.index(detection.label)
                found.append(Found(label, detection.confidence, sample))
    return found


def changed_detections(found: Sequence[Found], expected: Sequence[Found], rate: int) -> int:
    """Return how many detections have no counterpart: the same label within `SAME_TIME`.

    Args:
        found: detections by one form.
        expected: detections by another form.
        rate: samples a second.
    """
    left, changed = list(expected), 0
    for one in found:
        near = [other for other in left if is_same(one, other, rate)]
        if near:
            left.remove(min(near, key=lambda other: abs(other.sample - one.sample)))
        else:
            changed += 1
    return changed + len(left)


def is_same(one: Found, other: Found, rate: int) -> bool:
    """Return whether two detections have one label and almost one time."""
    return one.label == other.label and abs(one.sample - other.sample) <= SAME_TIME * rate
