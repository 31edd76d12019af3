"""The whole evaluation of a model: clips, conditions, streams, recordings, metrics, report."""

import hashlib
from pathlib import Path

import numpy as np

from speechgru import modelfile
from training.evaluation.card_row import update_card
from training.evaluation.conditions import CLEAN, predict_in_conditions
from training.evaluation.evaluated_model import EvaluatedModel
from training.evaluation.evaluation_clips import NOTES, Split, read_evaluation_set
from training.evaluation.metrics import summarise
from training.evaluation.noises import find_noises, noise_windows
from training.evaluation.recordings.evaluation import evaluate_recordings, recording_settings
from training.evaluation.report import Report, make_report_folder, write_report
from training.evaluation.streams.evaluation import (
    detection_settings,
    evaluate_streams,
    read_streaming_model,
)
from training.evaluation.streams.options import StreamOptions
from training.output.messages import printable


def evaluate(
    model: EvaluatedModel,
    data: Path,
    *,
    split: Split = "validation",
    noise: Path | None = None,
    seed: int = 0,
    report_folder: Path | None = None,
    streams: StreamOptions | None = None,
) -> Report:
    """Evaluate a model.

    The same data, seed and labels give the same clips and the same noise for every model.

    Args:
        model: what `evaluated_model.load_model` returns.
        data: a folder of <word>/*.wav.
        split: which clips; see `evaluation_clips.read_evaluation_set`.
        noise: a folder of noise recordings; see `noises.find_noises`. Default None.
        seed: of all random choices, as in a recipe.
        report_folder: where to write the report. Default: nowhere.
        streams: what to evaluate in streams and in whole recordings, too. Default None: nothing.

    Returns:
        What `report.json` holds.

    Raises:
        DataError: the folder has no such clips, or the noise folder no recordings; or the report
            would replace other files.
        ModelError: the model predicts NaN or infinity, or cannot be evaluated in streams.
        OSError: the chosen constants cannot be written into the model file.
    """
    if streams:
        read_streaming_model(model.path)  # fails before the long work, as does this:
    if report_folder:
        make_report_folder(report_folder)
    clips, kind = read_evaluation_set(data, model.labels, split, seed, model.window)
    rng = np.random.default_rng((seed, 1))
    noises, noise_source = find_noises(clips, noise, rng)
    windows = noise_windows(noises, clips.samples.shape, rng)
    probabilities = predict_in_conditions(model, clips, windows)
    found = evaluate_streams(model.path, clips, noises, streams) if streams else None
    whole = evaluate_recordings(model.path, clips, noises, streams) if streams else None
    if found and whole and streams and streams.choose is not None:
        settings = detection_settings(found.report)
        settings["recording"], reached = recording_settings(whole.report)
        settings["measured_on"] += f"; {reached}"
        modelfile.write_detection(model.path, settings)
        update_card(model.path, settings)
    report: Report = {
        "model": printable(model.path),
        "sha256": hashlib.sha256(model.path.read_bytes()).hexdigest(),
        "data": printable(data),
        "split": split,
        "note": NOTES[kind],
        "unknown": clips.unknown,
        "seed": seed,
        "noise": noise_source,
        "streams": found.report if found else None,
        "recordings": whole.report if whole else None,
        **summarise(model.labels, clips, probabilities),
    }
    if report_folder:
        write_report(report, clips, probabilities[CLEAN], found, whole, report_folder)
    return report
