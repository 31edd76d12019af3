"""Resampling block by block."""

import itertools

import numpy as np
import pytest
import soxr
from hypothesis import given, settings
from hypothesis import strategies as st

from speechgru.audio.resampling import Resampler
from speechgru.errors import AudioError

RATES = (4000, 8000, 15999, 16000, 22050, 44100, 48000, 192000)


def resample(rate, signal, sizes):
    resampler, parts, start = Resampler(rate), [], 0
    for size in itertools.cycle(sizes):
        parts.append(resampler.push(signal[start : start + size]))
        start += size
        if start >= len(signal):
            return np.concatenate([*parts, resampler.finish()])


@settings(max_examples=60, deadline=None)
@given(
    rate=st.sampled_from(RATES),
    sizes=st.lists(st.integers(1, 3000), min_size=1, max_size=5),
    seed=st.integers(0, 1000),
)
def test_the_output_does_not_depend_on_the_blocks(rate, sizes, seed):
    signal = np.random.default_rng(seed).normal(size=9000).astype(np.float32)
    whole = resample(rate, signal, [len(signal)])
    assert np.array_equal(resample(rate, signal, sizes), whole)
    assert np.abs(whole).max() <= 1


@pytest.mark.parametrize("rate", RATES)
def test_the_output_is_that_of_the_whole_signal_and_not_delayed(rate):
    time = np.arange(rate) / rate
    signal = (0.5 * np.sin(2 * np.pi * 440 * time) * np.hanning(rate)).astype(np.float32)
    found = resample(rate, signal, [1000])
    expected = soxr.resample(signal, rate, 16000, quality="HQ")
    assert found == pytest.approx(expected, abs=1e-5)
    exact = 0.5 * np.sin(2 * np.pi * 440 * np.arange(16000) / 16000) * np.hanning(16000)
    assert found == pytest.approx(exact, abs=2e-3)


def test_loud_samples_are_clipped_after_resampling():
    assert Resampler(16000).push(np.array([-3, 0.5, 2], np.float32)).tolist() == [-1, 0.5, 1]


def test_no_descriptor_to_load_soxr_is_an_audio_error(monkeypatch):
    def refuse(name, *_):
        assert name == "soxr"
        raise OSError(24, "Too many open files")

    with monkeypatch.context() as patch:
        patch.setattr("builtins.__import__", refuse)
        with pytest.raises(AudioError, match=r"expected soxr, .* found: Too many open files"):
            Resampler(8000)
        Resampler(16_000)  # needs none
