"""MPEG audio (MP3): find the frames in a file, and leave out everything else.

libsndfile takes bytes for MPEG audio if they begin like a frame header, as raw samples may. Its
decoder then searches for frames, prints lines about bytes that are not frames, and returns noise.
It also stops after the number of frames that a "Xing" frame gives, although more may follow. This
module checks that frames follow each other, and gives the decoder nothing but frames.

The layout of a header is in ISO/IEC 11172-3, section 2.4.1.3; MPEG 2.5 is Fraunhofer's extension.
"""

import functools

_KBPS = {  # by MPEG 1 or later, and layer; indexed by the header's 4 bits, 1 to 14
    (True, 1): tuple(range(32, 449, 32)),
    (True, 2): (32, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320, 384),
    (True, 3): (32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320),
    (False, 1): (32, 48, 56, 64, 80, 96, 112, 128, 144, 160, 176, 192, 224, 256),
    (False, 2): (8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160),
    (False, 3): (8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160),
}
_RATES = (44_100, 48_000, 32_000)
_RATE_DIVISORS = {3: 1, 2: 2, 0: 4}  # MPEG 1, 2 and 2.5

_LENGTH_BITS = 0xFFFE_FE00  # sync, version, layer, bit rate, sampling rate and padding
_KIND_BITS = 0xFFFE_0C00  # sync, version, layer and sampling rate: equal in all frames of a file
_LAYER_III = 1  # its bits in a header
_MIN_FRAMES = 3  # so many in a row are no coincidence
_MAX_JUNK = 1 << 16  # bytes before the first frame


def begins_like_mpeg(head: bytes) -> bool:
    """Whether a file that starts with these bytes, three or more, may be MPEG audio."""
    return head[:3] == b"ID3" or (head[:1] == b"\xff" and head[1:2] >= b"\xe0")


def skip_id3(data: bytes) -> bytes:
    """Remove the ID3v2 tags before the audio."""
    start = 0
    while data[start : start + 3] == b"ID3" and len(data) >= start + 10:
        size = functools.reduce(
            lambda total, byte: total << 7 | byte & 0x7F, data[start + 6 : start + 10], 0
        )
        footer = 10 if data[start + 5] & 0x10 else 0
        start += 10 + size + footer
    return data[start:]


def frames(data: bytes) -> bytes:
    """Join the MPEG frames in `data`, without what lies between and behind them.

    Args:
        data: a file's content, without ID3v2 tags before the audio.

    Returns:
        The frames, or b"" if the data does not begin with MPEG audio. Frames of another version,
        layer, sampling rate or number of channels than the first are left out. Free-format frames
        are not found.
    """
    position = _find_chain(data, 0, None, limit=_MAX_JUNK)
    if position < 0 or _is_periodic(data, position):
        return b""
    kind = _kind(_header(data, position))
    pieces, count = [], 0
    while position >= 0:
        end, found = _chain_end(data, position, kind)
        pieces.append(data[position:end])
        count += found
        position = _find_chain(data, end, kind, limit=len(data))
    joined = pieces[0] if len(pieces) == 1 else b"".join(pieces)
    return _with_frame_count(joined, count)


def _with_frame_count(data: bytes, count: int) -> bytes:
    """Correct or add the "Xing" frame that gives the number of frames, in layer III.

    The decoder reads no more frames than it says. Without it, the decoder guesses their number from
    the first bit rate.
    """
    header = _header(data, 0)
    if header >> 17 & 3 != _LAYER_III:
        return data
    length = _length(header & _LENGTH_BITS)
    stated = _stated_frames(data[:length])
    if stated is not None:
        if stated == count - 1:
            return data
        data, count = data[length:], count - 1
    return _xing_frame(header, count) + data


def _xing_frame(header: int, count: int) -> bytes:
    header = header & ~0xF000 | 0xE000 | 0x1_0000  # the highest bit rate has room; no checksum
    mpeg_1, mono = header >> 19 & 3 == 3, header >> 6 & 3 == 3
    side_information = (17 if mono else 32) if mpeg_1 else (9 if mono else 17)
    content = header.to_bytes(4, "big") + bytes(side_information)
    content += b"Xing" + (1).to_bytes(4, "big") + count.to_bytes(4, "big")
    return content.ljust(_length(header & _LENGTH_BITS), b"\0")


def _header(data: bytes, position: int) -> int:
    return int.from_bytes(data[position : position + 4], "big")


def _kind(header: int) -> tuple[int, bool]:
    return header & _KIND_BITS, header >> 6 & 3 == 3  # the last: mono


@functools.lru_cache(maxsize=1 << 12)
def _length(header: int) -> int:
    """Bytes of the frame with this header, masked by `_LENGTH_BITS`; 0 if it is not a header."""
    version, layer = header >> 19 & 3, 4 - (header >> 17 & 3)
    rate, bit_rate = header >> 10 & 3, header >> 12 & 15
    if header >> 21 != 0x7FF or version == 1 or layer == 4 or rate == 3 or bit_rate in (0, 15):
        return 0
    bits_per_second = 1000 * _KBPS[version == 3, layer][bit_rate - 1]
    hz, padding = _RATES[rate] // _RATE_DIVISORS[version], header >> 9 & 1
    if layer == 1:
        return 4 * (12 * bits_per_second // hz + padding)
    samples = 576 if layer == 3 and version != 3 else 1152
    return samples // 8 * bits_per_second // hz + padding


def _find_chain(data: bytes, start: int, kind: tuple[int, bool] | None, limit: int) -> int:
    """First position from `start` at which frames follow each other; -1 if there is none."""
    position = data.find(b"\xff", start, limit)
    while position >= 0:
        header = _header(data, position)
        if _length(header & _LENGTH_BITS) and kind in (None, _kind(header)):
            end, count = _chain_end(data, position, _kind(header), most=_MIN_FRAMES)
            if count >= _MIN_FRAMES or (position == start and count and _is_end(data, end, header)):
                return position
        position = data.find(b"\xff", position + 1, limit)
    return -1


def _is_end(data: bytes, position: int, header: int) -> bool:
    """Whether the data ends here, or in a frame like that with this header which begins here."""
    last = _header(data, position)
    length = _length(last & _LENGTH_BITS)
    cut = 0 < len(data) - position < length and _kind(last) == _kind(header)
    return position == len(data) or cut


def _chain_end(
    data: bytes, position: int, kind: tuple[int, bool], most: int | None = None
) -> tuple[int, int]:
    """Where a run of whole frames of a kind ends, and their number, at most `most`."""
    count = 0
    while count != most:
        header = _header(data, position)
        length = _length(header & _LENGTH_BITS)
        if not length or _kind(header) != kind or position + length > len(data):
            break
        position += length
        count += 1
    return position, count


def _is_periodic(data: bytes, position: int) -> bool:
    """Whether the bytes from a frame header on repeat within the frame, as constant samples do."""
    length = _length(_header(data, position) & _LENGTH_BITS)
    frame = data[position : position + length]
    period = frame.find(frame[:4], 1)
    return 0 < period <= length // 2 and frame[:period] == frame[period : 2 * period]


def _stated_frames(frame: bytes) -> int | None:
    """The number of frames that an "Info" or "Xing" frame gives; None in any other frame."""
    start = max(frame.find(b"Xing", 4, 48), frame.find(b"Info", 4, 48))
    if start < 0 or not frame[start + 7 : start + 8] or not frame[start + 7] & 1:
        return None
    return int.from_bytes(frame[start + 8 : start + 12], "big")
