"""`speechgru info`: what a model file holds."""

import argparse
from pathlib import Path
from typing import Any

from speechgru import modelfile
from speechgru.cli import arguments
from speechgru.cli.output import quote
from speechgru.errors import escape
from speechgru.recognizer import Recognizer
from speechgru.stated_accuracy import describe_accuracy


def add_command(commands: Any) -> argparse.ArgumentParser:
    """Add the command and its arguments to the parser."""
    command: argparse.ArgumentParser = commands.add_parser(
        "info", help="print what a model file holds"
    )
    command.add_argument(
        "model",
        nargs="?",
        metavar="MODEL",
        help=f"model file, or a bundled model: {arguments.NAMES} (default: the first)",
    )
    command.set_defaults(run=_run)
    return command


def _run(options: argparse.Namespace) -> bool:
    Recognizer(options.model)  # it loads, not only reads
    model = modelfile.read(options.model)
    settings = model.settings
    detection = settings.get("detection", {})
    recall = detection.get("recall")
    rows = {
        "model": model.name,
        "labels": " ".join(map(quote, model.labels)),
        "front end": ", ".join(
            f"{name} {value:g}" for name, value in settings["front_end"].items()
        ),
        "window": f"{model.window_samples} samples",
        "hop": f"{settings['hop_samples']} samples",
        "signatures": " ".join(modelfile.SIGNATURES),
        "size": f"{Path(model.name).stat().st_size:,} bytes",
        "parameters": settings.get("parameters"),
        "quantisation": settings.get("quantization"),
        "training data": settings.get("training_data"),
        "validation accuracy": describe_accuracy(settings),
        "false accepts": _describe_rate(detection.get("false_accepts_per_hour")),
        "recall": None if recall is None else f"{recall:.2%}",
        "measured on": detection.get("measured_on"),
        "thresholds": ", ".join(
            f"{quote(label)} {value:g}"
            for label, value in model.detection_rule().thresholds.items()
        ),
        "licence": settings.get("licence"),
        "made with": " ".join(f"{k} {v}" for k, v in settings.get("versions", {}).items()),
    }
    for name, value in rows.items():
        print(f"{name:20} {escape(str(value)) if value else 'not stated'}")
    return True


def _describe_rate(rate: float | None) -> str | None:
    return None if rate is None else f"{rate:g} an hour"
