"""Tests of training/voices/sound.py."""

import numpy as np
import pytest
import soundfile

from training.voices.sound import SAMPLE_RATE, add_noise, trim, write_wav


def test_the_quiet_around_a_tone_gets_the_lengths_asked_for():
    tone = np.sin(np.arange(8000) * 0.3)
    sound = np.concatenate([np.zeros(5000), tone, np.zeros(100)])
    trimmed = trim(sound, 0.1, 0.2, -45)
    window = SAMPLE_RATE // 100  # loudness is measured over 10 ms
    assert abs(len(trimmed) - (8000 + 0.3 * SAMPLE_RATE)) <= 2 * window
    assert not trimmed[: int(0.1 * SAMPLE_RATE) - window].any()
    assert np.abs(trimmed[int(0.1 * SAMPLE_RATE) + window :][:100]).max() > 0.9
    assert not trimmed[-int(0.2 * SAMPLE_RATE) + window :].any()


def test_noise_has_the_level_asked_for():
    noise = add_noise(np.zeros(100_000), -40, np.random.default_rng(0))
    assert np.sqrt(np.mean(noise**2)) == pytest.approx(0.01, rel=0.02)


@pytest.mark.parametrize("subtype", ["PCM_16", "FLOAT", "DOUBLE", "ULAW"])
def test_a_wav_file_does_not_depend_on_the_time(tmp_path, monkeypatch, subtype):
    sound = np.linspace(-0.5, 0.5, 100)
    write_wav(tmp_path / "a.wav", sound, 8000, subtype)
    content = (tmp_path / "a.wav").read_bytes()
    peak = content.find(b"PEAK")
    assert (peak >= 0) == (subtype in ("FLOAT", "DOUBLE"))
    if peak >= 0:
        assert content[peak + 12 : peak + 16] == bytes(4)
    samples, rate = soundfile.read(tmp_path / "a.wav")
    assert rate == 8000
    assert np.abs(samples - sound).max() < 0.02


def test_a_file_that_cannot_be_written_is_named(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"none.*a\.wav"):
        write_wav(tmp_path / "none" / "a.wav", np.zeros(10), 8000, "PCM_16")
