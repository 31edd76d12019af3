"""Headers that a recorder did not finish: their sizes are zero or unknown, but sound follows.

A recorder writes the header first and fills in the sizes when it stops. If it is killed, or writes
to a pipe, the sizes stay as they were. libsndfile reads sound up to the end of the file where a
size is too large; where it is too small, it finds none.
"""

import struct
from collections.abc import Iterator

_WAVE_ORDERS = {b"RIFF": "<", b"RIFX": ">", b"RF64": "<"}
_AU_ORDERS = {b".snd": ">", b"dns.": "<"}


def is_known(head: bytes) -> bool:
    """Whether `finish` knows the format of a file with these first 12 bytes."""
    return (
        (head[:4] in _WAVE_ORDERS and head[8:] == b"WAVE")
        or (head[:4] == b"FORM" and head[8:] in (b"AIFF", b"AIFC"))
        or head[:4] in (*_AU_ORDERS, b"caff")
    )


def finish(data: bytes) -> bytes | None:
    """Correct the size of the sound in a WAV, RF64, AIFF, AU or CAF header.

    Args:
        data: the content of a sound file in which libsndfile finds no samples.

    Returns:
        The content with the size up to the end of the file, or None if there is nothing to correct:
        another format, no sound behind the header, or a size that is right.
    """
    if data[8:12] == b"WAVE" and data[:4] in _WAVE_ORDERS:
        return _finish_wave(data, _WAVE_ORDERS[data[:4]])
    if data[:4] == b"FORM" and data[8:12] in (b"AIFF", b"AIFC"):
        return _finish_chunk(data, b"SSND", ">4sI", 12)
    if data[:4] in _AU_ORDERS and len(data) > 24:
        order = _AU_ORDERS[data[:4]]
        (start,) = struct.unpack_from(f"{order}I", data, 4)
        return _replace(data, 8, f"{order}I", len(data) - start)
    if data[:4] == b"caff":
        return _finish_chunk(data, b"data", ">4sq", 8)
    return None


def _finish_wave(data: bytes, order: str) -> bytes | None:
    if data[:4] != b"RF64":
        return _finish_chunk(data, b"data", f"{order}4sI", 12)
    # RF64 gives the size of its data chunk in the chunk ds64, behind that of the file.
    sizes = next((start for name, start, _ in _chunks(data, "<4sI", 12) if name == b"ds64"), None)
    sound = next((start for name, start, _ in _chunks(data, "<4sI", 12) if name == b"data"), None)
    if sizes is None or sound is None:
        return None
    finished = _replace(data, sizes + 8, "<Q", len(data) - sound)
    return finished and _replace(finished, sizes, "<Q", len(data) - 8)


def _finish_chunk(data: bytes, name: bytes, header: str, first: int) -> bytes | None:
    for found, start, _ in _chunks(data, header, first):
        if found == name and not _are_chunks(data, header, start):
            size_format = header[0] + header[-1]
            position = start - struct.calcsize(size_format)
            return _replace(data, position, size_format, len(data) - start)
    return None


def _chunks(data: bytes, header: str, start: int) -> Iterator[tuple[bytes, int, int]]:
    """Name, start and size of each chunk from a position on."""
    length = struct.calcsize(header)
    while start + length <= len(data):
        name, size = struct.unpack_from(header, data, start)
        start += length
        yield name, start, size
        if size < 0:
            return
        start += size + size % 2


def _are_chunks(data: bytes, header: str, start: int) -> bool:
    """Whether chunks, such as tags, and no sound fill the rest of the file."""
    for name, begin, size in _chunks(data, header, start):
        if not (name.isascii() and name.decode("ascii").isprintable()) or begin + size > len(data):
            return False
        start = begin + size
    return len(data) - start < struct.calcsize(header)


def _replace(data: bytes, position: int, form: str, value: int) -> bytes | None:
    limit = 8 * struct.calcsize(form) - form[-1].islower()
    field = struct.pack(form, min(max(value, 0), 2**limit - 1))
    end = position + len(field)
    if value <= 0 or data[position:end] == field:
        return None
    return data[:position] + field + data[end:]
