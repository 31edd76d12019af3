"""A random share of the clips is changed, and no other."""

import numpy as np
import pytest
import tensorflow as tf

from tests.training.augmentation.signals import SEED
from training.augmentation.random_draws import RandomDraws
from training.augmentation.random_share import change_share


@pytest.mark.parametrize(
    ("share", "expected"), [(0.05, 2), (0.1, 3), (0.101, 4), (0.5, 15), (1.0, 30)]
)
def test_a_share_of_the_clips_is_changed_in_its_place(share, expected):
    audio = np.random.default_rng(0).normal(size=(30, 7)).astype(np.float32)
    seen = []

    def negate(clips, rows):
        seen.append((clips.numpy(), rows.numpy()))
        return -clips

    found = change_share(audio, RandomDraws(SEED, 30), "share", share, negate).numpy()
    ((clips, rows),) = seen
    assert len(set(rows)) == len(rows) == expected
    np.testing.assert_array_equal(clips, audio[rows])
    np.testing.assert_array_equal(found[rows], -audio[rows])
    others = np.setdiff1d(np.arange(30), rows)
    np.testing.assert_array_equal(found[others], audio[others])


def test_no_scatter_is_in_the_graph():
    """On a GPU a scatter took a third of the time that the GPU was busy."""

    def change(audio):
        draws = RandomDraws(SEED, 30)
        return change_share(audio, draws, "share", 0.5, lambda clips, rows: -clips)

    graph = tf.function(change).get_concrete_function(tf.TensorSpec((30, 7))).graph.as_graph_def()
    functions = [node for function in graph.library.function for node in function.node_def]
    operators = {node.op for node in (*graph.node, *functions)}
    assert "GatherV2" in operators
    assert not any("Scatter" in name for name in operators)
