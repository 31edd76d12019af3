"""Sound from files, bytes, arrays and the microphone, as 16 kHz mono float32 samples."""

from speechgru.audio.loading import EXTENSIONS, Source, describe, load, read_blocks
from speechgru.audio.resampling import SAMPLE_RATE
from speechgru.audio.sound_files import Readable
from speechgru.errors import AudioError

__all__ = [
    "EXTENSIONS",
    "SAMPLE_RATE",
    "AudioError",
    "Readable",
    "Source",
    "describe",
    "load",
    "read_blocks",
]
