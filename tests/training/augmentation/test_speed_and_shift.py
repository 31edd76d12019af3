"""Speed change, time shift and the interpolation behind them."""

import numpy as np
import pytest
import tensorflow as tf

from tests.training.augmentation.signals import BATCH, SAMPLES, only, spectrum, tone
from training.augmentation.speed_and_shift import change_speed_and_shift, interpolate


def test_a_clip_moves_by_at_most_the_limit(draws):
    clip = np.zeros((BATCH, SAMPLES), np.float32)
    clip[:, SAMPLES // 2] = 1
    moved = change_speed_and_shift(clip, draws, only(shift_ms=50)).numpy()
    offsets = moved.argmax(axis=1) - SAMPLES // 2
    assert np.abs(offsets).max() <= 800
    assert np.unique(offsets).size > BATCH // 2
    np.testing.assert_allclose(moved.max(axis=1), 1)  # whole samples, so the click is not smeared


@pytest.mark.parametrize("times", [[-50.5, -3.25, -1.5], [101.0, 103.75, 1e6]])
def test_beyond_its_ends_a_clip_is_silent(times):
    clip = np.full((1, 100), 0.5, np.float32)
    np.testing.assert_array_equal(interpolate(clip, np.array([times], np.float32)), 0)
    np.testing.assert_allclose(
        interpolate(clip, [[-0.5, 0.0, 50.5, 99.0, 99.5]])[0], [0.25, 0.5, 0.5, 0.5, 0.25]
    )


def test_integer_clips_are_read_as_fractions_of_full_scale():
    clip = np.array([[0, 16384, -32768, 8192]], np.int16)
    found = interpolate(clip, np.array([[1.0, 1.5, 2.0, 3.0]], np.float32))
    np.testing.assert_array_equal(found, [[0.5, -0.25, -1.0, 0.25]])


@pytest.mark.parametrize("speed", [0.85, 1.0, 1.15])
def test_a_tone_at_a_speed_has_the_frequency_times_the_speed(speed, draws, monkeypatch):
    monkeypatch.setattr(draws, "uniform", lambda name, low, high: tf.fill((BATCH, 1), speed))
    monkeypatch.setattr(draws, "bernoulli", lambda name, share: tf.fill((BATCH, 1), True))
    found = change_speed_and_shift(tone(1000), draws, only(speed=0.15, speed_share=1)).numpy()
    # The clip is scaled about its middle, and silent before and after.
    reach = min(8000, round(8000 / speed))
    assert np.abs(found[0, : max(0, 8000 - reach - 1)]).sum() == 0
    piece = found[0, 8000 - reach : 8000 + reach] * np.hanning(2 * reach)
    peak = np.abs(np.fft.rfft(piece, 16 * SAMPLES)).argmax() / 16
    assert peak == pytest.approx(1000 * speed, abs=0.5)


def test_speeds_fill_their_range_and_their_share(draws):
    settings = only(speed=0.15, speed_share=0.5)
    peaks = spectrum(change_speed_and_shift(tone(1000), draws, settings)).argmax(axis=1)
    assert 848 <= peaks.min() < 930
    assert 1070 < peaks.max() <= 1152
    assert 0.25 < np.mean(peaks == 1000) < 0.75
