"""Microphones, band limits and telephone lines."""

import dataclasses
import io

import numpy as np
import pytest
import soundfile
import tensorflow as tf

from tests.training.augmentation.signals import (
    BATCH,
    ON,
    SAMPLES,
    SEED,
    augmented,
    level,
    only,
    spectrum,
    tone,
)
from training.augmentation.channel import (
    RESPONSE_POINTS,
    apply_microphone,
    apply_telephone,
    mu_law_round_trip,
)
from training.augmentation.random_draws import RandomDraws


def test_a_band_limited_clip_loses_its_top_and_its_bottom(draws):
    settings = only(band_limit_share=1)
    noise = np.random.default_rng(0).normal(size=(BATCH, SAMPLES)).astype(np.float32)
    power = spectrum(apply_microphone(noise, draws, settings))
    top, middle = power[:, 7800:].mean(axis=1), power[:, 1000:2500].mean(axis=1)
    assert (10 * np.log10(middle / top) > 30).all()
    assert (power[:, :20].mean(axis=1) < middle / 10).all()


def test_a_microphone_curve_has_the_deviation_of_its_setting():
    draws = RandomDraws(SEED, 300)
    noise = np.random.default_rng(0).normal(size=(1, SAMPLES)).astype(np.float32)
    found = apply_microphone(np.tile(noise, (300, 1)), draws, only(eq_db=4)).numpy()
    gain = np.abs(np.fft.rfft(found)) / np.abs(np.fft.rfft(noise))
    points = np.rint(RESPONSE_POINTS[1:-1]).astype(int)  # where a response is not interpolated
    deviation = (20 * np.log10(gain[:, points])).std(axis=0)
    np.testing.assert_allclose(deviation, 4, rtol=0.15)


def g711(samples):
    """mu-law by libsndfile, 16 bit in and out."""
    file = io.BytesIO()
    soundfile.write(file, samples, 8000, format="WAV", subtype="ULAW")
    return soundfile.read(io.BytesIO(file.getvalue()), dtype="int16")[0]


def test_mu_law_is_libsndfiles_for_every_16_bit_sample():
    samples = np.arange(-32768, 32768).astype(np.int16)
    found = mu_law_round_trip(tf.constant(samples / 32768, tf.float32)).numpy() * 32768
    expected = g711(samples).astype(float)
    np.testing.assert_array_equal(found[np.abs(samples) >= 4], expected[np.abs(samples) >= 4])
    np.testing.assert_allclose(found, expected, atol=8)  # about zero, G.711 has two codes


@pytest.mark.parametrize(("peak", "low", "high"), [(0.9, 36, 40), (0.1, 35, 40), (0.01, 29, 36)])
def test_the_signal_to_noise_ratio_of_mu_law_hardly_depends_on_the_level(peak, low, high):
    sound = tone(1003.7, peak)[0]
    error = mu_law_round_trip(tf.constant(sound)).numpy() - sound
    assert low < level(sound) - level(error) < high


def test_a_telephone_carries_300_to_3400_hz_and_nothing_above_4_khz(draws):
    noise = 0.1 * np.random.default_rng(0).normal(size=(BATCH, SAMPLES)).astype(np.float32)
    power = spectrum(apply_telephone(noise, draws, 1.0)).mean(axis=0) / spectrum(noise).mean(axis=0)
    gain = 10 * np.log10(power)
    np.testing.assert_allclose(gain[400:3200], 0, atol=1)
    assert gain[100:200].max() < -20
    assert gain[4001:].max() < -80


def test_the_error_of_a_telephone_is_that_of_8_bits(draws):
    sound = tone(1003, 0.5)
    error = apply_telephone(sound, draws, 1.0).numpy() - sound
    np.testing.assert_allclose(level(sound) - level(error), 38, atol=3)


def test_the_share_of_telephone_clips_is_rounded_up(draws, clips):
    audio = tf.constant(clips / np.float32(32768))
    changed = (apply_telephone(audio, draws, 0.05) != audio).numpy().any(axis=1)
    assert changed.sum() == 2  # 1.6, rounded up


def test_clips_without_the_telephone_are_the_same_as_with_telephones_disabled(noise, clips):
    with_some = augmented(clips, noise, dataclasses.replace(ON, telephone_share=0.25))
    without = augmented(clips, noise, dataclasses.replace(ON, telephone_share=0))
    assert (with_some == without).all(axis=1).sum() == 24
