"""Levels in dB."""

import numpy as np
import pytest

from training.clips.levels import db_to_amplitude, rms


def test_twenty_decibels_are_a_factor_of_ten():
    assert db_to_amplitude(20.0) == 10
    assert db_to_amplitude(-6) == pytest.approx(0.5, rel=0.01)
    np.testing.assert_allclose(db_to_amplitude(np.array([-20.0, 0, 6.0206])), [0.1, 1, 2], 1e-6)


def test_the_rms_of_a_sine_is_its_amplitude_by_the_root_of_two():
    sine = 3 * np.sin(2 * np.pi * np.arange(1000) / 100)
    assert rms(sine) == pytest.approx(3 / np.sqrt(2))
    np.testing.assert_allclose(rms(np.stack([sine, 2 * sine])), [3 / 2**0.5, 6 / 2**0.5])


def test_the_rms_of_16_bit_samples_does_not_overflow():
    assert rms(np.full(10, -32768, np.int16)) == 32768
