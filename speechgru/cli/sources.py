"""The sound files that the command line names: files, folders and standard input."""

import contextlib
import os
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from speechgru.audio import EXTENSIONS, SAMPLE_RATE, sound_files
from speechgru.audio.sample_arrays import check_rate
from speechgru.cli.piped_sound import (
    WAVE_HEAD_BYTES,
    PipedSound,
    is_wave,
    open_raw,
    open_wave,
)
from speechgru.cli.standard_streams import message
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


class StandardInput:
    """Standard input as a binary stream. Errors of reading are `AudioError`s."""

    name = STANDARD_INPUT  # for messages

    def __init__(self) -> None:
        self._header = b""  # what `open_sound` has read

    def read(self, size: int = -1, /) -> bytes:
        """Read bytes, fewer only at the end; by default all, from the beginning.

        Raises:
            AudioError: standard input is closed or cannot be read, or there are more than 2 GiB.
        """
        with _reading() as stream:
            if size >= 0:
                return bytes(stream.read(size))
            header, self._header = self._header, b""
            return header + sound_files.read_stream(stream, STANDARD_INPUT)

    def read1(self, size: int = -1, /) -> bytes:
        """Read bytes as soon as there are any.

        Raises:
            AudioError: standard input is closed or cannot be read.
        """
        with _reading() as stream:
            return bytes(stream.read1(size))

    def open_sound(self, rate: int | None, encoding: str | None) -> PipedSound | None:
        """Read up to the samples.

        Args:
            rate: rate of samples without a header in Hz. Default, with an encoding: 16,000.
            encoding: encoding of samples without a header. Default, with a rate: "s16le".

        Returns:
            The sound. None if only libsndfile may be able to decode it: `read` returns all of it.

        Raises:
            AudioError: the header is damaged, the rate is out of range or not the stated one, or
                another sound file than WAV stands in place of raw samples.
        """
        head = self.read(WAVE_HEAD_BYTES)
        if is_wave(head):
            return self._open_wave(head, rate)
        if rate is None and encoding is None:
            self._header = head
            return None
        rate = check_rate(rate or SAMPLE_RATE, STANDARD_INPUT)
        return open_raw(self, head, STANDARD_INPUT, rate, encoding or "s16le")

    def _open_wave(self, head: bytes, rate: int | None) -> PipedSound | None:
        sound, header = open_wave(self, head, STANDARD_INPUT)
        if sound is None:
            self._header = header
            return None
        if check_rate(sound.sample_rate, STANDARD_INPUT) != (rate or sound.sample_rate):
            raise AudioError(
                f"{STANDARD_INPUT}: expected a sample rate of {rate} Hz, "
                f"found {sound.sample_rate} Hz"
            )
        return sound


@contextlib.contextmanager
def _reading() -> Iterator[Any]:
    """Yield the binary stream of standard input; errors in the block become `AudioError`s."""
    if sys.stdin is None:
        raise AudioError(f"{STANDARD_INPUT}: expected encoded sound, found a closed stream")
    if sys.stdin.buffer.isatty():
        raise AudioError(
            f"{STANDARD_INPUT}: expected sound from a file or another program, found a terminal"
        )
    try:
        yield sys.stdin.buffer
    except OSError as error:  # such as a folder
        raise AudioError(
            f"{STANDARD_INPUT}: expected encoded sound, found: {error.strerror}"
        ) from error
