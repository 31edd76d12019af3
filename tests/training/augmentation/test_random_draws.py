"""Random draws have the distributions that they are named after."""

import numpy as np
import pytest

from tests.training.augmentation.signals import SEED
from training.augmentation.random_draws import RandomDraws


@pytest.mark.parametrize("alpha", [0.05, 0.2, 1.0, 4.0])
def test_beta_draws_have_the_mean_and_variance_of_beta(alpha):
    weights = RandomDraws(SEED, 20000).beta("weight", alpha).numpy()
    assert np.isfinite(weights).all()
    assert weights.mean() == pytest.approx(0.5, abs=0.02)
    assert weights.var() == pytest.approx(1 / (4 * (2 * alpha + 1)), rel=0.05)


def test_a_subset_has_different_rows_and_its_size_is_rounded_up():
    rows = RandomDraws(SEED, 30).subset("rows", 0.05).numpy()
    assert len(set(rows)) == len(rows) == 2
    assert rows.min() >= 0
    assert rows.max() < 30


def test_draws_depend_on_the_seed_and_on_the_name():
    draws = {
        (seed, name): tuple(RandomDraws(seed, 5).uniform(name, 0, 1).numpy()[:, 0])
        for seed in (SEED, (3, 5))
        for name in ("first", "second")
    }
    assert len(set(draws.values())) == 4
    assert draws[SEED, "first"] == tuple(RandomDraws(SEED, 5).uniform("first", 0, 1).numpy()[:, 0])
