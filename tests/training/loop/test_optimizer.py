"""Tests of training/loop/optimizer.py."""

import dataclasses
import math

import pytest

from training.loop.optimizer import make_optimizer
from training.recipes.recipe import load_recipe


@pytest.fixture
def short(plain_file):
    """Epochs of 10 steps."""
    return load_recipe(str(plain_file))


def rates(recipe, restarts=()):
    optimizer = make_optimizer(recipe, restarts)
    found = []
    for step in range(recipe.epochs * recipe.steps + 1):
        optimizer.iterations.assign(step)
        found.append(float(optimizer.learning_rate))
    return found


def test_the_learning_rate_rises_over_a_tenth_and_falls_to_zero_as_a_cosine(short):
    found = rates(short)  # 20 steps
    assert found[2] == max(found) == pytest.approx(2e-3)
    assert found[0] == pytest.approx(2e-5)
    assert found[11] == pytest.approx(1e-3 * (1 + math.cos(math.pi * 9 / 18)))
    assert found[20] == pytest.approx(0, abs=1e-9)


def test_added_epochs_do_not_change_the_rates_before_and_have_their_own_rise_and_fall(short):
    lengthened = rates(dataclasses.replace(short, epochs=5), restarts=[2])
    assert lengthened[:20] == rates(short)[:20]
    assert lengthened[20:] == rates(dataclasses.replace(short, epochs=3))


def test_a_run_can_be_lengthened_more_than_once(short):
    found = rates(dataclasses.replace(short, epochs=4), restarts=[1, 2])
    assert [found.index(max(found[n : n + 10]), n) for n in (0, 10, 20)] == [1, 11, 22]
    assert found[40] == pytest.approx(0, abs=1e-9)
