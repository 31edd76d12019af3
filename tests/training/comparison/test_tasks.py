"""What the cells learn."""

import numpy as np

from training.comparison.learner import Learner
from training.comparison.tasks import RecallTask, SpeechTask


def test_only_the_first_step_tells_the_symbol():
    x, targets = RecallTask(20).batch(np.random.default_rng(0))
    np.testing.assert_array_equal(x[:, 0, :4].argmax(axis=1), targets)
    assert not x[:, 1:, :4].any()


def test_a_cell_learns_speech(word_folder):
    task = SpeechTask(word_folder)
    learner = Learner(task, "LSTM", 16, 0, learning_rate=1e-2)
    rng = np.random.default_rng(0)
    for _ in range(10):
        learner.learn(*task.batch(rng))
    assert learner.validate(task) > 0.5
