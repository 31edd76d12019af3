"""MPEG audio: real files are read whole, and raw samples are never taken for it."""

import io
import struct
from pathlib import Path

import numpy as np
import pytest
import soundfile
from hypothesis import given, settings
from hypothesis import strategies as st

from speechgru import AudioError, audio
from speechgru.audio import mpeg

SAMPLES = Path(__file__).parents[3] / "samples"
RATES = [8000, 11025, 12000, 16000, 22050, 24000, 32000, 44100, 48000]
ID3V2 = b"ID3\x03\0\0" + bytes([0, 0, 0x10, 0]) + bytes(2048)
ID3V1 = b"TAG" + bytes(125)


def noise(seconds=0.5, rate=16000):
    return np.random.default_rng(0).normal(size=int(seconds * rate)) * 0.1


def mp3(rate=16000, channels=1, mode="VARIABLE", sound=None):
    file = io.BytesIO()
    sound = noise(rate=rate) if sound is None else sound
    frames = np.stack([sound] * channels, axis=1)
    soundfile.write(file, frames, rate, format="MP3", bitrate_mode=mode, compression_level=0.5)
    return file.getvalue()


def first_frame(data):
    return mpeg._length(int.from_bytes(data[:4], "big") & mpeg._LENGTH_BITS)


@pytest.fixture(scope="module")
def encoded():
    return mp3()


@pytest.fixture(autouse=True)
def nothing_is_printed(capfd):
    yield
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize("rate", RATES)
@pytest.mark.parametrize(("channels", "mode"), [(1, "VARIABLE"), (2, "CONSTANT"), (2, "AVERAGE")])
def test_a_file_of_an_encoder_is_not_changed(rate, channels, mode):
    data = mp3(rate, channels, mode)
    assert mpeg.frames(data) == data


@pytest.mark.parametrize(
    ("before", "behind"),
    [(ID3V2, b""), (b"", ID3V1), (ID3V2 * 2, ID3V1), (b"", b"junk" * 999), (b"", bytes(9999))],
    ids=["ID3v2", "ID3v1", "all tags", "text", "zeros"],
)
def test_what_lies_around_the_frames_changes_nothing(before, behind, encoded):
    np.testing.assert_array_equal(audio.load(before + encoded + behind), audio.load(encoded))


def test_joined_files_are_read_to_the_end_of_the_last(encoded):
    once = len(audio.load(encoded))
    assert len(audio.load(encoded * 3)) >= 3 * once
    assert len(audio.load((ID3V2 + encoded + ID3V1) * 3)) >= 3 * once


def test_a_variable_rate_without_its_frame_count_is_read_whole(encoded):
    # The first half second is silent, so the first bit rate says little about the others.
    sound = np.concatenate([np.zeros(8000), noise(2)])
    data = mp3(sound=sound)
    without = data[first_frame(data) :]
    assert len(audio.load(without)) >= len(sound)


def test_a_file_that_was_cut_after_one_frame_is_still_mpeg(encoded):
    assert len(audio.load(encoded[: len(encoded) // 3])) < 2000


@pytest.mark.parametrize("length", [0.9, 0.5])
def test_a_file_that_was_cut_is_read_up_to_there(length, encoded):
    whole = len(audio.load(encoded))
    cut = len(audio.load(encoded[: int(length * len(encoded))]))
    assert cut == pytest.approx(length * whole, abs=2000)


def test_bytes_lost_or_put_in_cost_a_few_frames_at_most(encoded):
    half = len(encoded) // 2
    whole = len(audio.load(encoded))
    for data in (
        encoded[:half] + encoded[half + 100 :],
        encoded[:half] + b"junk" * 500 + encoded[half:],
        encoded[:half] + bytes(5000) + encoded[half:],
    ):
        assert len(audio.load(data)) > whole - 3000


def test_frames_of_another_rate_are_left_out(encoded):
    assert len(audio.load(encoded + mp3(48000))) == len(audio.load(encoded))


@pytest.mark.parametrize("version", [3, 2, 0])  # MPEG 1, 2 and 2.5
@pytest.mark.parametrize("layer", [2, 3])
@pytest.mark.parametrize("mono", [False, True])
def test_silent_frames_of_every_version_are_silence(version, layer, mono):
    for rate in range(3):
        for bit_rate in (4, 9, 14):
            header = 0x7FF << 21 | version << 19 | (4 - layer) << 17 | 1 << 16
            header |= bit_rate << 12 | rate << 10 | (3 if mono else 0) << 6
            frame = header.to_bytes(4, "big")
            frame = frame.ljust(first_frame(frame), b"\0")
            assert not audio.load(frame * 20).any()


def test_an_id3_tag_before_another_format_is_skipped():
    file = io.BytesIO()
    soundfile.write(file, noise(), 16000, format="FLAC")
    assert len(audio.load(ID3V2 + file.getvalue())) == 8000
    with pytest.raises(AudioError, match=r"^<bytes>: expected sound that libsndfile can decode"):
        audio.load(ID3V2 + b"no sound" * 100)


SYNC = [
    b"\xff\xfb",
    b"\xff\xfa",
    b"\xff\xf3",
    b"\xff\xe3",
    b"\xff\xfd\x90\x64",
    b"\xff\xfb\x90\x64",
]


@pytest.mark.parametrize("start", [b"", ID3V2, b"\x01\x04", *SYNC])
@pytest.mark.parametrize(
    ("kind", "scale"),
    [
        *[("<i2", scale) for scale in (0.7, 1.5, 3, 8, 300, 9000)],
        (">i2", 3),
        ("<f4", 0.1),
        ("u1", 60),
    ],
)
def test_raw_samples_are_refused(start, kind, scale):
    for seed in range(20):
        samples = np.random.default_rng(seed).normal(size=16000) * scale
        if kind == "u1":
            samples = (samples + 128).clip(0, 255)
        with pytest.raises(AudioError, match=r"^<bytes>: expected"):
            audio.load(start + samples.astype(kind).tobytes())


@pytest.mark.parametrize("period", [4, 8, 12, 16, 24, 32])
def test_raw_samples_that_repeat_a_frame_header_are_refused(period):
    for bit_rate in range(1, 15):
        for rate in range(3):
            header = struct.pack(">I", 0xFFFB0064 | bit_rate << 12 | rate << 10)
            data = header.ljust(period, b"\x12") * 20_000
            with pytest.raises(AudioError, match="no header of a sound file"):
                audio.load(data)


def quiet_speech():
    speech, _ = soundfile.read(SAMPLES / "yes-festival-kal-32k-pcm16.wav")
    for gain in np.geomspace(1e-5, 0.3, 20):
        yield np.concatenate([[-70000], speech * 2**31 * gain]).astype(">i4")


def noise_behind_a_header():
    random = np.random.default_rng(0)
    for first in range(-131072, -65536, 4096):
        yield np.concatenate([[first], random.normal(size=9000) * 40000]).astype(">i4")


def two_values():
    for seed in range(60):
        choice = np.random.default_rng(seed).random(16000) < 0.5
        for kind in ("<i2", ">i2"):
            yield np.where(choice, -1, -140).astype(kind)
            yield np.repeat(np.where(choice, -257, -488), 2).astype(kind)


@pytest.mark.parametrize("recordings", [quiet_speech, noise_behind_a_header, two_values])
def test_raw_samples_full_of_bytes_like_headers_are_refused(recordings):
    for samples in recordings():
        with pytest.raises(AudioError, match=r"^<bytes>: expected"):
            audio.load(samples.tobytes())


def mpeg_1_frame(side_information=b"", header=b"\xff\xfb\x90\xc4"):
    return (header + side_information).ljust(first_frame(header), b"\0")


@pytest.mark.parametrize(
    ("frame", "accepted"),
    [
        (mpeg_1_frame(), True),
        (mpeg_1_frame(bytes([0, 0, 0, 0b00000010, 0b01000000])), True),  # 288 pairs
        (mpeg_1_frame(bytes([0, 0, 0, 0b00000010, 0b01000010])), False),  # 289
        (mpeg_1_frame(bytes(6) + bytes([0b00010000])), False),  # no block type
        (mpeg_1_frame(bytes([0, 0, 0b00111111, 0b11111100])), False),  # longer than the frame
        (mpeg_1_frame(bytes([0x7F, 0x80, 0b00111111, 0b11111100])), True),  # with earlier ones
        (mpeg_1_frame(header=b"\xff\xfb\x90\xc6"), False),  # a reserved emphasis
    ],
)
def test_the_first_frames_must_be_valid(frame, accepted):
    assert bool(mpeg.frames(frame * 20)) == accepted


@pytest.mark.parametrize(
    ("layer", "frames", "accepted"), [(1, 11, 0), (1, 12, 1), (2, 2, 0), (2, 3, 1)]
)
def test_short_files_of_the_older_layers(layer, frames, accepted):
    frame = mpeg_1_frame(header=bytes([0xFF, 0xF1 | (4 - layer) << 1, 0x90, 0xC4]))
    assert bool(mpeg.frames(frame * frames)) == accepted
    assert not mpeg.frames(b"junk" + frame * frames)


@pytest.mark.parametrize("behind", [b"", ID3V1, b"APETAGEX" + bytes(99), b"junk" * 999])
@pytest.mark.parametrize("rate", RATES)
def test_a_very_short_file_is_read_whatever_lies_behind_it(rate, behind):
    data = mp3(rate, sound=noise(0.05, rate))
    assert mpeg.frames(data + behind) == data


@given(st.binary(max_size=200), st.booleans(), st.integers(0, 3))
@settings(max_examples=200, deadline=None, database=None)
def test_any_bytes_are_frames_or_not(data, tag, copies):
    data = (ID3V2 if tag else b"") + (b"\xff\xfb" + data) * copies
    assert isinstance(mpeg.frames(mpeg.skip_id3(data)), bytes)


def test_a_large_file_of_ones_is_refused_at_once():
    assert mpeg.frames(b"\xff" * 10**7) == b""
