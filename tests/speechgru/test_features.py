"""The MFCC front end's settings and the reference by librosa."""

import importlib.util
import json
import subprocess
import sys
from dataclasses import asdict

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from speechgru import MFCCConfig, mfcc
from speechgru.features import AMIN, log_mel

needs_librosa = pytest.mark.skipif(
    importlib.util.find_spec("librosa") is None, reason="needs librosa: install the extra train"
)


def noise(samples=16000, seed=0):
    return np.random.default_rng(seed).normal(size=samples).astype(np.float32) / 10


@needs_librosa
@settings(max_examples=20, deadline=None)
@given(samples=st.integers(320, 5000))
def test_any_length_gives_one_frame_a_hop(samples):
    frames = mfcc(noise(samples))
    assert frames.shape == (samples // 320, 40) == (MFCCConfig().frames(samples), 40)
    assert frames.dtype == np.float32


@needs_librosa
def test_the_future_does_not_change_the_past():
    audio = noise()
    changed = audio.copy()
    changed[3200:] = 0
    np.testing.assert_array_equal(mfcc(audio)[:10], mfcc(changed)[:10])
    assert np.abs(mfcc(audio)[10] - mfcc(changed)[10]).max() > 1


@needs_librosa
def test_silence_lies_on_the_floor_of_the_scale():
    np.testing.assert_allclose(log_mel(np.zeros(640), MFCCConfig()), 10 * np.log10(AMIN))


@needs_librosa
@pytest.mark.parametrize("dtype", ["float16", "float32", "float64"])
def test_every_float_dtype_is_accepted(dtype):
    found = mfcc(noise().astype(dtype))
    np.testing.assert_allclose(found, mfcc(noise()), atol=0.5 if dtype == "float16" else 1e-3)


@pytest.mark.parametrize("samples", [np.zeros((2, 16000)), np.zeros(319), np.zeros(()), []])
def test_samples_of_another_shape_are_refused(samples):
    with pytest.raises(ValueError, match="at least 320 samples"):
        mfcc(samples)


@pytest.mark.parametrize("dtype", ["int8", "uint8", "int16", "int32", "int64", "bool", "complex64"])
def test_samples_that_are_not_floats_are_refused(dtype):
    with pytest.raises(ValueError, match=f"must be float .* Received dtype: {dtype}"):
        mfcc(np.ones(16000).astype(dtype))


@pytest.mark.parametrize(
    ("value", "peak"), [(-32768.0, "32768"), (16.5, "16.5"), (np.nan, "nan"), (-np.inf, "inf")]
)
def test_samples_far_from_full_scale_are_refused(value, peak):
    samples = noise()
    samples[100] = value
    with pytest.raises(ValueError, match=rf"in \[-1, 1\]. Received a peak of {peak}"):
        mfcc(samples)


@needs_librosa
def test_samples_a_little_above_full_scale_are_accepted():
    """Resampling and filters overshoot."""
    assert np.isfinite(mfcc(15 * noise())).all()


def test_settings_that_are_not_an_mfccconfig_are_refused():
    with pytest.raises(ValueError, match="`config` must be an MFCCConfig"):
        mfcc(noise(), {"n_mfcc": 13})


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"n_fft": 500, "frame_length": 500}, "`n_fft` must be a power of two"),
        ({"hop_length": 513}, "`hop_length` must be at most frame_length"),
        ({"frame_length": 1024}, "`frame_length` must be at most n_fft"),
        ({"n_mfcc": 41}, "`n_mfcc` must be at most n_mels"),
        ({"n_mels": 0}, "`n_mels` must be a positive integer"),
        ({"hop_length": 160.0}, "`hop_length` must be a positive integer"),
        ({"n_mfcc": "40"}, "`n_mfcc` must be a positive integer. Received: '40'"),
        ({"n_mfcc": True}, "`n_mfcc` must be a positive integer. Received: True"),
        ({"n_fft": None}, "`n_fft` must be a positive integer. Received: None"),
        ({"sample_rate": np.float64(16000)}, "`sample_rate` must be a positive integer"),
        ({"fmax": 8001.0}, "`fmin` and `fmax`"),
        ({"fmin": 5000.0, "fmax": 4000.0}, "`fmin` and `fmax`"),
        ({"fmin": -1}, "`fmin` and `fmax`"),
        ({"fmin": float("nan")}, "`fmin` must be a frequency in Hz. Received: nan"),
        ({"fmin": "20"}, "`fmin` must be a frequency in Hz. Received: '20'"),
        ({"fmin": False}, "`fmin` must be a frequency in Hz. Received: False"),
        ({"fmax": float("inf")}, "`fmax` must be a frequency in Hz. Received: inf"),
        ({"fmax": 10**400}, "`fmax` must be a frequency in Hz. Received: 10000"),
        ({"fmin": -(10**5000)}, "`fmin` must be a frequency in Hz. Received: <int>"),
        ({"sample_rate": 10**400}, "`sample_rate` must be at most 1,000,000. Received: 10000"),
        ({"n_fft": 2**20}, "`n_fft` must be at most 1,000,000. Received: 1048576"),
    ],
)
def test_a_wrong_setting_is_named(arguments, message):
    with pytest.raises(ValueError, match=message):
        MFCCConfig(**arguments)


@needs_librosa
def test_empty_mel_bands_are_refused_without_a_warning(recwarn):
    config = MFCCConfig(fmin=100, fmax=101)
    message = r"`fmin` \(100\) to `fmax` \(101\) Hz .* `n_fft` \(512\)\. Received: 40 empty bands"
    with pytest.raises(ValueError, match=message):
        mfcc(noise(), config)
    assert not recwarn.list


@pytest.mark.parametrize("samples", [-1, 16000.5, 16000.0, True, None])
def test_frames_of_a_wrong_number_of_samples_are_refused(samples):
    with pytest.raises(ValueError, match=f"`samples` must be an integer from 0. .*: {samples}"):
        MFCCConfig().frames(samples)


def test_frames_of_a_number_of_numpy_are_an_int():
    assert type(MFCCConfig().frames(np.int32(639))) is int


def test_numbers_of_numpy_become_numbers_that_json_can_store():
    config = MFCCConfig(n_mfcc=np.int64(20), fmin=np.float32(0), fmax=4000)
    assert config == MFCCConfig(n_mfcc=20, fmin=0.0, fmax=4000.0)
    assert json.loads(json.dumps(asdict(config)))["n_mfcc"] == 20


@needs_librosa
def test_settings_and_mfcc_need_no_tensorflow():
    code = (
        "import sys, numpy, speechgru, speechgru.architectures\n"
        "speechgru.mfcc(numpy.zeros(640), speechgru.MFCCConfig(n_mfcc=13))\n"
        "assert not {'tensorflow', 'keras'} & set(sys.modules)\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True, timeout=120)


def test_without_librosa_the_error_says_how_to_install_it(monkeypatch):
    monkeypatch.setitem(sys.modules, "librosa", None)
    with pytest.raises(ImportError, match=r"need librosa: pip install 'speechgru\[train\]'"):
        mfcc(noise())
