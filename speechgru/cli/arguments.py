"""Arguments that several commands have."""

import argparse
import math
from pathlib import Path

from speechgru import modelfile
from speechgru.cli.piped_sound import ENCODINGS

_MAX_WORKERS = 256
NAMES = ", ".join(modelfile.BUNDLED)


def add_model(command: argparse.ArgumentParser) -> None:
    """Add `--model`."""
    command.add_argument(
        "--model",
        metavar="M",
        help=f"model file, or a bundled model: {NAMES} (default: the first)",
    )


def add_device(command: argparse.ArgumentParser) -> None:
    """Add `--device`."""
    command.add_argument(
        "--device", metavar="D", help="number of a microphone, or a part of its name"
    )


def folder(text: str) -> Path:
    """Parse the path of a folder; an empty text, as of an unset variable, is an error."""
    if not text:
        raise argparse.ArgumentTypeError("expected a path, found ''")
    return Path(text)


def positive(text: str) -> int:
    """Parse a whole number from 1."""
    value = _whole_number(text)
    if value < 1:
        raise argparse.ArgumentTypeError(f"expected a whole number from 1, found {text!r}")
    return value


def workers(text: str) -> int:
    """Parse a number of processes."""
    value = _whole_number(text)
    if not 1 <= value <= _MAX_WORKERS:
        raise argparse.ArgumentTypeError(
            f"expected a whole number from 1 to {_MAX_WORKERS}, found {text!r}"
        )
    return value


def _whole_number(text: str) -> int:
    """Parse up to nine digits; 0 for any other text."""
    return int(text) if text.isdecimal() and len(text) <= 9 else 0


def add_threshold(command: argparse.ArgumentParser) -> None:
    """Add `--threshold`."""
    command.add_argument(
        "--threshold",
        type=_fraction,
        metavar="P",
        help="confidence from which a command is detected (default: those of the model file)",
    )


def add_save_detections(command: argparse.ArgumentParser) -> None:
    """Add `--save-detections`."""
    command.add_argument(
        "--save-detections",
        type=folder,
        metavar="DIR",
        help="save the sound before each detection in a folder, as false alarms to train with",
    )


def add_raw_format(command: argparse.ArgumentParser) -> None:
    """Add `--rate` and `--format`."""
    command.add_argument(
        "--rate",
        type=positive,
        metavar="N",
        help="sample rate of raw samples on standard input in Hz (default: 16000)",
    )
    command.add_argument(
        "--format",
        choices=tuple(ENCODINGS),
        help="encoding of raw samples, mono, on standard input (default: s16le)",
    )


def _fraction(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not 0 < value <= 1:
        raise argparse.ArgumentTypeError(f"expected a number above 0 and up to 1, found {text!r}")
    return value


def add_form(command: argparse.ArgumentParser) -> None:
    """Add `--json` and `--csv`."""
    form = command.add_mutually_exclusive_group()
    form.add_argument("--json", action="store_true", help="print one JSON object a line")
    form.add_argument("--csv", action="store_true", help="print CSV with a header")
