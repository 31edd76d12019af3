"""Simulated rooms decay and reflect as acoustics says."""

import math

import numpy as np
import pytest

from tests.training.augmentation.signals import BATCH, SAMPLES
from training.augmentation.rooms import (
    RESPONSE_SAMPLES,
    ROOMS,
    SPEED_OF_SOUND,
    eyring_absorption,
    reverberate,
    room_impulse_response,
    room_impulse_responses,
)
from training.clips.window import RATE


def reverberation_time(response):
    """Seconds for 60 dB, from the decay between -5 and -25 dB (Schroeder 1965, ISO 3382's T20)."""
    left = np.cumsum(response[::-1] ** 2)[::-1]
    decay = 10 * np.log10(left / left[0])
    line = np.flatnonzero((decay <= -5) & (decay >= -25))
    return -60 / np.polyfit(line / RATE, decay[line], 1)[0]


def eyring(size, absorption):
    x, y, z = size
    surface = 2 * (x * y + y * z + z * x)
    return 0.161 * x * y * z / (-surface * math.log(1 - absorption))


@pytest.mark.parametrize(
    ("size", "absorption"),
    [
        ((4.0, 4.1, 3.9), 0.3),
        ((5.0, 4.0, 3.0), 0.2),
        ((5.0, 4.0, 3.0), 0.4),
        ((7.0, 6.0, 3.0), 0.3),
    ],
)
def test_a_simulated_room_decays_about_as_eyring_predicts(size, absorption):
    response = room_impulse_response(size, absorption, (1.0, 1.1, 1.2), (2.3, 2.9, 1.7), 8000)
    # A box decays slower than Eyring's diffuse field; the flatter the box, the slower.
    ratio = reverberation_time(response) / eyring(size, absorption)
    assert 0.95 < ratio < 1.35


def test_the_absorption_for_a_reverberation_time_is_eyrings():
    absorption = eyring_absorption((5.0, 4.0, 3.0), 0.3)
    assert eyring((5.0, 4.0, 3.0), absorption) == pytest.approx(0.3, rel=0.005)


def test_the_first_reflection_is_that_of_the_floor():
    source, microphone = (4.0, 4.0, 1.0), (6.0, 4.0, 1.0)  # 2 m apart, 1 m above the floor
    response = room_impulse_response((10.0, 8.0, 9.0), 0.36, source, microphone, 400)
    later = np.flatnonzero(response)[1]
    assert later == round((math.sqrt(8) - 2) / SPEED_OF_SOUND * RATE)
    assert response[later] == pytest.approx(-0.8 * 2 / math.sqrt(8), rel=1e-5)


def test_every_room_begins_with_the_direct_sound_and_decays():
    bank = room_impulse_responses()
    assert bank.shape == (ROOMS, RESPONSE_SAMPLES)
    np.testing.assert_allclose(bank[:, 0], 1, atol=1e-6)
    quarters = (bank[:, 1 : 1 + 4 * 999].reshape(ROOMS, 4, 999) ** 2).sum(axis=2)
    assert (np.diff(quarters) < 0).all()
    times = np.array([reverberation_time(response) for response in bank])
    assert 0.07 < times.min() < 0.15
    assert 0.45 < times.max() < 0.7
    tails = 10 * np.log10((bank[:, 1:] ** 2).sum(axis=1))
    assert -8 < np.median(tails) < -3
    np.testing.assert_array_equal(room_impulse_responses(), bank)


def test_reverberation_is_convolution_with_a_room_for_its_share_of_the_clips(draws):
    clips = np.random.default_rng(0).normal(size=(BATCH, SAMPLES)).astype(np.float32)
    found = reverberate(clips, draws, 0.25).numpy()
    places = draws.order("reverb share").numpy()[: BATCH // 4]
    np.testing.assert_array_equal(np.delete(found, places, 0), np.delete(clips, places, 0))
    assert len(set(places)) == 8
    bank = room_impulse_responses()
    rooms = (draws.uniform("room", 0.0, float(ROOMS)).numpy()[:, 0]).astype(int)
    assert len(set(rooms)) > BATCH / 2
    place = places[0]
    expected = np.convolve(clips[place].astype(float), bank[rooms[place]])[:SAMPLES]
    np.testing.assert_allclose(found[place], expected, atol=1e-4)
