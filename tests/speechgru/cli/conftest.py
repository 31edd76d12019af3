"""Recordings that several tests of the command line use."""

import numpy as np
import pytest
import soundfile

from speechgru import audio


@pytest.fixture
def yes(samples):
    return str(min(samples.glob("yes-*.wav")))


@pytest.fixture
def stop(samples):
    return str(min(samples.glob("stop-*.wav")))


@pytest.fixture(scope="session")
def three_words(samples):
    """A second of quiet before and after each of "yes", "stop" and "go": 16 kHz, float32."""
    words = (
        "yes-festival-kal-32k-pcm16",
        "stop-festival-kal-22k05-pcm16",
        "go-festival-kal-8k-alaw",
    )
    quiet = np.zeros(audio.SAMPLE_RATE, np.float32)
    parts = [part for word in words for part in (quiet, audio.load(samples / f"{word}.wav"))]
    return np.concatenate([*parts, quiet])


@pytest.fixture(scope="session")
def recording(three_words, tmp_path_factory):
    path = tmp_path_factory.mktemp("recording") / "three words.wav"
    soundfile.write(path, three_words, audio.SAMPLE_RATE)
    return str(path)
