"""Cells are compared at equal parameters."""

import pytest

from training.comparison.cells import CELLS
from training.comparison.experiments import units_for
from training.comparison.learner import Learner
from training.comparison.tasks import RecallTask


@pytest.mark.parametrize("name", CELLS)
def test_units_are_chosen_for_equal_parameters(name):
    units = units_for(RecallTask(5), name, 20_000)
    near = [Learner(RecallTask(5), name, units + more, 0).parameters() for more in (-1, 0, 1)]
    assert min(near, key=lambda n: abs(n - 20_000)) == near[1]
