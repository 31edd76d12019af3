"""Raw PCM, or WAV with its header, from a pipe: read block by block as it comes."""

import dataclasses
import struct
from collections.abc import Iterable, Iterator
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from speechgru.audio import ffmpeg, mpeg
from speechgru.detection import Detection
from speechgru.errors import AudioError
from speechgru.stream import Stream

ENCODINGS = {"s16le": "<i2", "f32le": "<f4"}
"""Encodings of raw samples: byte order, kind and bytes of a sample."""

WAVE_HEAD_BYTES = 12
"""Bytes that `is_wave` needs."""

_SOUND_FILES = {  # by their first bytes; those that ffmpeg reads are known to its module
    b".snd": "AU",
    b"FORM": "AIFF",
    b"ID3": "MP3",
    b"OggS": "Ogg",
    b"caff": "CAF",
    b"dns.": "AU",
    b"fLaC": "FLAC",
    b"riff": "W64",
}
_HEAD_BYTES = 16  # the longest of the first bytes
_FRAMES_BYTES = 1 << 13  # of MPEG audio, which is recognised by its first frames

_READ_BYTES = 1 << 16
_MAX_HEADER_BYTES = 1 << 24
_WAVE_ORDERS = {b"RIFF": "<", b"RIFX": ">", b"RF64": "<"}
_LEAST_UNKNOWN_SIZE = 0x7FFF_0000  # SoX states 2 GiB less 4 KiB, arecord 2 GiB, ffmpeg 4 GiB
_EXTENSIBLE = 0xFFFE
_WAVE_ENCODINGS = {  # by format (1: PCM, 3: floats) and bits
    (1, 8): "u1",
    (1, 16): "i2",
    (1, 24): "i3",
    (1, 32): "i4",
    (3, 32): "f4",
    (3, 64): "f8",
}


class Pipe(Protocol):
    """A binary stream such as `sys.stdin.buffer`."""

    def read(self, size: int = -1, /) -> bytes: ...
    def read1(self, size: int = -1, /) -> bytes: ...


@dataclasses.dataclass(frozen=True)
class PipedSound:
    """Sound that arrives in a pipe.

    Attributes:
        pipe: the stream.
        name: what messages call it.
        sample_rate: Hz.
        channels: number of channels.
        encoding: byte order, kind and bytes of a sample, such as "<i2".
        size: bytes of sound; None: up to the end of the pipe.
        first: bytes of sound that have been read already.
    """

    pipe: Pipe
    name: str
    sample_rate: int
    channels: int
    encoding: str
    size: int | None = None
    first: bytes = b""

    def blocks(self) -> Iterator[npt.NDArray[Any]]:
        """Yield samples, (frames, channels), as soon as they arrive.

        Raises:
            AudioError: there are none.
        """
        frame = int(self.encoding[2:]) * self.channels
        rest, is_empty = b"", True
        for data in self._pieces():
            data = rest + data
            end = len(data) - len(data) % frame
            rest = data[end:]
            if end:
                is_empty = False
                yield _decode(data[:end], self.encoding).reshape(-1, self.channels)
        if is_empty:
            raise AudioError(f"{self.name}: expected sound, found no samples")

    def _pieces(self) -> Iterator[bytes]:
        left = float("inf") if self.size is None else self.size
        data = self.first or self.pipe.read1(_READ_BYTES)
        while data and left > 0:
            data = data[: int(min(left, len(data)))]
            left -= len(data)
            yield data
            data = self.pipe.read1(_READ_BYTES) if left > 0 else b""


def open_raw(pipe: Pipe, first: bytes, name: str, rate: int, encoding: str) -> PipedSound:
    """Read mono samples without a header.

    Args:
        pipe: the stream, after `first`.
        first: bytes that have been read already.
        name: what messages call the stream.
        rate: Hz.
        encoding: a key of `ENCODINGS`.

    Raises:
        AudioError: the bytes begin like a sound file, such as MP3.
    """
    first += pipe.read(max(0, _HEAD_BYTES - len(first)))
    if mpeg.begins_like_mpeg(first):  # as quiet samples do
        first += pipe.read(max(0, _FRAMES_BYTES - len(first)))
    found = _identify(first)
    if found is not None:
        raise AudioError(
            f"{name}: expected raw samples or WAV, found {found}: ffmpeg -i - -f wav - converts it"
        )
    return PipedSound(pipe, name, rate, 1, ENCODINGS[encoding], first=first)


def _identify(head: bytes) -> str | None:
    """The format of a sound file by its first bytes; None for raw samples."""
    for first_bytes, name in _SOUND_FILES.items():
        if head.startswith(first_bytes):
            return name
    if (form := ffmpeg.identify(head)) is not None:
        return form.name
    return "MP3" if mpeg.begins_like_mpeg(head) and mpeg.frames(head) else None


def is_wave(head: bytes) -> bool:
    """Whether the first bytes are those of a WAV file."""
    return head[:4] in _WAVE_ORDERS and head[8:12] == b"WAVE"


def open_wave(pipe: Pipe, head: bytes, name: str) -> tuple[PipedSound | None, bytes]:
    """Read a WAV header up to the samples. Sizes that the writer could not know are ignored.

    Args:
        pipe: the stream, after `head`.
        head: the first bytes, for which `is_wave` is true.
        name: what messages call the stream.

    Returns:
        The sound, None if the samples are neither PCM nor floats; and the bytes of the header.

    Raises:
        AudioError: the header is cut or damaged.
    """
    order = _WAVE_ORDERS[head[:4]]
    header = _Header(pipe, head, name)
    found: tuple[str | None, int, int] | None = None
    long_size = 0  # in a chunk of RF64
    while True:
        chunk, size = struct.unpack(f"{order}4sI", header.read(8))
        if chunk == b"data":
            break
        content = header.read(size + size % 2)
        if chunk == b"fmt ":
            found = _parse_format(content, order, name)
        elif chunk == b"ds64" and size >= 16:
            (long_size,) = struct.unpack_from("<Q", content, 8)
    if found is None:
        raise AudioError(f"{name}: expected a WAV header that states a format, found none")
    encoding, channels, rate = found
    if encoding is None:
        return None, bytes(header.data)
    if head[:4] == b"RF64" and size == 0xFFFFFFFF:
        size = long_size
    elif size >= _LEAST_UNKNOWN_SIZE:
        size = 0
    return PipedSound(pipe, name, rate, channels, encoding, size or None), bytes(header.data)


class _Header:
    """The bytes of a header that have been read so far."""

    def __init__(self, pipe: Pipe, head: bytes, name: str) -> None:
        self.data = bytearray(head)
        self._pipe = pipe
        self._name = name

    def read(self, size: int) -> bytes:
        if len(self.data) + size > _MAX_HEADER_BYTES:
            raise AudioError(
                f"{self._name}: expected a WAV header of at most {_MAX_HEADER_BYTES >> 20} MiB, "
                "found a longer one"
            )
        data = self._pipe.read(size)
        self.data += data
        if len(data) < size:
            raise AudioError(f"{self._name}: expected a WAV header, found only its beginning")
        return data


def _feed(stream: Stream, block: npt.NDArray[Any], name: str) -> list[Detection]:
    """Feed a stream; its error names the source of the block."""
    try:
        return stream.feed(block)
    except AudioError as error:
        raise AudioError(str(error).replace("<block>", name, 1)) from error


def detect(stream: Stream, blocks: Iterable[npt.NDArray[Any]], name: str) -> Iterator[Detection]:
    """Feed a stream to the end of a sound, and yield its detections as soon as they are known."""
    for block in blocks:
        yield from _feed(stream, block, name)
    yield from stream.finish()


def _parse_format(content: bytes, order: str, name: str) -> tuple[str | None, int, int]:
    """The encoding, None if it is an unusual one, the channels and the rate."""
    if len(content) < 16:
        raise AudioError(f"{name}: expected a format of 16 bytes or more, found {len(content)}")
    code, channels, rate, _, _, bits = struct.unpack_from(f"{order}HHIIHH", content)
    if code == _EXTENSIBLE and len(content) >= 26:
        (code,) = struct.unpack_from(f"{order}H", content, 24)
    if not channels:
        raise AudioError(f"{name}: expected one channel or more, found none")
    kind = _WAVE_ENCODINGS.get((code, bits))
    return kind and order + kind, channels, rate


def _decode(data: bytes, encoding: str) -> npt.NDArray[Any]:
    if encoding[1:] != "i3":
        samples = np.frombuffer(data, encoding)
        return samples.astype(samples.dtype.newbyteorder("="), copy=False)
    wide = np.zeros((len(data) // 3, 4), np.uint8)  # the upper 24 of 32 bits
    first = 1 if encoding[0] == "<" else 0
    wide[:, first : first + 3] = np.frombuffer(data, np.uint8).reshape(-1, 3)
    return wide.view(f"{encoding[0]}i4")[:, 0].astype(np.int32)
