"""Fixtures that skip tests where the synthesisers are not installed."""

import numpy as np
import pytest

from training.voices.availability import require_voices
from training.voices.errors import SynthesisError
from training.voices.speakers import SAMPLE_SPEAKERS, draw_neural_speakers, draw_speakers


def missing(speakers) -> str:
    """What keeps the speakers from speaking here, or nothing."""
    try:
        require_voices(speakers)
    except SynthesisError as error:
        return str(error)
    return ""


@pytest.fixture(scope="session")
def synthesisers() -> None:
    """Debian's espeak-ng, flite and festival with their voices."""
    speakers = draw_speakers(9, np.random.default_rng(0))
    if reason := missing([*speakers, *SAMPLE_SPEAKERS.values()]):
        pytest.skip(reason)


@pytest.fixture(scope="session")
def neural_synthesisers() -> None:
    """The extra `voices`, and espeak-ng for its phonemes."""
    if reason := missing(draw_neural_speakers(9, np.random.default_rng(0))):
        pytest.skip(reason)
