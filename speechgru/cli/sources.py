"""The sound files that the command line names: files, folders and standard input."""

import io
import os
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

from speechgru import sound_files
from speechgru.audio import EXTENSIONS
from speechgru.cli.streams import message
from speechgru.errors import AudioError, escape

STANDARD_INPUT = "<stdin>"
"""Name of standard input in messages."""


def find_files(names: Sequence[str]) -> tuple[list[str], list[str]]:
    """Replace folders by the sound files in them, sorted, without hidden files and folders.

    Returns:
        The files, and messages about folders that cannot be read or hold no sound files.
    """
    files: list[str] = []
    errors: list[OSError] = []
    problems: list[str] = []
    for name in names:
        if not os.path.isdir(name):
            files.append(name)
            continue
        earlier = len(errors)
        found = sorted(_walk(name, errors))
        if not found and len(errors) == earlier:
            problems.append(f"{escape(name)}: expected a folder with sound files, found none")
        files += found
    return files, [*problems, *map(message, errors)]


def _walk(folder: str, errors: list[OSError]) -> Iterator[str]:
    for path, folders, names in os.walk(folder, onerror=errors.append):
        folders[:] = [name for name in folders if not name.startswith(".")]
        for name in names:
            if not name.startswith(".") and Path(name).suffix.lower() in EXTENSIONS:
                yield os.path.join(path, name)


class _StandardInput(io.BytesIO):
    name = STANDARD_INPUT  # for messages


def standard_input() -> io.BytesIO:
    """Read standard input to its end.

    Raises:
        AudioError: it is closed or cannot be read.
    """
    if sys.stdin is None:
        raise AudioError(f"{STANDARD_INPUT}: expected encoded sound, found a closed stream")
    try:
        return _StandardInput(sound_files.read_stream(sys.stdin.buffer, STANDARD_INPUT))
    except OSError as error:  # such as a folder
        raise AudioError(
            f"{STANDARD_INPUT}: expected encoded sound, found: {error.strerror}"
        ) from error
