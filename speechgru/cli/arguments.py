"""Arguments that several commands have."""

import argparse

from speechgru import modelfile

NAMES = ", ".join(modelfile.BUNDLED)


def add_model(command: argparse.ArgumentParser) -> None:
    """Add `--model`."""
    command.add_argument(
        "--model",
        metavar="M",
        help=f"model file, or a bundled model: {NAMES} (default: the first)",
    )


def positive(text: str) -> int:
    """Parse a whole number from 1."""
    if not text.isdecimal() or len(text) > 9 or int(text) < 1:
        raise argparse.ArgumentTypeError(f"expected a whole number from 1, found {text!r}")
    return int(text)
