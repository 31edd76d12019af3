"""The loudspeaker: sound at the rate of the device, and what may be missing."""

import sys

import numpy as np
import pytest

from speechgru import audio
from speechgru.audio.loudspeaker import play
from speechgru.audio.microphone import MicrophoneError
from tests.speechgru.audio.fake_sounddevice import FakeSoundDevice, PortAudioError
from tests.speechgru.audio.words import word


@pytest.fixture
def sounddevice(monkeypatch):
    module = FakeSoundDevice()
    monkeypatch.setitem(sys.modules, "sounddevice", module)
    return module


@pytest.mark.parametrize("rate", [16000, 44100, 48000])
def test_a_sound_is_played_at_the_rate_of_the_device(rate, sounddevice):
    sounddevice.speaker_rate = float(rate)
    play(word())
    ((played, at),) = sounddevice.played
    assert at == rate
    np.testing.assert_allclose(audio.load(played, rate), word(), atol=2e-3)


@pytest.mark.parametrize(
    ("attribute", "value", "message"),
    [
        ("speaker_rate", None, "expected a device that plays, found: Error querying device -1"),
        ("playback_failure", PortAudioError("Device unavailable", -9985), "Device unavailable"),
        ("playback_failure", ValueError("no output"), "no output"),
    ],
)
def test_a_device_that_does_not_play_is_an_error(attribute, value, message, sounddevice):
    setattr(sounddevice, attribute, value)
    with pytest.raises(MicrophoneError, match=message):
        play(word())


def test_no_sounddevice_is_an_error(monkeypatch):
    monkeypatch.setitem(sys.modules, "sounddevice", None)
    with pytest.raises(MicrophoneError, match="expected the Python package sounddevice"):
        play(word())
