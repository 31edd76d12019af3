"""The program's input: whole streams with a header each."""

import struct

import numpy as np

from export.c99.emulation.streams import input_bytes
from export.verification.golden_vectors import golden_stream_samples


def test_the_streams_are_the_golden_sounds_and_the_last_two_are_the_same():
    content, streams = input_bytes(), []
    while content:
        count, blocks = struct.unpack_from("<II", content)
        streams.append((blocks, np.frombuffer(content, "<i2", count, 8)))
        content = content[8 + 2 * count :]
    assert [blocks for blocks, _ in streams] == [1, 1, 1, 1, 1, 0]
    assert [samples.size for _, samples in streams[:4]] == [16_000] * 4
    np.testing.assert_array_equal(streams[4][1], golden_stream_samples(16_000, 640))
    np.testing.assert_array_equal(streams[4][1], streams[5][1])
