"""Noises that are computed."""

import numpy as np
import pytest

from training.clips.window import RATE, WINDOW
from training.data.synthetic_noise import event, synthetic_noise


def test_made_noises_are_minutes_of_many_kinds():
    speech = np.random.default_rng(0).integers(-1000, 1000, (5, 16000)).astype(np.int16)
    noises = synthetic_noise(speech, np.random.default_rng(0))
    assert len(noises) > 40
    assert {noise.shape for noise in noises} == {(12 * 16000,)}
    spectra = np.array([np.abs(np.fft.rfft(noise))[1:].mean() for noise in noises])
    assert np.isfinite(spectra).all()
    assert len({round(float(level), 6) for level in spectra}) == len(noises)


def test_made_noises_are_many_and_no_two_events_alike():
    rng = np.random.default_rng(0)
    noises = synthetic_noise(rng.integers(-99, 99, (30, WINDOW), np.int16), rng)
    assert len({noise.tobytes() for noise in noises}) == len(noises) == 84
    assert all(np.isfinite(noise).all() and noise.any() for noise in noises)
    events = [event(rng) for _ in range(300)]
    seconds = [event.size / RATE for event in events]
    assert 0.05 <= min(seconds) < 0.06
    assert 1.0 < max(seconds) <= 1.2
    assert all(np.abs(event).max() == pytest.approx(1) for event in events)
    assert all(abs(event[-1]) < 0.05 for event in events)  # none ends in a click
