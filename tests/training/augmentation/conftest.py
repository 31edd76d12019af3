"""A batch of clips, noise and random draws for the tests of augmentation."""

import numpy as np
import pytest

from tests.training.augmentation.signals import BATCH, SAMPLES, SEED
from training.augmentation.random_draws import RandomDraws
from training.data.noise_recordings import NOISE_ROW


@pytest.fixture
def draws():
    return RandomDraws(SEED, BATCH)


@pytest.fixture(scope="module")
def noise():
    return np.random.default_rng(1).normal(size=(500, NOISE_ROW)).astype(np.float32)


@pytest.fixture(scope="module")
def clips():
    return np.random.default_rng(0).integers(-9000, 9000, (BATCH, SAMPLES)).astype(np.int16)
