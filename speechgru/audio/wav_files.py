"""Write recordings: 16 kHz mono WAV files with 16 bits, under names that are safe."""

import io
import re
import tempfile
import unicodedata
import wave
from pathlib import Path

import numpy as np

from speechgru import atomic_files
from speechgru.audio.resampling import SAMPLE_RATE
from speechgru.audio.sample_arrays import Samples
from speechgru.errors import SpeechGRUError, escape

_REFUSED = '<>:"/\\|?*'  # by Windows, and folders are copied
_NOT_IN_NAMES = ("Cc", "Cs", "Zl", "Zp")  # control, lone surrogate, line, paragraph; in Unicode
_DEVICES = re.compile(r"(con|prn|aux|nul|com[0-9]|lpt[0-9])(\..*)?", re.IGNORECASE)  # of Windows


def write(path: Path, samples: Samples) -> None:
    """Write a WAV file, all of it or nothing.

    Args:
        path: the file to create or to replace.
        samples: 16 kHz mono, float32 (samples,), in [-1, 1].

    Raises:
        OSError: the file cannot be written. The error names `path`.
    """
    buffer = io.BytesIO()
    with wave.open(buffer, "wb") as sound:
        sound.setnchannels(1)
        sound.setsampwidth(2)
        sound.setframerate(SAMPLE_RATE)
        sound.writeframes(np.clip(np.rint(samples * 32768), -32768, 32767).astype("<i2").tobytes())
    with atomic_files.replacing(path) as unfinished:
        unfinished.write_bytes(buffer.getvalue())


def make_folder(folder: Path) -> None:
    """Make a folder, unless it is there, and check that files can be written in it.

    Raises:
        SpeechGRUError: there is something else, or it cannot be made or written.
    """
    name = escape(str(folder))
    try:
        if folder.exists() and not folder.is_dir():
            raise SpeechGRUError(f"{name}: expected a folder or nothing, found a file")
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            pass
    except (OSError, ValueError) as error:  # ValueError: a NUL in the path
        reason = error.strerror if isinstance(error, OSError) else error
        raise SpeechGRUError(
            f"{name}: expected a folder that can be written, found: {reason}"
        ) from error


def safe_name(text: str) -> str:
    """Replace by "_" what the name of a file or folder cannot hold on some system.

    Args:
        text: any text, such as a label or the name of a speaker.

    Returns:
        A name of at least one character, the text itself if it is one.
    """
    name = "".join(
        "_" if char in _REFUSED or unicodedata.category(char) in _NOT_IN_NAMES else char
        for char in text
    )
    name = re.sub(r"^[.\s]|[.\s]$", "_", name)
    return f"{name}_" if _DEVICES.fullmatch(name) or not name else name
