"""The sound files that the command line names: files, folders and standard input."""

import io
import os
import sys
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

from speechgru import sound_files
from speechgru.audio import EXTENSIONS, SAMPLE_RATE
from speechgru.cli.piped_sound import (
    WAVE_HEAD_BYTES,
    PipedSound,
    UnknownEncodingError,
    is_wave,
    open_raw,
    open_wave,
)
from speechgru.cli.streams import message
from speechgru.errors import AudioError, escape
from speechgru.sample_arrays import check_rate

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

    def __init__(self) -> None:
        if sys.stdin is None:
            raise AudioError(f"{STANDARD_INPUT}: expected encoded sound, found a closed stream")
        self._stream: Any = sys.stdin.buffer
        self.header: bytearray | None = bytearray()  # what has been read; None: no longer saved

    def read(self, size: int = -1, /) -> bytes:
        """Read bytes, fewer only at the end."""
        return self._save(self._call(self._stream.read, size))

    def read1(self, size: int = -1, /) -> bytes:
        """Read bytes as soon as there are any."""
        return self._save(self._call(self._stream.read1, size))

    def read_encoded(self) -> io.BytesIO:
        """Read an encoded sound to its end, as a file object for a `Recognizer`."""
        header, self.header = bytes(self.header or b""), None
        return _NamedBytes(header + sound_files.read_stream(self, STANDARD_INPUT))

    def open_sound(self, rate: int | None, encoding: str | None) -> PipedSound | None:
        """Read a WAV header, if there is one.

        Args:
            rate: rate of samples without a header in Hz; if only the encoding is stated, 16,000.
            encoding: encoding of samples without a header; if only the rate is stated, "s16le".

        Returns:
            The sound, or None if it has another header and neither rate nor encoding is stated:
            then `read_encoded` reads all of it.

        Raises:
            AudioError: the header is damaged, or states another rate.
        """
        has_format = rate is not None or encoding is not None
        head = self.read(WAVE_HEAD_BYTES)
        if is_wave(head):
            try:
                sound = open_wave(self, head, STANDARD_INPUT)
            except UnknownEncodingError:
                if not has_format:
                    return None
                raise
            check_rate(sound.sample_rate, STANDARD_INPUT)
            if rate not in (None, sound.sample_rate):
                raise AudioError(
                    f"{STANDARD_INPUT}: expected a sample rate of {rate} Hz, "
                    f"found {sound.sample_rate} Hz"
                )
        elif not has_format:
            return None
        else:
            rate = check_rate(rate or SAMPLE_RATE, STANDARD_INPUT)
            sound = open_raw(self, rate, encoding or "s16le", head)
        self.header = None
        return sound

    def _save(self, data: bytes) -> bytes:
        if self.header is not None:
            self.header += data
        return data

    @staticmethod
    def _call(read: Callable[[int], bytes], size: int) -> bytes:
        try:
            return read(size)
        except OSError as error:  # such as a folder
            raise AudioError(
                f"{STANDARD_INPUT}: expected encoded sound, found: {error.strerror}"
            ) from error


class _NamedBytes(io.BytesIO):
    name = STANDARD_INPUT  # for messages
