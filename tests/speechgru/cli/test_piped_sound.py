"""Raw PCM and WAV from pipes, whatever pieces they arrive in."""

import contextlib
import io
import struct

import numpy as np
import pytest
import soundfile
from hypothesis import given
from hypothesis import strategies as st

from speechgru import AudioError
from speechgru.cli.piped_sound import is_wave, open_raw, open_wave


class Pipe(io.BytesIO):
    """A stream whose `read1` returns pieces of the given sizes, over and over."""

    def __init__(self, data, sizes=(1 << 16,)):
        super().__init__(data)
        self._sizes = list(sizes)

    def read1(self, size=-1, /):
        self._sizes.append(self._sizes.pop(0))
        return super().read1(min(size, self._sizes[-1]))


def wave_sound(data, sizes=(1 << 16,)):
    pipe = Pipe(data, sizes)
    head = pipe.read(12)
    assert is_wave(head)
    return open_wave(pipe, head, "<pipe>")


def samples_of(sound):
    blocks = list(sound.blocks())
    assert all(len(block) for block in blocks)
    return np.concatenate([np.empty((0, sound.channels)), *blocks])


@given(
    values=st.lists(st.integers(-(2**15), 2**15 - 1), min_size=6, max_size=50),
    sizes=st.lists(st.integers(1, 9), min_size=1, max_size=5),
    first=st.integers(0, 12),
    rest=st.sampled_from([b"", b"\1"]),  # half a sample at the end is ignored
)
def test_raw_samples_do_not_depend_on_the_pieces(values, sizes, first, rest):
    data = np.array(values, "<i2").tobytes()
    pipe = Pipe(data[first:] + rest, sizes)
    found = samples_of(open_raw(pipe, data[:first], "<pipe>", 8000, "s16le"))
    np.testing.assert_array_equal(found[:, 0], values)


def test_raw_floats_are_read():
    values = np.linspace(-1, 1, 9, dtype="<f4")
    found = samples_of(open_raw(Pipe(values.tobytes(), [3]), b"", "<pipe>", 48000, "f32le"))
    np.testing.assert_array_equal(found[:, 0], values)


@pytest.mark.parametrize(
    ("subtype", "dtype", "zero", "full_scale"),
    [
        ("PCM_U8", np.uint8, 128, 2**7),
        ("PCM_16", np.int16, 0, 2**15),
        ("PCM_24", np.int32, 0, 2**31),
        ("PCM_32", np.int32, 0, 2**31),
        ("FLOAT", np.float32, 0, 1),
        ("DOUBLE", np.float64, 0, 1),
    ],
)
@pytest.mark.parametrize(
    ("form", "endian"),
    [("WAV", "LITTLE"), ("WAV", "BIG"), ("WAVEX", "LITTLE"), ("RF64", "LITTLE")],
)
def test_wav_is_read_as_libsndfile_does(form, subtype, dtype, zero, full_scale, endian, tmp_path):
    file = io.BytesIO()
    signal = np.random.default_rng(0).uniform(-1, 1, (1001, 3))
    soundfile.write(file, signal, 11025, subtype, endian, form)
    file.seek(0)
    expected, _ = soundfile.read(file)
    for sizes in ([1 << 16], [1, 7, 64]):
        sound, header = wave_sound(file.getvalue(), sizes)
        assert file.getvalue().startswith(header)
        assert (sound.sample_rate, sound.channels) == (11025, 3)
        found = list(sound.blocks())
        assert {block.dtype for block in found} == {np.dtype(dtype)}
        scaled = (np.concatenate(found).astype(float) - zero) / full_scale
        np.testing.assert_allclose(scaled, expected, atol=1e-7)


def wave(*chunks, form=b"RIFF"):
    return form + bytes(4) + b"WAVE" + b"".join(chunks)


def chunk(name, content, size=None):
    size = len(content) if size is None else size
    return name + struct.pack("<I", size) + content + b"\0" * (len(content) % 2)


MONO = chunk(b"fmt ", struct.pack("<HHIIHH", 1, 1, 8000, 16000, 2, 16))
PCM = np.arange(10, dtype="<i2").tobytes()


@pytest.mark.parametrize("size", [0, 0xFFFFFFFF, 0x7FFFF000])
def test_sizes_that_a_writer_could_not_know_are_ignored(size):
    sound, _ = wave_sound(wave(MONO, chunk(b"data", PCM, size)))
    np.testing.assert_array_equal(samples_of(sound)[:, 0], np.arange(10))


def test_chunks_around_the_samples_are_ignored():
    data = wave(chunk(b"LIST", b"abc"), MONO, chunk(b"junk", bytes(70_000)), chunk(b"data", PCM))
    sound, _ = wave_sound(data + chunk(b"LIST", b"not sound"))
    np.testing.assert_array_equal(samples_of(sound)[:, 0], np.arange(10))


def test_another_encoding_returns_the_header(tmp_path):
    file = io.BytesIO()
    soundfile.write(file, np.zeros(99), 8000, "ULAW", format="WAV")
    sound, header = wave_sound(file.getvalue())
    assert sound is None
    assert header.endswith(b"data" + struct.pack("<I", 99))
    assert file.getvalue().startswith(header)


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (wave(), "expected a WAV header, found only its beginning"),
        (wave(MONO), "expected a WAV header, found only its beginning"),
        (wave(MONO, b"data"), "expected a WAV header, found only its beginning"),
        (wave(chunk(b"data", PCM)), "expected a WAV header that states a format, found none"),
        (wave(chunk(b"fmt ", bytes(3))), "expected a format of 16 bytes or more, found 4"),
        (wave(chunk(b"fmt ", bytes(16))), "expected one channel or more, found none"),
        (wave(b"LIST\xff\xff\xff\xff"), "expected a WAV header of at most 16 MiB"),
    ],
)
def test_a_damaged_header_is_an_error(data, message):
    with pytest.raises(AudioError, match=f"<pipe>: {message}"):
        wave_sound(data)


@given(st.binary(max_size=80))
def test_no_header_gives_anything_but_sound_or_an_error(tail):
    try:
        sound, _ = wave_sound(wave(tail))
    except AudioError:
        return
    if sound is not None:
        with contextlib.suppress(AudioError):  # no samples
            assert samples_of(sound).ndim == 2


@pytest.mark.parametrize("size", [0x7FFFF000, 0x80000000, 0xFFFFFFFF])
def test_sizes_that_recorders_state_do_not_end_the_sound(size):
    sound, _ = wave_sound(wave(MONO, chunk(b"data", PCM, size)))
    assert sound.size is None


@pytest.mark.parametrize("data", [b"", b"\1"])
def test_no_samples_are_an_error(data):
    with pytest.raises(AudioError, match="<pipe>: expected sound, found no samples"):
        samples_of(open_raw(Pipe(data), b"", "<pipe>", 8000, "s16le"))
    sound, _ = wave_sound(wave(MONO, b"data\xff\xff\xff\xff" + data))
    with pytest.raises(AudioError, match="<pipe>: expected sound, found no samples"):
        samples_of(sound)


@pytest.mark.parametrize("form", ["FLAC", "OGG", "MP3", "AIFF", "AU", "CAF", "W64"])
def test_other_sound_files_are_not_raw_samples(form):
    file = io.BytesIO()
    soundfile.write(file, np.random.default_rng(0).uniform(-0.5, 0.5, 32000), 16000, format=form)
    with pytest.raises(AudioError, match="<pipe>: expected raw samples or WAV, found ") as caught:
        open_raw(Pipe(file.getvalue()), b"", "<pipe>", 16000, "s16le")
    assert form.lower() in str(caught.value).lower()


@given(st.lists(st.integers(-3, 3), min_size=1, max_size=5), st.integers(1, 3000))
def test_quiet_samples_are_no_mp3(values, times):
    data = np.array(values * times, "<i2").tobytes()
    sound = open_raw(Pipe(data), b"", "<pipe>", 16000, "s16le")
    np.testing.assert_array_equal(samples_of(sound)[:, 0], values * times)
