"""Recordings that several tests of the command line use."""

import pytest


@pytest.fixture
def yes(samples):
    return str(min(samples.glob("yes-*.wav")))


@pytest.fixture
def stop(samples):
    return str(min(samples.glob("stop-*.wav")))
