"""Loading sound: every format and kind of source, and nothing but AudioError for what is not."""

import contextlib
import io
import os
import pathlib
import struct
import subprocess
import sys
import threading
import tracemalloc
from pathlib import Path

import numpy as np
import pytest
import soundfile
import soxr
from hypothesis import given, settings
from hypothesis import strategies as st

from speechgru import audio
from speechgru.audio import AudioError, describe, load, loading, sound_files

linux = pytest.mark.skipif(sys.platform != "linux", reason="needs Linux")
RATE = audio.SAMPLE_RATE


def tone(frequency=440.0, rate=RATE, seconds=0.5, amplitude=0.5):
    """A sine wave, float64 (frames,)."""
    return amplitude * np.sin(2 * np.pi * frequency * np.arange(int(rate * seconds)) / rate)


def encode(samples, rate=RATE, container="WAV", subtype="PCM_16"):
    file = io.BytesIO()
    soundfile.write(file, samples, rate, format=container, subtype=subtype)
    return file.getvalue()


def frequency(signal):
    """The strongest frequency in Hz, and its amplitude, away from the edges."""
    middle = signal[len(signal) // 8 : -len(signal) // 8].astype(np.float64)
    window = np.hanning(len(middle))
    bins = 8 * len(middle)  # padded: a tone between two bins shows its full amplitude
    spectrum = np.abs(np.fft.rfft(middle * window, bins))
    top = int(spectrum.argmax())
    return top * RATE / bins, 2 * spectrum[top] / window.sum()


def open_descriptors():
    return len(os.listdir("/proc/self/fd"))


def assert_is_signal(signal):
    assert signal.dtype == np.float32
    assert signal.ndim == 1
    assert len(signal) >= 1
    assert signal.flags.c_contiguous
    assert np.isfinite(signal).all()
    assert np.abs(signal).max() <= 1


@pytest.fixture
def wav(tmp_path):
    path = tmp_path / "tone.wav"
    path.write_bytes(encode(tone()))
    return path


# Formats


@pytest.mark.parametrize(
    ("container", "subtype"),
    [
        ("WAV", "PCM_U8"),
        ("WAV", "PCM_16"),
        ("WAV", "PCM_24"),
        ("WAV", "PCM_32"),
        ("WAV", "FLOAT"),
        ("WAV", "DOUBLE"),
        ("WAV", "ULAW"),
        ("WAV", "ALAW"),
        ("WAV", "MS_ADPCM"),
        ("WAVEX", "PCM_16"),
        ("RF64", "PCM_16"),
        ("W64", "PCM_16"),
        ("AIFF", "PCM_16"),
        ("AIFF", "DWVW_16"),
        ("AU", "PCM_16"),
        ("CAF", "ALAC_16"),
        ("FLAC", "PCM_16"),
        ("FLAC", "PCM_24"),
        ("OGG", "VORBIS"),
        ("OGG", "OPUS"),
        ("MP3", "MPEG_LAYER_III"),
        ("NIST", "PCM_16"),
        ("SDS", "PCM_16"),
    ],
)
def test_a_tone_survives_every_format_from_a_path_and_from_bytes(container, subtype, tmp_path):
    path = tmp_path / "sound"
    path.write_bytes(encode(tone(500), container=container, subtype=subtype))
    signal = load(path)
    assert_is_signal(signal)
    assert abs(len(signal) - RATE // 2) < 600  # block codecs fill their last block
    found, amplitude = frequency(signal)
    assert found == pytest.approx(500, abs=1)
    assert amplitude == pytest.approx(0.5, rel=0.1)  # LAME scales by 0.95
    np.testing.assert_array_equal(load(path.read_bytes()), signal)


def test_16_bit_samples_at_16_khz_are_kept_exactly():
    samples = np.array([0, 1, -1, 32767, -32768, 12345], np.int16)
    np.testing.assert_array_equal(load(encode(samples)), samples / np.float32(32768))


def test_stereo_24_bit_at_44100_hz_is_mixed_and_resampled(tmp_path):
    stereo = np.stack([tone(1000, 44100), np.zeros(22050)], axis=1)
    path = tmp_path / "stereo.wav"
    path.write_bytes(encode(stereo, 44100, subtype="PCM_24"))
    found, amplitude = frequency(load(path))
    assert found == pytest.approx(1000, abs=1)
    assert amplitude == pytest.approx(0.25, rel=0.01)


def test_mu_law_at_8_khz_is_resampled():
    signal = load(encode(tone(1000, 8000), 8000, subtype="ULAW"))
    assert len(signal) == RATE // 2
    assert frequency(signal)[0] == pytest.approx(1000, abs=1)


def test_channels_are_averaged_even_1024_of_them():
    frames = np.random.default_rng(0).uniform(-1, 1, (300, 1024)).astype(np.float32)
    signal = load(encode(frames, subtype="FLOAT"))
    np.testing.assert_allclose(signal, frames.mean(axis=1, dtype=np.float64), atol=1e-6)


def test_the_file_name_says_nothing_about_the_format(tmp_path):
    for name in ("sound.raw", "sound.flac", "sound.sd2", "sound"):
        path = tmp_path / name
        path.write_bytes(encode(tone()))
        assert len(load(path)) == RATE // 2


# Rates


@pytest.mark.parametrize("rate", [4000, 8000, 11025, 22050, 44100, 48000, 96000, 192000])
def test_every_rate_keeps_a_1_khz_tone_at_1_khz_and_its_amplitude(rate):
    for signal in (
        load(encode(tone(1000, rate), rate)),
        load(tone(1000, rate), rate),
    ):
        assert abs(len(signal) - RATE // 2) <= 1
        found, amplitude = frequency(signal)
        assert found == pytest.approx(1000, abs=1)
        assert amplitude == pytest.approx(0.5, rel=0.01)


def test_what_16_khz_cannot_hold_is_removed():
    signal = load(encode(tone(10_000, 44100), 44100))
    assert np.abs(signal[500:-500]).max() < 1e-3


@given(frames=st.integers(1, 3000), rate=st.integers(4000, 192000))
@settings(max_examples=60, deadline=None, database=None)
def test_the_length_is_that_of_the_sound_within_one_sample(frames, rate):
    signal = load(np.full(frames, 0.1, np.float32), rate)
    assert_is_signal(signal)
    assert abs(len(signal) - round(frames * RATE / rate)) <= 1


@pytest.mark.parametrize("rate", [1, 3999, 192001, 2**31 - 1])
def test_a_file_with_a_rate_out_of_range_is_refused(rate):
    data = bytearray(encode(tone()))
    data[24:28] = struct.pack("<I", rate)
    with pytest.raises(AudioError, match=f"^<bytes>: expected .* 4000 to 192000 Hz, found {rate}$"):
        load(bytes(data))


@pytest.mark.parametrize("rate", [0, 2**31, 2**32 - 1])
def test_a_file_with_an_absurd_rate_is_refused(rate):
    data = bytearray(encode(tone()))
    data[24:28] = struct.pack("<I", rate)
    with pytest.raises(AudioError, match=r"^<bytes>: expected"):
        load(bytes(data))


def test_the_rate_of_encoded_sound_may_be_given_if_it_is_its_own(wav):
    assert len(load(wav, 16000)) == RATE // 2
    assert len(load(wav.read_bytes(), np.int64(16000))) == RATE // 2
    with pytest.raises(AudioError, match=r"tone\.wav: expected .* 8000 Hz, found 16000 Hz"):
        load(wav, 8000)


@pytest.mark.parametrize(
    "rate",
    [
        *(0, -1, 3999, 192001, 10**5000, 16000.5, np.nan, np.inf),
        *(True, np.True_, 16000j, "16000", b"16000", [16000], np.array(16000)),
        *(np.timedelta64(16000, "s"), np.timedelta64(16000)),
    ],
    ids=lambda rate: type(rate).__name__,
)
def test_a_sample_rate_that_is_no_integral_number_in_range_is_refused(rate, wav):
    for source in (wav, np.zeros(100)):
        with pytest.raises(AudioError, match="expected a sample rate of 4000 to 192000 Hz, found"):
            load(source, rate)


@pytest.mark.parametrize(
    ("rate", "found"),
    [
        ("16000", "'16000'"),
        ("16\n\x1b", r"'16\n\x1b'"),
        (True, "True"),
        (np.nan, "nan"),
        (10**5000, "<int>"),
    ],
    ids=["text", "control characters", "bool", "nan", "huge"],
)
def test_the_message_shows_what_was_given_as_a_rate(rate, found):
    with pytest.raises(AudioError) as caught:
        load(np.zeros(100), rate)
    message = f"<array>: expected a sample rate of 4000 to 192000 Hz, found {found}"
    assert str(caught.value) == message


@pytest.mark.parametrize("rate", [8000, 8000.0, np.int32(8000), np.uint16(8000), np.float32(8000)])
def test_a_sample_rate_may_be_any_integral_number(rate):
    assert len(load(np.zeros(800), rate)) == 1600


# Blocks


def stereo_noise(rate=44100):
    return np.random.default_rng(1).uniform(-0.5, 0.5, (rate, 2)).astype(np.float32)


def test_block_boundaries_do_not_show(monkeypatch):
    noise = stereo_noise()
    whole = soxr.resample(noise.mean(axis=1), 44100, RATE, "HQ")
    for block_bytes in (4000, 100_000):
        monkeypatch.setattr(sound_files, "BLOCK_BYTES", block_bytes)
        for signal in (load(noise, 44100), load(encode(noise, 44100, subtype="FLOAT"))):
            assert len(signal) == len(whole)
            np.testing.assert_allclose(signal, whole, atol=1e-4)


def test_a_file_longer_than_a_block_is_read_to_its_end(tmp_path):
    noise = np.tile(stereo_noise(), (5, 1))
    assert noise.nbytes > sound_files.BLOCK_BYTES
    path = tmp_path / "long.wav"
    path.write_bytes(encode(noise, 44100, subtype="FLOAT"))
    whole = soxr.resample(noise.mean(axis=1), 44100, RATE, "HQ")
    np.testing.assert_allclose(load(path), whole, atol=1e-4)


@pytest.mark.parametrize(
    ("container", "subtype"),
    [("MP3", "MPEG_LAYER_III"), ("OGG", "VORBIS"), ("FLAC", "PCM_16"), ("AIFF", "DWVW_16")],
)
def test_a_decoder_keeps_its_state_from_block_to_block(container, subtype, monkeypatch):
    data = encode(tone(), container=container, subtype=subtype)
    whole = load(data)
    monkeypatch.setattr(sound_files, "BLOCK_BYTES", 4000)
    np.testing.assert_array_equal(load(data), whole)


# Headers that lie


def lying_wav(claimed, frames):
    """A 16-bit mono WAV of some frames whose header claims a number of data bytes."""
    data = encode(np.full(frames, 1000, np.int16))
    riff = min(claimed + 36, 0xFFFFFFFF)
    header = data[:4] + struct.pack("<I", riff) + data[8:40] + struct.pack("<I", claimed)
    return header + data[44:]


def peak_memory(action):
    tracemalloc.start()
    try:
        action()
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize("claimed", [0xFFFFFFFF, 0xFFFFFFF0, 0x80000000, 2000])
def test_a_header_without_samples_is_refused_at_once(claimed, tmp_path):
    path = tmp_path / "claims.wav"
    path.write_bytes(lying_wav(claimed, 0))
    assert path.stat().st_size == 44

    def refused():
        for source in (path, path.read_bytes()):
            with pytest.raises(AudioError, match="expected sound, found no samples"):
                load(source)

    refused()
    assert peak_memory(refused) < 1_000_000


@pytest.mark.parametrize("claimed", [0xFFFFFFFF, 0xFFFFFFF0, 0x80000000, 40_000])
def test_an_interrupted_recording_is_answered_from_its_samples(claimed):
    data = lying_wav(claimed, 8000)
    load(data)
    assert peak_memory(lambda: load(data)) < 3_000_000
    np.testing.assert_array_equal(load(data), np.full(8000, 1000 / 32768, np.float32))


def test_a_recording_cut_inside_a_sample_keeps_the_whole_ones():
    assert len(load(encode(tone())[:-1])) == RATE // 2 - 1


@pytest.mark.parametrize("claimed", [0, 2**36 - 1])
def test_a_flac_stream_of_unknown_or_absurd_length_is_read_to_its_end(claimed):
    data = bytearray(encode(tone(), container="FLAC"))
    data[21] = data[21] & 0xF0 | claimed >> 32
    data[22:26] = struct.pack(">I", claimed & 0xFFFFFFFF)
    assert len(load(bytes(data))) == RATE // 2


def test_a_decoder_that_makes_up_claimed_frames_is_stopped():
    data = bytearray(encode(tone(), container="SDS"))
    data[10:13] = b"\x7f\x7f\x7f"  # two million frames
    assert len(load(bytes(data))) <= 8 * len(data)


def test_longer_than_the_limit_is_refused_as_soon_as_it_is_passed(monkeypatch, wav):
    assert loading._MAX_SECONDS == 24 * 60 * 60
    monkeypatch.setattr(sound_files, "BLOCK_BYTES", 400)
    monkeypatch.setattr("speechgru.audio.loading._MAX_SECONDS", 0.5)
    assert len(load(wav)) == len(load(tone(), RATE)) == RATE // 2
    monkeypatch.setattr("speechgru.audio.loading._MAX_SECONDS", 0.25)
    # A NaN after the limit is never reached.
    late = np.append(tone(), np.nan)
    for source, rate in ((wav, None), (late, RATE), (encode(late, subtype="FLOAT"), None)):
        with pytest.raises(AudioError, match=r"expected at most .* hours of sound, found more"):
            load(source, rate)


def test_an_array_beyond_24_hours_is_refused_before_it_is_read():
    day = np.broadcast_to(np.float32(0), 24 * 60 * 60 * 4000 + 1)

    def refused():
        with pytest.raises(AudioError, match="expected at most 24 hours"):
            load(day, 4000)

    assert peak_memory(refused) < 1_000_000


# Sources that hold no sound


@pytest.mark.parametrize(
    "data",
    [b"R", b"RIFF", b"not a sound at all", b"<html></html>", bytes(1000), b"\xff" * 1000],
)
def test_what_is_no_sound_is_refused(data, tmp_path):
    path = tmp_path / "noise.wav"
    path.write_bytes(data)
    with pytest.raises(AudioError, match=r"^<bytes>: expected sound .*, found: "):
        load(data)
    with pytest.raises(AudioError, match=r"noise\.wav: expected sound .*, found: "):
        load(path)


@pytest.mark.parametrize("container", ["WAV", "FLAC", "AIFF", "OGG", "CAF"])
def test_a_truncated_header_is_refused(container):
    subtype = "VORBIS" if container == "OGG" else "PCM_16"
    data = encode(tone(), container=container, subtype=subtype)
    for length in range(1, 43):
        with pytest.raises(AudioError, match=r"^<bytes>: expected"):
            load(data[:length])


def test_an_empty_source_is_refused(tmp_path):
    path = tmp_path / "empty.wav"
    path.touch()
    with pytest.raises(AudioError, match=r"empty\.wav: expected a sound file, found an empty file"):
        load(path)
    for source in (b"", bytearray(), memoryview(b""), io.BytesIO()):
        with pytest.raises(AudioError, match="expected encoded sound, found no bytes"):
            load(source)


def test_a_flac_damaged_midway_is_refused():
    data = bytearray(encode(np.random.default_rng(2).uniform(-0.5, 0.5, RATE), container="FLAC"))
    middle = len(data) // 2
    data[middle : middle + 500] = bytes(500)
    with pytest.raises(AudioError, match=r"found: .*flac decoder"):
        load(bytes(data))


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("subtype", ["FLOAT", "DOUBLE"])
def test_a_nan_or_infinity_in_one_channel_is_found(bad, subtype):
    frames = np.zeros((1000, 3))
    frames[700, 1] = bad
    found = "NaN" if np.isnan(bad) else "infinity"
    with pytest.raises(AudioError, match=f"^<bytes>: expected finite samples, found {found}$"):
        load(encode(frames, subtype=subtype))
    for dtype in (np.float16, np.float32, np.float64):
        with pytest.raises(AudioError, match=f"^<array>: expected finite samples, found {found}$"):
            load(frames.astype(dtype), RATE)


def test_opposite_infinities_do_not_cancel():
    with pytest.raises(AudioError, match="found infinity"):
        load(np.array([[np.inf, -np.inf]]), RATE)


def test_samples_a_little_over_full_scale_are_clipped():
    loud = tone(amplitude=1.5)
    for signal in (
        load(loud, RATE),
        load(encode(loud, subtype="FLOAT")),
        load(np.repeat(loud, 2), 2 * RATE),
    ):
        assert signal.max() == 1
        assert signal.min() == -1


def test_floats_that_hold_unscaled_integers_are_refused():
    unscaled = tone() * 32768
    match = r"expected samples in \[-1, 1\], found a peak of 163"
    with pytest.raises(AudioError, match=f"^<array>: {match}"):
        load(unscaled, RATE)
    with pytest.raises(AudioError, match=f"^<bytes>: {match}"):
        load(encode(unscaled, subtype="FLOAT"))
    with pytest.raises(AudioError, match="found a peak of 20"):
        load(np.array([[20.0, -20.0]]), RATE)  # the mix is silent


# Paths


def test_a_path_may_be_a_string_or_any_path_like(wav):
    class BytesPath:
        def __fspath__(self):
            return os.fsencode(wav)

    for path in (str(wav), wav, BytesPath()):
        assert len(load(path)) == RATE // 2
        assert describe(path) == str(wav)


def test_a_missing_file_is_file_not_found(tmp_path):
    path = tmp_path / "missing.wav"
    for source in (path, str(path)):
        with pytest.raises(FileNotFoundError, match=r"missing\.wav") as caught:
            load(source)
        assert caught.value.filename == str(path)
    (tmp_path / "link.wav").symlink_to(path)
    with pytest.raises(FileNotFoundError, match=r"link\.wav"):
        load(tmp_path / "link.wav")


def test_a_folder_is_refused(tmp_path):
    with pytest.raises(AudioError, match="expected a sound file, found a folder"):
        load(tmp_path)


@linux
def test_a_fifo_is_refused_without_waiting_for_a_writer(tmp_path):
    path = tmp_path / "fifo.wav"
    os.mkfifo(path)
    errors = []

    def attempt():
        try:
            load(path)
        except AudioError as error:
            errors.append(str(error))

    thread = threading.Thread(target=attempt, daemon=True)
    thread.start()
    thread.join(5)
    assert errors == [f"{path}: expected a sound file, found a pipe, socket or device"]


@linux
@pytest.mark.parametrize("path", ["/dev/zero", "/dev/null"])
def test_a_device_is_refused(path):
    with pytest.raises(AudioError, match=f"^{path}: expected a sound file, found a pipe, socket"):
        load(path)


@linux
def test_a_file_that_may_not_be_read_is_refused(wav):
    wav.chmod(0)
    for folder in (wav.parent, *wav.parent.parents[:2]):
        folder.chmod(0o755)  # it is the file that is closed, not pytest's folders
    user = os.geteuid()
    if user == 0:
        os.seteuid(65534)  # root may read everything
    try:
        with pytest.raises(AudioError, match=r"tone\.wav: expected .*, found: Permission denied"):
            load(wav)
    finally:
        os.seteuid(user)


@linux
def test_a_path_that_cannot_be_one_is_refused(wav):
    class Broken:
        def __fspath__(self):
            raise RuntimeError("gone")

    class Wrong:
        def __fspath__(self):
            return 5

    for path in ("nul\0.wav", "x" * 300, "x/" * 5000, "lone\ud800.wav", f"{wav}/x", Broken()):
        with pytest.raises(AudioError, match="expected a readable sound file, found: "):
            load(path)
    with pytest.raises(AudioError, match=r"^<Wrong>: expected a readable sound file, found: "):
        load(Wrong())


# Bytes and file objects


def test_bytes_may_come_in_any_buffer(wav):
    data = wav.read_bytes()
    spaced = memoryview(np.repeat(np.frombuffer(data, np.uint8), 2))[::2]
    for source in (data, bytearray(data), memoryview(data), spaced):
        assert len(load(source)) == RATE // 2
    released = memoryview(data)
    released.release()
    with pytest.raises(AudioError, match=r"^<bytes>: expected"):
        load(released)


def test_a_file_object_is_read_from_its_position(wav):
    with wav.open("rb") as file:
        assert len(load(file)) == RATE // 2
    prefixed = io.BytesIO(b"prefix" + wav.read_bytes())
    prefixed.seek(6)
    assert len(load(prefixed)) == RATE // 2


def test_a_file_object_need_not_seek(wav):
    class Reader:
        def read(self):
            return wav.read_bytes()

    assert len(load(Reader())) == RATE // 2
    reading, writing = os.pipe()
    with open(reading, "rb") as pipe:
        with open(writing, "wb") as end:
            end.write(wav.read_bytes())
        assert len(load(pipe)) == RATE // 2


def test_a_text_file_object_is_refused(wav):
    with (
        wav.open(encoding="latin-1") as file,
        pytest.raises(AudioError, match=r"tone\.wav>: expected a binary .*, found a text file"),
    ):
        load(file)
    with pytest.raises(AudioError, match="expected a binary file object, found a text file object"):
        load(io.StringIO("RIFF"))


@pytest.mark.parametrize("data", ["RIFF", None, 5, [1, 2], np.zeros(3)])
def test_a_file_object_that_yields_no_bytes_is_refused(data):
    class Reader:
        def read(self):
            return data

    match = rf"expected bytes from its read\(\), found {type(data).__name__}"
    with pytest.raises(AudioError, match=match):
        load(Reader())


def test_a_file_object_that_cannot_be_read_is_refused(wav):
    class Broken:
        @property
        def name(self):
            raise RuntimeError("no name")

        def read(self):
            raise KeyError("nothing here")

    class Hostile:
        @property
        def read(self):
            raise RuntimeError("no read")

    closed = io.BytesIO(wav.read_bytes())
    closed.close()
    with open(wav, "ab") as write_only:
        for source in (Broken(), Hostile(), closed, write_only, io.BytesIO):
            with pytest.raises(AudioError, match="expected a file object that can be read"):
                load(source)


@pytest.mark.parametrize(
    "source",
    [None, 3.5, 2j, True, [0.1, 0.2], (0.1,), {"a": 1}, object(), np.float32(0), int, ...],
    ids=lambda source: type(source).__name__,
)
def test_any_other_type_is_refused(source):
    kind = type(source).__name__
    with pytest.raises(AudioError, match=f"^<{kind}>: expected a path, .*, found {kind}$"):
        load(source)


def test_an_int_is_never_taken_for_a_descriptor(wav):
    with wav.open("rb") as file:
        with pytest.raises(AudioError, match=r"expected a path, .*, found int"):
            load(file.fileno())
        assert file.read(4) == b"RIFF"


# Arrays


@pytest.mark.parametrize(
    ("samples", "expected"),
    [
        (np.array([0, 128, 255], np.uint8), [-1, 0, 127 / 128]),
        (np.array([-(2**15), 0, 2**14, 2**15 - 1], np.int16), [-1, 0, 0.5, 1 - 2**-15]),
        (np.array([-(2**31), 0, 2**30], np.int32), [-1, 0, 0.5]),
        (np.array([-(2**15), 2**14], ">i2"), [-1, 0.5]),
        (np.array([-1, 0.25], np.float16), [-1, 0.25]),
        (np.array([-1, 0.25], np.float32), [-1, 0.25]),
        (np.array([-1, 0.25], np.float64), [-1, 0.25]),
        (np.array([-1, 0.25], ">f8"), [-1, 0.25]),
    ],
    ids=lambda value: getattr(value, "dtype", ""),
)
def test_arrays_follow_the_pcm_conventions(samples, expected):
    signal = load(samples, RATE)
    assert_is_signal(signal)
    np.testing.assert_array_equal(signal, np.float32(expected))


def test_a_channels_last_array_is_mixed():
    stereo = np.array([[0.5, 0.1], [0.2, -0.2], [-1.0, 0.0]])
    np.testing.assert_allclose(load(stereo, RATE), [0.3, 0, -0.5], atol=1e-7)
    integers = (stereo * 2**15).clip(-(2**15), 2**15 - 1).astype(np.int16)
    np.testing.assert_allclose(load(integers, RATE), [0.3, 0, -0.5], atol=1e-4)


def word(seconds=1.0):
    """Noise with the spectrum of speech (white noise through a low pass), with a pause."""
    noise = np.random.default_rng(6).normal(size=int(RATE * seconds))
    spectrum = np.fft.rfft(noise) / (1 + (np.fft.rfftfreq(len(noise), 1 / RATE) / 500) ** 2)
    envelope = np.repeat([0.0, 1.0, 0.0, 0.5], len(noise) // 4)
    return 0.2 * envelope * np.fft.irfft(spectrum, len(noise))


def hum():
    return 0.005 * np.sin(2 * np.pi * 50 * np.arange(RATE) / RATE)


def hiss(seed):
    return 0.003 * np.random.default_rng(seed).normal(size=RATE)


@pytest.mark.parametrize(
    "others",
    [
        lambda sound: [-sound],
        lambda sound: [-0.7 * sound],
        lambda sound: [-sound + hiss(1)],
        lambda sound: [-np.roll(sound, 1)],  # another converter
        lambda sound: [-sound, *np.zeros((4, RATE))],  # 5.1, with the front pair inverted
        lambda sound: [-sound, *(hiss(seed) / 10 for seed in range(4))],
        lambda sound: [-sound / 2, -sound / 2],
    ],
    ids=["inverted", "quieter", "noisy", "late", "5.1", "noisy 5.1", "three"],
)
@pytest.mark.parametrize("common", [0, 0.1, hum()], ids=["", "offset", "hum"])
def test_inverted_channels_do_not_cancel_out(others, common):
    sound = word()
    channels = np.stack([sound, *others(sound)], axis=1)
    expected = np.abs(channels).mean(axis=1)
    for source in (
        load(channels + np.reshape(common, (-1, 1)), RATE),
        load(encode(channels + np.reshape(common, (-1, 1)), subtype="FLOAT")),
    ):
        loudness = np.abs(source - source.mean())
        assert np.corrcoef(loudness, expected)[0, 1] > 0.9
        assert loudness.mean() > 0.7 * expected.mean()


@pytest.mark.parametrize(
    "channels",
    [
        lambda sound: [sound, sound],
        lambda sound: [sound, 0 * sound],
        lambda sound: [sound, -0.3 * sound],
        lambda sound: [sound, np.roll(sound, 700)],
        lambda sound: [sound, word()[::-1]],
        lambda sound: [hiss(seed) for seed in range(8)],
        lambda sound: [sound, sound, -sound],  # two against one: the mean is fainter, not silent
    ],
    ids=["equal", "one", "crosstalk", "echo", "two sounds", "noises", "two against one"],
)
def test_channels_that_do_not_cancel_out_are_averaged(channels):
    frames = np.stack(channels(word()), axis=1).astype(np.float32)
    mean = frames @ np.full(frames.shape[1], 1 / frames.shape[1], np.float32)
    np.testing.assert_array_equal(load(frames, RATE), mean)
    np.testing.assert_array_equal(load(encode(frames, subtype="FLOAT")), mean)


def test_a_long_inverted_recording_is_mixed_in_one_way(monkeypatch):
    monkeypatch.setattr(sound_files, "BLOCK_BYTES", 4000)
    sound = word()
    signal = load(np.stack([sound, -sound], axis=1), RATE)
    np.testing.assert_allclose(signal, sound, atol=1e-6)


def test_int32_samples_in_the_range_of_16_bits_are_read_as_16_bits_with_a_warning():
    samples = (tone() * 2**15).astype(np.int16)
    with pytest.warns(UserWarning, match=r"^<array>: the int32 samples have a peak of 163\d\d, so"):
        signal = load(samples.astype(np.int32), RATE)
    np.testing.assert_array_equal(signal, load(samples, RATE))
    with pytest.warns(UserWarning, match="read as 16-bit samples"):
        load(np.stack([samples, samples], axis=1).astype(np.int32), RATE)


def test_8_bit_samples_in_int32_are_read_as_16_bits_with_a_warning():
    path = Path(__file__).parents[3] / "samples/yes-espeak-female-11k025-pcm8.wav"
    samples, rate = soundfile.read(path, dtype="int16")
    with pytest.warns(UserWarning, match="read as 16-bit samples"):
        signal = load(samples.astype(np.int32), rate)
    np.testing.assert_array_equal(signal, load(path))


@pytest.mark.parametrize(
    "samples",
    [
        (tone() * 2**15).astype(np.int32) << 16,  # 16 bits in the upper bits
        (tone(amplitude=1.5e-6) * 2**23).astype(np.int32) << 8,  # 24 bits, at -116 dB
        np.zeros(100, np.int32),
        (tone(amplitude=1e-4) * 2**31).astype(np.int32),  # 32 bits, at -80 dB
        np.array([-(2**15) - 1, 0], np.int32),
    ],
    ids=["16 bits", "24 bits", "zeros", "32 bits", "one more"],
)
def test_int32_samples_that_may_be_meant_so_are_read_without_a_warning(samples):
    np.testing.assert_allclose(load(samples, RATE), samples / 2**31, atol=1e-9)


def test_layout_and_subclass_of_an_array_do_not_matter(tmp_path):
    samples = np.random.default_rng(3).uniform(-1, 1, (1000, 2)).astype(np.float32)
    expected = load(samples, 8000)
    mapped = np.memmap(tmp_path / "map", np.float32, "w+", shape=samples.shape)
    mapped[:] = samples
    backwards = samples[::-1].copy()[::-1]
    for array in (np.asfortranarray(samples), backwards, mapped):
        np.testing.assert_allclose(load(array, 8000), expected, atol=1e-6)


@pytest.mark.parametrize("rate", [16000, 44100])
@pytest.mark.parametrize("shape", [(500,), (500, 1), (500, 2)])
def test_an_array_is_neither_changed_nor_returned(rate, shape):
    samples = np.random.default_rng(4).uniform(-2, 2, shape).astype(np.float32)
    before = samples.copy()
    samples.flags.writeable = False
    signal = load(samples, rate)
    assert signal.flags.writeable
    assert not np.shares_memory(signal, samples)
    np.testing.assert_array_equal(samples, before)


@pytest.mark.parametrize(
    "array",
    [
        np.array(0.5),
        np.zeros(0),
        np.zeros((0, 2)),
        np.zeros((10, 0)),
        np.zeros((2, 3, 4)),
        np.zeros((2, 16000)),  # channels first
    ],
    ids=lambda array: str(array.shape),
)
def test_an_array_of_the_wrong_shape_is_refused(array):
    with pytest.raises(AudioError, match=r"^<array>: expected samples shaped .*, found shape \("):
        load(array, RATE)


@pytest.mark.parametrize(
    "dtype",
    [
        *("?", "int8", "uint16", "uint32", "int64", "uint64", "longdouble", "complex64"),
        *("object", "U3", "S3", "datetime64[s]", "timedelta64[s]", [("left", "f4")]),
    ],
)
def test_an_array_of_the_wrong_dtype_is_refused(dtype):
    with pytest.raises(AudioError, match=r"^<array>: expected a dtype of float16, .*, found "):
        load(np.zeros(10, dtype), RATE)


def test_an_array_needs_a_sample_rate():
    with pytest.raises(AudioError, match=r"^<array>: expected a sample_rate with an array"):
        load(np.zeros(10))


def test_the_floating_point_settings_of_the_caller_do_not_matter():
    with np.errstate(all="raise"):
        assert load(np.full(10, 1e-300), RATE).max() == 0
        with pytest.raises(AudioError, match="found a peak"):
            load(np.full(10, 1e300), RATE)


# Names, resources, imports


def test_sources_are_named_in_messages(wav):
    assert describe("a/b.wav") == "a/b.wav"
    assert describe(pathlib.Path("a/b.wav")) == os.path.join("a", "b.wav")
    for data in (b"abc", bytearray(b"abc"), memoryview(b"abc")):
        assert describe(data) == "<bytes>"
    assert describe(np.zeros(3)) == "<array>"
    with wav.open("rb") as file:
        assert describe(file) == f"<file object {wav}>"
    assert describe(io.BytesIO()) == "<file object>"
    assert describe(5) == "<int>"
    assert len(describe("x" * 10**6)) < 5000


@linux
def test_control_characters_in_names_are_escaped(tmp_path):
    path = tmp_path / "a\x1b[31m\n\u202e.wav"
    shown = f"{tmp_path}{os.sep}" + r"a\x1b[31m\n\u202e.wav"
    assert describe(path) == shown
    with pytest.raises(FileNotFoundError) as caught:
        load(path)
    assert caught.value.filename == str(path)
    path.write_text("no sound")
    with pytest.raises(AudioError) as refused:
        load(path)
    assert str(refused.value).startswith(f"{shown}: expected")
    with path.open("rb") as file:
        assert describe(file) == f"<file object {shown}>"


@linux
@pytest.mark.parametrize("delay", [0, 0.3])
def test_a_named_pipe_is_read_if_something_writes_to_it(delay, wav, tmp_path):
    path = tmp_path / "pipe.wav"
    os.mkfifo(path)
    writer = subprocess.Popen(["sh", "-c", f"sleep {delay}; cat {wav} > {path}"])
    assert len(load(path)) == RATE // 2
    assert writer.wait(10) == 0


@linux
def test_a_slow_writer_is_waited_for(wav):
    command = ["sh", "-c", f"sleep 1.5; head -c 100 {wav}; sleep 0.2; tail -c +101 {wav}"]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as writer:
        assert len(load(f"/dev/fd/{writer.stdout.fileno()}")) == RATE // 2


@linux
def test_an_endless_pipe_is_refused(monkeypatch):
    monkeypatch.setattr(sound_files, "_MAX_STREAM_BYTES", 1 << 20)
    with subprocess.Popen(["yes"], stdout=subprocess.PIPE) as writer:
        with pytest.raises(AudioError, match=r"expected at most .* GiB, found more"):
            load(f"/dev/fd/{writer.stdout.fileno()}")
        writer.kill()


@linux
@pytest.mark.parametrize(
    ("error", "found"),
    [
        (OSError(24, "Too many open files"), "sound that can be read, found: Too many open files"),
        (OSError("sndfile library not found"), "can be read, found: sndfile library not found"),
        (MemoryError(), "sound that fits in memory, found more"),
    ],
    ids=["no descriptor", "no library", "no memory"],
)
@pytest.mark.parametrize("read", [load, lambda source: list(audio.read_blocks(source))])
@pytest.mark.parametrize("function", ["os.dup", "soundfile.SoundFile", "os.read"])
def test_what_the_system_refuses_is_an_audio_error(function, read, error, found, wav, monkeypatch):
    def refuse(*_, **__):
        raise error

    with monkeypatch.context() as patch:  # not also what pytest opens
        patch.setattr(function, refuse)
        with pytest.raises(AudioError) as caught:
            read(wav)
    assert str(caught.value).startswith(f"{wav}: expected ")
    assert str(caught.value).endswith(found)


def test_no_descriptor_is_left_open(tmp_path):
    flac = bytearray(encode(np.random.default_rng(5).uniform(-0.5, 0.5, RATE), container="FLAC"))
    flac[len(flac) // 2 :] = bytes(len(flac) // 2)
    contents = {
        "good": encode(tone()),
        "mp3": encode(tone(), container="MP3", subtype="MPEG_LAYER_III"),
        "text": b"no sound",
        "header": encode(tone())[:30],
        "void": encode(tone())[:44],
        "flac": bytes(flac),
        "nan": encode([np.nan], subtype="FLOAT"),
        "slow": encode(tone(), 1000),
    }
    for name, data in contents.items():
        (tmp_path / name).write_bytes(data)
    load(tmp_path / "good")
    before = open_descriptors()
    errors = []
    for name in contents:
        try:
            load(tmp_path / name)
        except AudioError as error:
            errors.append(error)  # its traceback must not keep the file open
    assert len(errors) == 6
    assert open_descriptors() == before


def test_nothing_is_imported_before_it_is_needed():
    script = """if True:
        import sys
        import numpy
        from speechgru import audio
        audio.load(numpy.zeros(10), 16000)
        print(*{"soundfile", "soxr", "scipy", "librosa", "tensorflow"} & (set(sys.modules)))
    """
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == ""


# Damage


def test_a_header_that_points_outside_the_sound_raises_nothing_out_of_sight(monkeypatch):
    unseen = []
    monkeypatch.setattr(sys, "unraisablehook", unseen.append)
    for place in range(60):
        data = bytearray(encode(tone(), container="AIFF"))
        data[place : place + 4] = b"\x7f\xff\xff\xff"
        try_to_load(bytes(data))
    assert not unseen


def try_to_load(data):
    with contextlib.suppress(AudioError):
        assert_is_signal(load(data))


WHOLE = [
    encode(np.stack([tone(seconds=0.02)] * channels, axis=1), container=container, subtype=subtype)
    for channels in (1, 2)
    for container, subtype in [
        ("WAV", "PCM_16"),
        ("WAV", "FLOAT"),
        ("WAV", "MS_ADPCM"),
        ("FLAC", "PCM_16"),
        ("AIFF", "PCM_24"),
        ("AIFF", "FLOAT"),
    ]
]
FIELDS = [
    struct.pack(form, value & (256 ** struct.calcsize(form) - 1))
    for form in ("<H", "<I", ">H", ">I")
    for value in (0, 1, 0x7F, 0x7FFF, 0x8000, 0xFFFF, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFF)
]


@st.composite
def damaged(draw):
    data = bytearray(draw(st.sampled_from(WHOLE)))
    for _ in range(draw(st.integers(1, 4))):
        place = draw(st.integers(0, min(len(data), draw(st.sampled_from([60, 10_000])))))
        damage = draw(st.sampled_from(["flip", "cut", "drop", "insert", "field"]))
        if damage == "flip" and place < len(data):
            data[place] ^= 1 << draw(st.integers(0, 7))
        elif damage == "cut":
            del data[place:]
        elif damage == "drop":
            del data[place : place + draw(st.integers(1, 50))]
        elif damage == "insert":
            data[place:place] = draw(st.binary(min_size=1, max_size=50))
        elif damage == "field":
            field = draw(st.sampled_from(FIELDS))
            data[place : place + len(field)] = field
    return bytes(data)


@given(damaged())
@settings(max_examples=400, deadline=None, database=None)
def test_damaged_sound_gives_a_signal_or_an_audio_error(data):
    try_to_load(data)


@given(st.binary(max_size=400))
@settings(max_examples=200, deadline=None, database=None)
def test_random_bytes_give_a_signal_or_an_audio_error(data):
    try_to_load(data)
