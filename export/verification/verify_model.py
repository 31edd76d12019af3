"""Verifies a model file: measures every form of its model and writes report and golden vectors."""

import dataclasses
import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
from tqdm import tqdm

from export.c99.from_run import Trained
from export.errors import ExportError
from export.model_package.output_files import ModelFiles
from export.model_package.reference_clips import Audio, calibration_clips
from export.tflite.conversion import Converted, convert
from export.tflite.quantization import QUANTIZATIONS, Quantization
from export.tflite.streaming_model import StreamingModel
from export.verification.c_runner import (
    CRunner,
    changed_detections,
    detections_in_stream,
    open_c_runner,
)
from export.verification.clips import VerificationClips, read_verification_clips
from export.verification.forms import FormResult, add_latencies, measure_form
from export.verification.golden_vectors import golden_vectors
from export.verification.keras_form import measure_keras
from export.verification.limits import failures
from export.verification.micro_runner import MicroRunner
from export.verification.parity_report import parity_report, parity_table
from export.verification.stream_forms import StreamRunner, measure_stream_form, open_runners
from speechgru import modelfile
from speechgru.atomic_files import write_text
from speechgru.features import MFCCConfig, mfcc
from speechgru.modelfile import ModelFile
from speechgru.recognizer import Recognizer
from training.clips.words import UNKNOWN
from training.figures.exported_forms import plot_forms
from training.run_files.trained_model import load_trained

KERAS, MICRO = "Keras", "int8, TensorFlow Lite Micro"
C99, C99_FIXED = "int8, C99", "int8, C99, fixed point"


class Verification(NamedTuple):
    """What a verification found.

    Attributes:
        clips: number of validation clips.
        table: what was measured, as Markdown.
        failures: a line for each figure that is over its limit.
        unavailable: a line for each form that this system cannot run.
    """

    clips: int
    table: str
    failures: Sequence[str]
    unavailable: Sequence[str] = ()


def verify_model(path: Path, run: Path, data: Path, files: ModelFiles) -> Verification:
    """Measure the Keras model, every form of it and a model file, and write the results.

    Args:
        path: the model file.
        run: the run that it comes from: a folder or a .keras file.
        data: folder of clips.
        files: where to write the results; see `files_of_verification`.

    Raises:
        ConversionError: a form cannot be made.
        ExportError: the file and the run have different labels.
        DataError, ModelError: the data, the file or the run cannot be used.
    """
    Recognizer(path)  # loads every signature
    file = modelfile.read(path)
    keras_path = run / "model.keras" if run.is_dir() else run
    model, metrics = load_trained(keras_path, streams=True)
    check_labels(file, metrics["labels"], keras_path)
    clips = read_verification_clips(data, file.labels, file.window_samples)
    streaming = StreamingModel(model)
    calibration = calibration_clips(data, file.labels, streaming.window_samples)
    converted = convert_all(streaming, calibration)
    flatbuffers = {name: form.flatbuffer for name, form in converted.items()}
    flatbuffers[path.name] = file.flatbuffer
    trained = Trained(keras_path, model, file.labels, file.settings, data)
    runners, unavailable = open_runners(
        stream_forms(converted["int8"], trained, calibration.source)
    )
    results = measure_all(model, keras_path, file, flatbuffers, runners, clips)

    quantizations: dict[str, Quantization] = {name: name for name in QUANTIZATIONS}
    quantizations |= dict.fromkeys(runners, "int8")
    quantizations[path.name] = file.settings.get("quantization", "none")
    label_limits = {name: runner.changed_labels_limit for name, runner in runners.items()}
    found = failures(
        results, quantizations, results[KERAS].accuracy, len(clips.audio), label_limits
    )
    sha256 = hashlib.sha256(path.read_bytes()).hexdigest()
    report = parity_report(path.name, sha256, len(clips.audio), results, found)
    files.folder.mkdir(parents=True, exist_ok=True)
    write_text(files.parity_report.path, json.dumps(report, indent=1))
    write_text(files.golden_vectors.path, json.dumps(golden_vectors(file, sha256, model)))
    plot_forms(report["forms"], files.parity_figure.path)
    return Verification(len(clips.audio), parity_table(results), found, unavailable)


def check_labels(file: ModelFile, labels: Sequence[str], keras_path: Path) -> None:
    """Raise ExportError unless a model file has the labels of a run, "unknown" among them."""
    if list(labels) != list(file.labels) or UNKNOWN not in labels:
        raise ExportError(
            f"{file.name}: expected the labels of {keras_path}, with {UNKNOWN!r}, "
            f"found {', '.join(map(repr, file.labels))}"
        )


def convert_all(streaming: StreamingModel, calibration: Audio) -> dict[str, Converted]:
    """Return the model in every form of a .tflite file."""
    return {name: convert(streaming, name, calibration.samples) for name in QUANTIZATIONS}


def stream_forms(
    int8: Converted, trained: Trained, calibrated_on: str
) -> dict[str, Callable[[], StreamRunner]]:
    """Return what opens each form that recognises a stream and nothing else, by name."""
    assert int8.step
    c99 = partial(open_c_runner, trained, int8.step, calibrated_on)
    return {
        MICRO: partial(MicroRunner, int8.flatbuffer, int8.step),
        C99: partial(c99, fixed=False),
        C99_FIXED: partial(c99, fixed=True),
    }


def measure_all(
    model: Any,
    keras_path: Path,
    file: ModelFile,
    flatbuffers: Mapping[str, bytes],
    runners: Mapping[str, StreamRunner],
    clips: VerificationClips,
) -> dict[str, FormResult]:
    """Return what was measured of the Keras model, every flatbuffer and every runner, by name."""
    results, scores = {}, {}
    results[KERAS], scores[KERAS] = measure_keras(model, keras_path, clips)
    features = librosa_mfcc(file, clips.audio)
    for name, content in flatbuffers.items():
        results[name], scores[name] = measure_form(name, content, clips, scores[KERAS], features)
    for name, runner in runners.items():
        results[name] = measure_stream_form(name, runner, clips, scores[KERAS], scores["int8"])
    # Of the stream, which was measured last. The other forms have scores only.
    detections = {n: run.detections for n, run in runners.items() if isinstance(run, CRunner)}
    expected = detections_in_stream(flatbuffers["int8"], file, clips) if detections else []
    for name, found in detections.items():
        results[name] = dataclasses.replace(
            results[name],
            stream_detections=len(expected),
            changed_detections=changed_detections(found, expected, file.sample_rate),
        )
    return add_latencies(results, flatbuffers, clips.audio[0])


def librosa_mfcc(file: ModelFile, audio: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
    """Return librosa's features of every clip, (clips, frames, n_mfcc)."""
    config = MFCCConfig(**file.settings["front_end"])
    bar = tqdm(audio, "librosa", leave=False, disable=None)
    return np.stack([mfcc(clip, config) for clip in bar])
