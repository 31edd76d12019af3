"""WAV files, the folders that they are written to, and names that are safe on every system."""

import os
import sys

import numpy as np
import pytest
import soundfile
from hypothesis import given
from hypothesis import strategies as st

from speechgru import SpeechGRUError, audio
from speechgru.audio import wav_files


def test_a_file_holds_16_bit_mono_at_16_khz(tmp_path):
    samples = np.array([0, 0.5, -1, 1, 1 / 32768], np.float32)
    wav_files.write(tmp_path / "x.wav", samples)
    info = soundfile.info(tmp_path / "x.wav")
    assert (info.samplerate, info.channels, info.subtype) == (16000, 1, "PCM_16")
    values, _ = soundfile.read(tmp_path / "x.wav", dtype="int16")
    assert values.tolist() == [0, 16384, -32768, 32767, 1]
    assert os.listdir(tmp_path) == ["x.wav"]


def test_what_is_read_is_written_bit_for_bit(samples, tmp_path):
    sound = audio.load(samples / "left-flite-rms-8k-pcm16.wav")
    wav_files.write(tmp_path / "1.wav", sound)
    wav_files.write(tmp_path / "2.wav", audio.load(tmp_path / "1.wav"))
    assert (tmp_path / "1.wav").read_bytes() == (tmp_path / "2.wav").read_bytes()
    np.testing.assert_allclose(audio.load(tmp_path / "1.wav"), sound, atol=0.51 / 32768)


def test_a_folder_is_made_and_stays_empty(tmp_path):
    for _ in range(2):
        wav_files.make_folder(tmp_path / "a" / "b")
    assert list((tmp_path / "a" / "b").iterdir()) == []


@pytest.mark.parametrize("place", ["file", "file/folder", "x\0"])
def test_a_folder_that_cannot_be_made_is_an_error_that_names_it(place, tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(SpeechGRUError, match="expected a folder") as caught:
        wav_files.make_folder(tmp_path / place)
    assert "\0" not in str(caught.value)
    assert place.rstrip("\0") in str(caught.value)


@pytest.mark.skipif(sys.platform == "win32", reason="needs permissions of folders")
def test_a_folder_that_cannot_be_written_is_an_error(tmp_path):
    tmp_path.chmod(0o500)
    try:
        (tmp_path / "probe").touch()
    except OSError:
        with pytest.raises(SpeechGRUError, match="can be written, found: Permission denied"):
            wav_files.make_folder(tmp_path)
    else:
        pytest.skip("this user may write everywhere")
    finally:
        tmp_path.chmod(0o700)


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("lights on", "lights on"),
        ("grüße", "grüße"),
        ("va-t'en!", "va-t'en!"),
        ("", "_"),
        ("..", "__"),
        (".hidden", "_hidden"),
        ("../../etc/passwd", "_._.._etc_passwd"),
        ("C:\\x", "C__x"),
        ("end ", "end_"),
        ("end.", "end_"),
        ("a\nb\x1b", "a_b_"),
        ("\udcff", "_"),
        ("con", "con_"),
        ("LPT1", "LPT1_"),
        ("console", "console"),
    ],
)
def test_names_are_made_safe(text, name):
    assert wav_files.safe_name(text) == name


@given(st.text(max_size=20))
def test_a_safe_name_stays_as_it_is(text):
    name = wav_files.safe_name(text)
    assert wav_files.safe_name(name) == name != ""
    assert not set(name) & set('<>:"/\\|?*\0\n')
    assert name not in (".", "..")
