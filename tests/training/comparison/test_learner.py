"""Counts and gradients of a network with one cell are those of the formulas."""

import numpy as np
import pytest
import tensorflow as tf

from training.comparison.cells import REFERENCE
from training.comparison.learner import Learner
from training.comparison.tasks import RecallTask


@pytest.mark.parametrize(
    ("name", "gates"),
    [("plain RNN", 1), ("LSTM", 4), (REFERENCE, 3), ("GRU, z keeps, r before", 3)],
)
def test_parameters_and_multiplications_are_those_of_the_formulas(name, gates):
    learner = Learner(RecallTask(9), name, 16, 0)
    products = gates * (8 * 16 + 16 * 16)
    biases = 6 * 16 if name == REFERENCE else gates * 16
    assert learner.parameters() == products + biases + 4 * (16 + 1)
    assert learner.multiply_adds() == 10 * products


@pytest.mark.parametrize("name", ["plain RNN", "LSTM", REFERENCE])
def test_gradient_norms_agree_with_finite_differences(name):
    task = RecallTask(4)
    learner = Learner(task, name, 8, 0)
    x, targets = task.batch(np.random.default_rng(0), 1)
    cell, head = learner.layer.cell, learner.model.get_layer("logits")

    def loss(states, start):
        for t in range(start, 5):
            _, states = cell(tf.constant(x[:, t]), states)
        logits = head(states[0])
        return float(tf.nn.sparse_softmax_cross_entropy_with_logits(targets, logits)[0])

    states = [tf.zeros((1, n)) for n in tf.nest.flatten(cell.state_size)]
    for t in range(2):
        _, states = cell(tf.constant(x[:, t]), states)
    slopes = []
    for place, state in enumerate(states):
        for unit in range(8):
            change = 1e-2 * tf.one_hot([unit], 8)
            sides = [
                loss([*states[:place], state + side * change, *states[place + 1 :]], 2)
                for side in (1, -1)
            ]
            slopes.append((sides[0] - sides[1]) / 2e-2)
    assert learner.gradient_norms(x, targets)[1] == pytest.approx(np.linalg.norm(slopes), rel=1e-2)


def test_every_validation_is_recorded():
    task = RecallTask(2)
    learner = Learner(task, "LSTM", 4, 0)
    found = [learner.validate(task) for _ in range(2)]
    assert learner.accuracies == found
    assert found[0] == found[1]
    assert 0 <= found[0] <= 1
