"""Augmentation does what each of its settings promises."""

import dataclasses

import numpy as np
import pytest
import tensorflow as tf

from training import augment as a
from training.recipe import Augment

OFF = Augment(
    shift_ms=0,
    speed=0,
    speed_share=0,
    noise_share=0,
    reverb_share=0,
    eq_db=0,
    band_limit_share=0,
    gain_db=(0.0, 0.0),
)
BATCH, SAMPLES = 32, 16000


def only(**settings):
    return dataclasses.replace(OFF, **settings)


@pytest.fixture
def draw():
    return a.Draw((3, 4), BATCH)


@pytest.fixture(scope="module")
def noise():
    return np.random.default_rng(1).normal(size=(500, a.NOISE_ROW)).astype(np.float32)


def tone(frequency=1000.0):
    time = np.arange(SAMPLES) / a.RATE
    return np.tile(0.1 * np.sin(2 * np.pi * frequency * time), (BATCH, 1)).astype(np.float32)


def augment(clips, noise, settings, seed=(0, 1), silence=None):
    silent = np.zeros(len(clips), bool) if silence is None else silence
    return a.augment(clips, silent, noise, seed, settings).numpy()


def test_everything_off_changes_nothing(noise):
    clips = np.random.default_rng(0).integers(-9000, 9000, (BATCH, SAMPLES)).astype(np.int16)
    np.testing.assert_allclose(augment(clips, noise, OFF), clips / 32768, atol=1e-5)


def test_the_same_step_gives_the_same_batch_and_another_step_another(noise):
    clips = np.random.default_rng(0).integers(-9000, 9000, (BATCH, SAMPLES)).astype(np.int16)
    first = augment(clips, noise, Augment(), seed=(0, 1))
    np.testing.assert_array_equal(augment(clips, noise, Augment(), seed=(0, 1)), first)
    assert np.abs(augment(clips, noise, Augment(), seed=(0, 2)) - first).max() > 0.01


def test_output_stays_in_range(noise):
    clips = np.full((BATCH, SAMPLES), 32767, np.int16)
    found = augment(clips, noise, only(gain_db=(40.0, 40.0), eq_db=10, noise_share=1))
    assert np.isfinite(found).all()
    assert np.abs(found).max() <= 1


@pytest.mark.parametrize("snr", [-5.0, 0.0, 10.0, 20.0])
def test_noise_has_the_promised_ratio(snr, noise, draw):
    speech = tf.constant(tone())
    background = a._background(tf.constant(noise), draw, SAMPLES)
    settings = only(snr_db=(snr, snr), noise_share=1)
    mixed = a.mix(speech, background, tf.zeros((BATCH, 1), bool), draw, settings)
    added = (mixed - speech).numpy()
    found = 10 * np.log10((tone() ** 2).mean(axis=1) / (added**2).mean(axis=1))
    np.testing.assert_allclose(found, snr, atol=0.01)


def test_silence_reaches_from_digital_zero_to_loud(noise):
    batch = 400
    found = a.augment(
        np.zeros((batch, SAMPLES), np.int16), np.ones(batch, bool), noise, (0, 1), OFF
    ).numpy()
    level = 20 * np.log10(np.sqrt((found**2).mean(axis=1)) + 1e-9)
    assert 0.04 < np.mean(level < -150) < 0.2  # digital zero
    audible = level[level > -150]
    assert audible.min() < -70
    assert -13 < audible.max() <= -9.5


def test_a_clip_moves_by_at_most_the_limit(draw):
    clip = np.zeros((BATCH, SAMPLES), np.float32)
    clip[:, SAMPLES // 2] = 1
    moved = a.shift_and_stretch(clip, draw, only(shift_ms=50)).numpy()
    offsets = moved.argmax(axis=1) - SAMPLES // 2
    assert np.abs(offsets).max() <= 800
    assert np.unique(offsets).size > BATCH // 2
    np.testing.assert_allclose(moved.max(axis=1), 1)  # whole samples: not smeared


@pytest.mark.parametrize("times", [[-50.5, -3.25, -1.5], [101.0, 103.75, 1e6]])
def test_beyond_its_ends_a_clip_is_silent(times):
    clip = np.full((1, 100), 0.5, np.float32)
    np.testing.assert_array_equal(a.interpolate(clip, np.array([times], np.float32)), 0)
    np.testing.assert_allclose(
        a.interpolate(clip, [[-0.5, 0.0, 50.5, 99.0, 99.5]])[0], [0.25, 0.5, 0.5, 0.5, 0.25]
    )


def test_speed_changes_pitch_by_up_to_its_factor(draw):
    settings = only(speed=0.15, speed_share=1)
    found = a.shift_and_stretch(tone(1000), draw, settings).numpy()[:, 4000:12000]
    spectrum = np.abs(np.fft.rfft(found * np.hanning(8000)))
    frequency = spectrum.argmax(axis=1) * a.RATE / 8000
    assert 848 <= frequency.min() < 930
    assert 1070 < frequency.max() <= 1152


def test_reverberation_keeps_the_onset_and_leaves_the_rest_of_the_batch(draw):
    clip = np.zeros((BATCH, SAMPLES), np.float32)
    clip[:, 1000] = 1
    found = a.reverberate(clip, draw, 0.25).numpy()
    np.testing.assert_allclose(found[:, :1000], 0, atol=1e-5)
    np.testing.assert_allclose(found[:8, 1000], 1, atol=1e-5)
    tails = (found[:8, 1001:] ** 2).sum(axis=1)
    assert (tails > 10**-1.6).all()
    assert (tails < 10**0.4).all()
    np.testing.assert_array_equal(found[8:], clip[8:])


def test_a_band_limited_clip_loses_its_top(draw):
    settings = only(band_limit_share=1)
    noise = np.random.default_rng(0).normal(size=(BATCH, SAMPLES)).astype(np.float32)
    power = np.abs(np.fft.rfft(a.microphone(noise, draw, settings).numpy())) ** 2
    top, middle = power[:, 7800:].mean(axis=1), power[:, 1000:2500].mean(axis=1)
    assert (10 * np.log10(middle / top) > 30).all()


def test_gain_lies_between_its_limits(noise):
    clips = (tone() * 32768).astype(np.int16)
    found = augment(clips, noise, only(gain_db=(-20.0, 0.0)))
    gain = 20 * np.log10(np.sqrt((found**2).mean(axis=1) / (tone() ** 2).mean(axis=1)))
    assert -20.1 <= gain.min() < -14
    assert -6 < gain.max() <= 0.1


def test_masks_hide_whole_rows_and_columns_up_to_their_size():
    log_mel = np.random.default_rng(0).normal(size=(64, 50, 40)).astype(np.float32)
    settings = dataclasses.replace(
        OFF, time_masks=1, time_mask_frames=5, mel_masks=1, mel_mask_bands=4
    )
    found = a.mask_spectrogram(log_mel, (0, 1), settings).numpy()
    hidden = found != log_mel
    frames, bands = hidden.all(axis=2).sum(axis=1), hidden.all(axis=1).sum(axis=1)
    assert (frames.max(), bands.max()) == (5, 4)
    assert frames.min() == 0
    whole = hidden.all(axis=2)[:, :, None] | hidden.all(axis=1)[:, None, :]
    np.testing.assert_array_equal(hidden, whole)
