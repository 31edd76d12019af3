"""Exports a run: converts its model, checks the file, and writes it with its card."""

import hashlib
import os
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import NamedTuple

from export.errors import ExportError
from export.model_package.checking import check_against_keras
from export.model_package.metadata import model_metadata
from export.model_package.model_card import model_card
from export.model_package.output_files import ModelFiles, OutputFile
from export.model_package.reference_clips import calibration_clips, check_clips
from export.model_package.run_metrics import read_run_metrics
from export.tflite.conversion import convert
from export.tflite.quantization import Quantization
from export.tflite.streaming_model import StreamingModel
from speechgru import modelfile
from speechgru.atomic_files import replacing
from speechgru.stated_accuracy import describe_accuracy
from training.run_files.trained_model import load_trained


class Exported(NamedTuple):
    """An exported model.

    Attributes:
        path: the model file.
        size: its size in bytes.
        accuracy: its validation accuracy, as `describe_accuracy` states it.
        check: what its check found.
        removed: companions of an earlier model that were removed.
    """

    path: Path
    size: int
    accuracy: str
    check: str
    removed: Sequence[Path]


def export_run(
    model: Path,
    files: ModelFiles,
    quantization: Quantization,
    data: Path | None,
    notes: Path | None,
    command: str,
) -> Exported:
    """Export the model of a run to one file and write its card.

    Args:
        model: the run's folder, or a .keras file with the run's metrics.json beside it.
        files: where to write; see `files_of_export`.
        quantization: the form of the file.
        data: folder of clips that check the file and calibrate int8. None: the run's data, or the
            repository's samples if that folder is gone.
        notes: Markdown file to end the card with. None: nothing.
        command: the command that does this, for the card.

    Raises:
        ConversionError: the model cannot be converted, or the file differs from it.
        DataError, ExportError, ModelError: the data, the notes or the run cannot be used.
    """
    notes_text = read_notes(notes) if notes else ""
    keras_model, _ = load_trained(model, streams=True)
    metrics = read_run_metrics((model if model.is_dir() else model.parent) / "metrics.json")
    data = data or (Path(metrics.data) if os.path.isdir(metrics.data) else None)
    streaming = StreamingModel(keras_model)
    window, calibration = streaming.window_samples, None
    if quantization == "int8":
        calibration = calibration_clips(data, metrics.labels, window)
    converted = convert(streaming, quantization, calibration and calibration.samples)
    clips = check_clips(data, metrics.labels, window)
    metadata = model_metadata(keras_model, streaming, metrics, quantization)

    files.folder.mkdir(parents=True, exist_ok=True)
    with ExitStack() as stack:  # the files get their names after all of them were written

        def writing(file: OutputFile) -> Path:
            return stack.enter_context(replacing(file.path))

        unchecked = writing(files.model)
        modelfile.write(unchecked, converted.flatbuffer, metrics.labels, metadata)
        content = unchecked.read_bytes()
        flatbuffer = modelfile.read(unchecked).flatbuffer
        line = check_against_keras(flatbuffer, keras_model, clips.samples, quantization)
        check = f"Checked against the Keras model on {clips.source}, {line}."
        if calibration:
            check = f"Calibrated on {calibration.source}. {check}"
        name = files.model.path.name
        card = model_card(name, len(content), metadata, metrics, command, check, notes_text)
        writing(files.card).write_text(card, encoding="utf-8", newline="\n")
        if converted.step:
            writing(files.step).write_bytes(converted.step)
    sha256 = hashlib.sha256(content).hexdigest()
    removed = files.remove_stale(sha256, keep_step=bool(converted.step))
    accuracy = str(describe_accuracy(metadata))
    return Exported(files.model.path, len(content), accuracy, check, removed)


def read_notes(path: Path) -> str:
    """Return the text of a UTF-8 file.

    Raises:
        ExportError: the file is not text.
    """
    try:
        return path.read_text(encoding="utf-8")
    except UnicodeDecodeError as error:
        raise ExportError(f"{path}: expected text in UTF-8, found: {error.reason}") from error
