"""Slow gates hold their state for up to the lag."""

import numpy as np
import pytest

from training.comparison.cells import REFERENCE, lag_cells
from training.comparison.learner import Learner
from training.comparison.tasks import RecallTask


@pytest.mark.parametrize("name", ["LSTM, slow gates", f"{REFERENCE}, slow gates"])
def test_slow_gates_hold_their_state_for_up_to_the_lag(name):
    cells = lag_cells(50)
    layer = Learner(RecallTask(50), name, 400, 0, cells=cells).layer
    bias = layer.cell.bias.numpy()
    forget = bias[0, :400] if bias.ndim == 2 else bias[400:800]
    times = 1 / (1 - 1 / (1 + np.exp(-forget)))  # steps in which a state decays to 1/e
    assert 2 <= times.min() < 4
    assert 45 < times.max() <= 51
    others = np.delete(bias[0], np.s_[:400]) if bias.ndim == 2 else bias[800:]
    assert not others.any()
