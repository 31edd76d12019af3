"""The streams that the program is fed: the sounds of the golden vectors."""

import struct

from export.verification.golden_vectors import golden_stream_samples, golden_windows

RATE, HOP = 16_000, 640  # KWS_SAMPLE_RATE, KWS_HOP_SAMPLES
UNEVEN = 0  # block size


def input_bytes() -> bytes:
    """Return the content of input.bin; program.c describes it.

    The windows of the golden vectors come first, then the golden stream hop by hop, then the same
    stream in blocks of uneven sizes.
    """
    stream = golden_stream_samples(RATE, HOP)
    streams = [(samples, HOP) for samples in golden_windows(RATE).values()]
    streams += [(stream, HOP), (stream, UNEVEN)]
    return b"".join(
        struct.pack("<II", samples.size, block) + samples.astype("<i2").tobytes()
        for samples, block in streams
    )
