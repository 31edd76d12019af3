"""The streams that the program is fed: the sounds of the golden vectors."""

import struct

from export.verification.golden_vectors import golden_stream_samples, golden_windows

RATE, HOP = 16_000, 640  # of the golden stream
UNEVEN_BLOCKS, BY_HOP = 0, 1


def input_bytes() -> bytes:
    """Return the content of input.bin; program.c describes it.

    The windows of the golden vectors come first, then the golden stream hop by hop, then the same
    stream in blocks of uneven sizes.
    """
    stream = golden_stream_samples(RATE, HOP)
    streams = [(samples, BY_HOP) for samples in golden_windows(RATE).values()]
    streams += [(stream, BY_HOP), (stream, UNEVEN_BLOCKS)]
    return b"".join(
        struct.pack("<II", samples.size, blocks) + samples.astype("<i2").tobytes()
        for samples, blocks in streams
    )
