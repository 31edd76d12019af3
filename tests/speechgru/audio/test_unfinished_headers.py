"""Headers that a recorder did not finish: the sound behind them is read."""

import io
import struct

import numpy as np
import pytest
import soundfile
from hypothesis import given, settings
from hypothesis import strategies as st

from speechgru import AudioError
from speechgru.audio import load, unfinished_headers

SOUND = (0.5 * np.sin(0.1 * np.arange(8000))).astype(np.float32)
LIST = b"LIST" + struct.pack("<I", 26) + b"INFOISFT" + struct.pack("<I", 14) + b"Lavf59.27.100\0"
UNFINISHED = (0, 1, 0xFFFFFFFF)  # killed recorders, odd ones, and programs that write to a pipe


def encode(container="WAV", subtype="PCM_16", channels=1, endian="FILE"):
    file = io.BytesIO()
    frames = np.stack([SOUND] * channels, axis=1)
    soundfile.write(file, frames, 16000, format=container, subtype=subtype, endian=endian)
    return file.getvalue()


def put(data, position, form, *values):
    size = struct.calcsize(form)
    return data[:position] + struct.pack(form, *values) + data[position + size :]


def assert_same_sound(unfinished, finished, tmp_path):
    expected = load(finished)
    np.testing.assert_array_equal(load(unfinished), expected)
    path = tmp_path / "sound"
    path.write_bytes(unfinished)
    np.testing.assert_array_equal(load(path), expected)


@pytest.mark.parametrize("size", UNFINISHED)
@pytest.mark.parametrize("riff", [0, 36, 0xFFFFFFFF])
@pytest.mark.parametrize(
    ("subtype", "channels", "endian"),
    [
        *[(subtype, 1, "FILE") for subtype in ("PCM_U8", "PCM_24", "FLOAT", "ULAW", "IMA_ADPCM")],
        ("PCM_16", 1, "FILE"),
        ("PCM_16", 2, "FILE"),
        ("PCM_16", 1, "BIG"),  # RIFX
    ],
)
def test_wav(size, riff, subtype, channels, endian, tmp_path):
    if size == 1 and subtype in ("PCM_U8", "ULAW", "IMA_ADPCM"):
        pytest.skip("one byte may be a sample, or a block of them")
    order = ">" if endian == "BIG" else "<"
    data = encode("WAV", subtype, channels, endian)
    unfinished = put(put(data, 4, f"{order}I", riff), data.index(b"data") + 4, f"{order}I", size)
    assert_same_sound(unfinished, data, tmp_path)


@pytest.mark.parametrize("size", UNFINISHED)
def test_wav_with_tags_before_the_sound_as_ffmpeg_writes_it_to_a_pipe(size, tmp_path):
    data = encode()
    piped = put(data, 4, "<I", 0xFFFFFFFF)[:36] + LIST + b"data" + struct.pack("<I", size)
    assert_same_sound(piped + data[44:], data, tmp_path)


@pytest.mark.parametrize("sizes", [(0, 0, 0), (16100, 0, 8000), (2**64 - 1, 2**64 - 1, 0)])
def test_rf64(sizes, tmp_path):
    data = encode("RF64")
    assert_same_sound(put(data, data.index(b"ds64") + 8, "<QQQ", *sizes), data, tmp_path)


def test_a_wav_that_was_to_become_rf64(tmp_path):
    data = encode("RF64")
    unfinished = put(data.replace(b"ds64", b"JUNK"), 0, "<4sI", b"RIFF", 0)
    unfinished = put(unfinished, unfinished.index(b"data") + 4, "<I", 0)
    assert_same_sound(unfinished, data, tmp_path)


@pytest.mark.parametrize("size", [0, 24, 2**64 - 1])
def test_w64(size, tmp_path):
    data = encode("W64")
    assert_same_sound(put(data, data.index(b"data") + 16, "<Q", size), data, tmp_path)


@pytest.mark.parametrize("size", [0, 8, 0xFFFFFFFF])
@pytest.mark.parametrize("frames", [0, 0xFFFFFFFF])
def test_aiff(size, frames, tmp_path):
    data = encode("AIFF")
    unfinished = put(data, data.index(b"COMM") + 10, ">I", frames)
    assert_same_sound(put(unfinished, data.index(b"SSND") + 4, ">I", size), data, tmp_path)


@pytest.mark.parametrize("size", UNFINISHED)
def test_au(size, tmp_path):
    data = encode("AU")
    assert_same_sound(put(data, 8, ">I", size), data, tmp_path)


@pytest.mark.parametrize("size", [0, -1, 4])
def test_caf(size, tmp_path):
    data = encode("CAF")
    assert_same_sound(put(data, data.index(b"data") + 4, ">q", size), data, tmp_path)


@pytest.mark.parametrize("behind", [b"", LIST, LIST + LIST, b"\0"])
def test_a_file_without_sound_stays_one(behind):
    empty = put(encode()[:44], 40, "<I", 0) + behind
    with pytest.raises(AudioError, match=r"^<bytes>: expected sound, found no samples$"):
        load(empty)


@given(st.data())
@settings(max_examples=200, deadline=None, database=None)
def test_any_bytes_are_finished_once_or_not_at_all(data):
    container = data.draw(st.sampled_from(["WAV", "RF64", "AIFF", "AU", "CAF"]))
    content = bytearray(encode(container)[:200])
    for _ in range(data.draw(st.integers(1, 5))):
        content[data.draw(st.integers(0, 199))] = data.draw(st.sampled_from([0, 1, 127, 128, 255]))
    finished = unfinished_headers.finish(bytes(content))
    assert finished is None or len(finished) == len(content)
    assert finished is None or unfinished_headers.finish(finished) is None
    assert finished is None or unfinished_headers.is_known(bytes(content[:12]))
