"""Random draws have the distributions that they are named after."""

import zlib

import numpy as np
import pytest
import tensorflow as tf

from tests.training.augmentation.signals import SEED
from training.augmentation.random_draws import RandomDraws


@pytest.mark.parametrize("alpha", [0.05, 0.2, 1.0, 4.0])
def test_beta_draws_have_the_mean_and_variance_of_beta(alpha):
    weights = RandomDraws(SEED, 20000).beta("weight", alpha).numpy()
    assert np.isfinite(weights).all()
    assert weights.mean() == pytest.approx(0.5, abs=0.02)
    assert weights.var() == pytest.approx(1 / (4 * (2 * alpha + 1)), rel=0.05)


def test_an_order_has_each_row_once():
    order = RandomDraws(SEED, 30).order("rows").numpy()
    assert sorted(order) == [*range(30)] != [*order]


@pytest.mark.parametrize(("low", "high"), [(0.0, 1.0), (-5.0, 30.0), (0.0, 12345.0)])
def test_uniform_draws_are_those_of_tensorflow(low, high):
    seed = tf.random.experimental.stateless_fold_in(SEED, zlib.crc32(b"level") & 0x7FFFFFFF)
    expected = tf.random.stateless_uniform((500, 1), seed, low, high)
    for drawn in (None, {}):  # outside of XLA, and as inside
        found = RandomDraws(SEED, 500, drawn).uniform("level", low, high)
        np.testing.assert_array_equal(found, expected)
    assert low <= np.min(expected) < low + (high - low) / 20
    assert high > np.max(expected) > high - (high - low) / 20


def test_xla_draws_the_same_numbers():
    def draw(number, drawn):
        draws = RandomDraws((3, number), 200, drawn)
        return [draws.uniform(name, 0.8, 1.2) for name in "abcdef"], draws.order("rows")

    expected = tf.function(draw)(tf.constant(4), None)
    found = tf.function(draw, jit_compile=True)(tf.constant(4), {})
    np.testing.assert_allclose(found[0], expected[0], rtol=1e-6)
    np.testing.assert_array_equal(found[1], expected[1])


def test_numbers_that_were_drawn_before_are_returned():
    draws = RandomDraws(SEED, 5)
    drawn = {"eq": draws.normal("eq", 3), "weight": draws.beta("weight", 0.2)}
    for found in (RandomDraws(SEED, 5, drawn), RandomDraws((8, 8), 5, drawn)):
        assert found.normal("eq", 3) is drawn["eq"]
        assert found.beta("weight", 0.2) is drawn["weight"]
    assert np.abs(RandomDraws((8, 8), 5).normal("eq", 3) - drawn["eq"]).max() > 0.1


def test_draws_depend_on_the_seed_and_on_the_name():
    draws = {
        (seed, name): tuple(RandomDraws(seed, 5).uniform(name, 0, 1).numpy()[:, 0])
        for seed in (SEED, (3, 5))
        for name in ("first", "second")
    }
    assert len(set(draws.values())) == 4
    assert draws[SEED, "first"] == tuple(RandomDraws(SEED, 5).uniform("first", 0, 1).numpy()[:, 0])
