"""Measures the forms of a converted model on clips: at once, hop by hop, and as one stream."""

import dataclasses
import statistics
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import numpy.typing as npt
from ai_edge_litert.interpreter import Interpreter
from tqdm import tqdm

from export.tflite.runner import ModelRunner
from export.verification.clips import VerificationClips
from export.verification.memory import memory_bytes
from speechgru.conversion.flatbuffer import operators
from training.comparison.timing import rounds

TIMED_ROUNDS = 300


@dataclasses.dataclass(frozen=True)
class FormResult:
    """What was measured of one form of a model.

    Attributes:
        bytes: size of the form.
        accuracy: share of the clips that are recognised.
        stream_accuracy: the same at the end of each clip in one stream without reset.
        hop_by_hop_difference: greatest difference of a score between a clip fed hop by hop and the
            clip at once.
        score_difference: greatest difference of a score from the Keras model.
        changed_labels: share of the clips whose label is not the Keras model's.
        score_difference_from_int8: greatest difference of a score from the int8 form.
        changed_labels_from_int8: share of the clips whose label is not the int8 form's.
        stream_detections: number of the int8 form's detections in the stream.
        changed_detections: number of detections there that only one of the two forms has, by label
            and time.
        mfcc_difference: greatest difference of an MFCC from librosa.
        memory: bytes of memory. Of a .tflite file an estimate for the tensors of each signature;
            of other forms see `stream_forms.StreamRunner`.
        operators: names of the operators.
        ms_per_clip: median time of a clip at once in ms, one thread.
        us_per_hop: median time of a hop in us, one thread.
    """

    bytes: int
    accuracy: float
    stream_accuracy: float
    hop_by_hop_difference: float | None = None
    score_difference: float | None = None
    changed_labels: float | None = None
    score_difference_from_int8: float | None = None
    changed_labels_from_int8: float | None = None
    stream_detections: int | None = None
    changed_detections: int | None = None
    mfcc_difference: float | None = None
    memory: dict[str, int] | None = None
    operators: list[str] | None = None
    ms_per_clip: float | None = None
    us_per_hop: float | None = None

    def as_json(self) -> dict[str, Any]:
        """Return what was measured, without what was not."""
        return {key: value for key, value in vars(self).items() if value is not None}


def measure_form(
    name: str,
    flatbuffer: bytes,
    clips: VerificationClips,
    keras_scores: npt.NDArray[np.float32],
    librosa_mfcc: npt.NDArray[np.float32],
) -> tuple[FormResult, npt.NDArray[np.float32]]:
    """Measure one form, all but its speed.

    Args:
        name: of the form, for the progress bar.
        flatbuffer: the form.
        clips: what it is measured on.
        keras_scores: probabilities by the Keras model, (clips, labels).
        librosa_mfcc: features by librosa, (clips, frames, n_mfcc).

    Returns:
        What was measured, and the form's probabilities (clips, labels).
    """
    runner = ModelRunner(flatbuffer)
    state = runner.initial_state()
    scores, hop_by_hop, in_stream, mfcc_differences = [], [], [], []
    given = zip(clips.audio, clips.gaps, librosa_mfcc, strict=True)
    bar = tqdm(given, name, len(clips.audio), leave=False, disable=None)
    for audio, gap, mfcc in bar:
        scores.append(runner.recognize(audio))
        mfcc_differences.append(np.abs(runner.features(audio) - mfcc).max())
        hop_by_hop.append(runner.stream(audio)[0][-1])
        after_hops, state = runner.stream(np.concatenate([gap, audio]), state)
        in_stream.append(after_hops[-1])
    at_once = np.array(scores)
    labels = at_once.argmax(axis=1)
    result = FormResult(
        bytes=len(flatbuffer),
        accuracy=float(np.mean(labels == clips.targets)),
        stream_accuracy=float(np.mean(np.argmax(in_stream, axis=1) == clips.targets)),
        hop_by_hop_difference=float(np.abs(np.array(hop_by_hop) - at_once).max()),
        score_difference=float(np.abs(at_once - keras_scores).max()),
        changed_labels=float(np.mean(labels != keras_scores.argmax(axis=1))),
        mfcc_difference=float(np.max(mfcc_differences)),
        memory=memory_bytes(flatbuffer),
        operators=operators(flatbuffer),
    )
    return result, at_once


def add_latencies(
    results: Mapping[str, FormResult],
    flatbuffers: Mapping[str, bytes],
    clip: npt.NDArray[np.float32],
) -> dict[str, FormResult]:
    """Return the results with the medians of a clip's and of a hop's time.

    The forms take turns, so that a change of the machine's speed affects all of them.

    Args:
        results: what was measured of each form; forms without a flatbuffer stay as they are.
        flatbuffers: the forms.
        clip: audio of one window, (samples,).
    """
    calls: dict[str, Callable[[], Any]] = {}
    for name, flatbuffer in flatbuffers.items():
        calls[f"{name}: clip"], calls[f"{name}: hop"] = _calls(flatbuffer, clip)
    medians = {key: statistics.median(s) for key, s in rounds(calls, TIMED_ROUNDS).items()}
    return {**results} | {
        name: dataclasses.replace(
            results[name],
            ms_per_clip=1e3 * medians[f"{name}: clip"],
            us_per_hop=1e6 * medians[f"{name}: hop"],
        )
        for name in flatbuffers
    }


def _calls(
    flatbuffer: bytes, clip: npt.NDArray[np.float32]
) -> tuple[Callable[[], Any], Callable[[], Any]]:
    """Calls of `recognize` and `stream` without the copies that `ModelRunner` makes."""
    interpreter = Interpreter(model_content=flatbuffer, num_threads=1)
    recognize = interpreter.get_signature_runner("recognize")
    stream = interpreter.get_signature_runner("stream")
    inputs = {
        name: np.zeros(detail["shape"], np.float32)
        for name, detail in stream.get_input_details().items()
    }
    inputs["audio"] = clip[None, : inputs["audio"].shape[1]]
    return lambda: recognize(audio=clip[None]), lambda: stream(**inputs)
