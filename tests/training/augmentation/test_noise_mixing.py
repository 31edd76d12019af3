"""Noise is mixed in at the right level."""

import numpy as np
import pytest

from tests.training.augmentation.signals import OFF, SAMPLES, augmented, level, only, tone


@pytest.mark.parametrize("snr", [-5.0, 0.0, 10.0, 20.0])
def test_noise_has_the_promised_ratio(snr, noise):
    clips = (tone() * 32768).astype(np.int16)
    mixed = augmented(clips, noise, only(snr_db=(snr, snr), noise_share=1))
    speech = clips / 32768
    np.testing.assert_allclose(level(speech) - level(mixed - speech), snr, atol=0.01)


def test_silence_reaches_from_digital_zero_to_loud(noise):
    batch = 400
    silence = np.zeros((batch, SAMPLES), np.int16)
    found = augmented(silence, noise, OFF, silence=np.ones(batch, bool))
    levels = 20 * np.log10(np.sqrt((found**2).mean(axis=1)) + 1e-9)
    assert 0.04 < np.mean(levels < -150) < 0.2  # digital zero
    audible = levels[levels > -150]
    assert audible.min() < -70
    assert -13 < audible.max() <= -9.5
