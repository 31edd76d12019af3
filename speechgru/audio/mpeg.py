"""MPEG audio (MP3): find the frames in a file, and leave out everything else.

libsndfile takes bytes for MPEG audio if they begin like a frame header, as raw samples may. Its
decoder then searches for frames, prints lines about bytes that are not frames, and returns noise.
It also stops after the number of frames that a "Xing" frame gives, although more may follow. This
module checks that frames follow each other, and gives the decoder nothing but frames.

The layout of a header is in ISO/IEC 11172-3, section 2.4.1.3, and that of the side information of
layer III in 2.4.1.7; MPEG 2.5 is Fraunhofer's extension.
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
_LAYER_III, _LAYER_II = 1, 2  # their bits in a header
_MIN_FRAMES = 3  # so many in a row are no coincidence where frames are expected
# The first frames must show that the file is no raw PCM: quiet samples are full of bytes that look
# like headers. In layer III, the rest of a frame can be checked as well.
_MIN_FIRST_FRAMES = {_LAYER_III: 6}
_MIN_FIRST_FRAMES_OF_OTHERS = 12
_MIN_WHOLE_FILE = {_LAYER_III: 1, _LAYER_II: 3}  # if there is nothing but frames
_TAGS = (b"TAG", b"APETAGEX")  # ID3v1 and APE, behind the frames
_MAX_BIG_VALUES = 288  # pairs of the 576 frequencies of a granule
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
    position = _find_first(data)
    if position < 0:
        return b""
    kind = _kind(_header(data, position))
    pieces, count = [], 0
    while position >= 0:
        end, found = _chain_end(data, position, kind)
        pieces.append(data[position:end])
        count += found
        position = _find_chain(data, end, kind)
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
    content = header.to_bytes(4, "big") + bytes(_side_bytes(header))
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


def _find_first(data: bytes) -> int:
    """The position of the first frame; -1 if there is none, as in raw samples."""
    position = data.find(b"\xff", 0, _MAX_JUNK)
    while position >= 0:
        if _length(_header(data, position) & _LENGTH_BITS) and _begins_here(data, position):
            return position
        position = data.find(b"\xff", position + 1, _MAX_JUNK)
    return -1


def _begins_here(data: bytes, position: int) -> bool:
    """Whether so many frames follow from a header on that the data is MPEG audio."""
    header = _header(data, position)
    kind, layer = _kind(header), header >> 17 & 3
    least = _MIN_FIRST_FRAMES.get(layer, _MIN_FIRST_FRAMES_OF_OTHERS)
    end, count = position, 0
    while count < least:
        start = end
        end, found = _chain_end(data, start, kind, most=1)
        if not found:
            break
        frame = data[start:end]
        if not _is_plausible(frame):
            return False
        if not count and layer == _LAYER_III and _stated_frames(frame) is not None:
            least = _MIN_FRAMES
        count += 1
    if count >= least:
        return layer == _LAYER_III or not position
    is_whole_file = not position and _is_end(data, end, header)
    return is_whole_file and count >= _MIN_WHOLE_FILE.get(layer, least)


def _find_chain(data: bytes, start: int, kind: tuple[int, bool]) -> int:
    """First position from `start` at which frames of a kind follow each other; -1 if none do."""
    position = data.find(b"\xff", start)
    while position >= 0:
        header = _header(data, position)
        if _length(header & _LENGTH_BITS) and kind == _kind(header):
            end, count = _chain_end(data, position, kind, most=_MIN_FRAMES)
            if count >= _MIN_FRAMES or (position == start and count and _is_end(data, end, header)):
                return position
        position = data.find(b"\xff", position + 1)
    return -1


def _is_end(data: bytes, position: int, header: int) -> bool:
    """Whether the data ends here, but for a tag or a frame like that with this header, cut off."""
    last = _header(data, position)
    length = _length(last & _LENGTH_BITS)
    cut = 0 < len(data) - position < length and _kind(last) == _kind(header)
    return position == len(data) or cut or data.startswith(_TAGS, position)


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


def _is_plausible(frame: bytes) -> bool:
    header = _header(frame, 0)
    if header & 3 == 2 or _is_periodic(frame):  # the emphasis 2 is reserved
        return False
    return header >> 17 & 3 != _LAYER_III or _has_side_information(frame)


def _is_periodic(frame: bytes) -> bool:
    """Whether a frame's bytes repeat from its header on, as constant samples do."""
    period = frame.find(frame[:4], 1)
    return 0 < period <= len(frame) // 2 and frame[:period] == frame[period : 2 * period]


def _side_bytes(header: int) -> int:
    mpeg_1, mono = header >> 19 & 3 == 3, header >> 6 & 3 == 3
    return (17 if mono else 32) if mpeg_1 else (9 if mono else 17)


def _has_side_information(frame: bytes) -> bool:
    """Whether a layer III frame's granules are valid, and fit in it and in what it may refer to."""
    header = _header(frame, 0)
    mpeg_1, mono = header >> 19 & 3 == 3, header >> 6 & 3 == 3
    start, size = 4 if header >> 16 & 1 else 6, _side_bytes(header)  # 2 bytes of checksum
    bits = "".join(f"{byte:08b}" for byte in frame[start : start + size].ljust(size, b"\0"))
    earlier = int(bits[: 9 if mpeg_1 else 8], 2)  # bytes of earlier frames that belong to this one
    granules, width = (1 if mono else 2) * (2 if mpeg_1 else 1), 59 if mpeg_1 else 63
    used = 0
    for first in range(len(bits) - granules * width, len(bits), width):
        granule = bits[first : first + width]
        used += int(granule[:12], 2)
        switch = 33 if mpeg_1 else 38  # window switching, then a block type that is not 0
        has_no_type = granule[switch : switch + 3] == "100"
        if int(granule[12:21], 2) > _MAX_BIG_VALUES or has_no_type:
            return False
    return used <= 8 * (earlier + len(frame) - start - size)


def _stated_frames(frame: bytes) -> int | None:
    """The number of frames that an "Info" or "Xing" frame gives; None in any other frame."""
    start = max(frame.find(b"Xing", 4, 48), frame.find(b"Info", 4, 48))
    if start < 0 or not frame[start + 7 : start + 8] or not frame[start + 7] & 1:
        return None
    return int.from_bytes(frame[start + 8 : start + 12], "big")
