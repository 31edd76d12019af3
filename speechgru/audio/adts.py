"""AAC without a container (Audio Data Transport Stream): recognise it by its frames.

The layout of a header is in ISO/IEC 14496-3, section 1.A.2.2.
"""

_HEADER_BYTES = 7
_MIN_FRAME_BYTES = 11  # silence in mono
_KIND_BITS = 0xFFFF_FDC0 << 24  # sync, version, layer, profile, sampling rate and channels
_MIN_FRAMES = 6  # so many in a row are no coincidence
_MIN_WHOLE_FILE = 3  # if there is nothing else


def begins_like_adts(head: bytes) -> bool:
    """Whether a file that starts with these bytes is AAC: its frames follow each other."""
    position = count = 0
    kind = _header(head, 0) & _KIND_BITS
    while count < _MIN_FRAMES:
        bits = _header(head, position)
        length = _length(bits)
        if not length or bits & _KIND_BITS != kind:
            break
        # Constant or periodic raw samples may look like one header after the other.
        if head.find(head[:_HEADER_BYTES], position + 1, position + length) >= 0:
            return False
        position += length
        count += 1
    is_whole_file = position == len(head) and count >= _MIN_WHOLE_FILE
    return count >= _MIN_FRAMES or is_whole_file


def _header(head: bytes, position: int) -> int:
    header = head[position : position + _HEADER_BYTES]
    return int.from_bytes(header.ljust(_HEADER_BYTES, b"\0"), "big")


def _length(bits: int) -> int:
    """Bytes of the frame with this header of 56 bits; 0 if it is not a header."""
    sync, layer, rate, channels = bits >> 44, bits >> 41 & 3, bits >> 34 & 15, bits >> 30 & 7
    length = bits >> 13 & 0x1FFF
    is_header = sync == 0xFFF and not layer and rate < 13 and channels
    return length if is_header and length >= _MIN_FRAME_BYTES else 0
