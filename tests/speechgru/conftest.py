"""Random numbers and sequences that the tests of the GRU use."""

import numpy as np
import pytest


@pytest.fixture
def rng() -> np.random.Generator:
    return np.random.default_rng(0)


@pytest.fixture
def sequences(rng: np.random.Generator) -> np.ndarray:
    """Float32 of shape (3, STEPS, FEATURES); see gru/reference.py."""
    return rng.normal(size=(3, 12, 5)).astype(np.float32)
