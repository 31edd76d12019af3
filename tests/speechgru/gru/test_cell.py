"""The GRU's cell by itself and in keras.layers.RNN."""

import pytest

pytest.importorskip("keras", reason="the GRU needs Keras: install the extra train")

import keras
import numpy as np
import tensorflow as tf

from speechgru import GRU, GRUCell
from tests.speechgru.gru.reference import (
    CONVENTIONS,
    FEATURES,
    UNITS,
    paper_gru,
    randomized,
)


@pytest.mark.parametrize(("update_gate", "reset_after"), CONVENTIONS)
def test_the_cell_in_keras_rnn_equals_the_layer(update_gate, reset_after, sequences, rng):
    options = {"update_gate": update_gate, "reset_after": reset_after}
    layer = randomized(GRU(UNITS, **options), sequences, rng)
    looped = keras.layers.RNN(GRUCell(UNITS, **options))
    looped(sequences)
    looped.set_weights(layer.get_weights())
    np.testing.assert_allclose(looped(sequences), layer(sequences), atol=1e-6)


@pytest.mark.parametrize(("update_gate", "reset_after"), CONVENTIONS)
def test_the_cell_by_itself_computes_the_papers_equations(update_gate, reset_after, sequences, rng):
    cell = GRUCell(UNITS, update_gate=update_gate, reset_after=reset_after)
    x, h = sequences[:, 0], rng.normal(size=(3, UNITS)).astype(np.float32)
    cell(x, h)
    cell.set_weights([rng.normal(size=w.shape) * 0.5 for w in cell.get_weights()])
    expected = paper_gru(sequences[:, :1], h, cell.get_weights(), update_gate, reset_after)[:, 0]
    output, state = cell(x, h)
    np.testing.assert_allclose(output, expected, atol=2e-6)
    np.testing.assert_array_equal(output, state)
    (state,) = cell(x, [h])[1]
    np.testing.assert_array_equal(output, state)


def test_the_cell_accepts_integers_and_unknown_shapes(sequences):
    x, h = np.round(sequences[:, 0]), np.ones((3, UNITS), np.float32)
    cell = GRUCell(UNITS)
    expected, _ = cell(x, h)
    np.testing.assert_array_equal(cell(x.astype(int), h.astype(int))[0], expected)
    signature = [tf.TensorSpec((None, FEATURES)), tf.TensorSpec((None, None))]
    unknown = tf.function(lambda x, h: cell(x, h)[0], input_signature=signature)
    np.testing.assert_allclose(unknown(x, h), expected, atol=1e-6)


def test_stacked_cells_in_keras_rnn_equal_stacked_layers(sequences):
    stacked = keras.layers.RNN([GRUCell(4, update_gate="write"), GRUCell(UNITS)])
    first, second = GRU(4, update_gate="write", return_sequences=True), GRU(UNITS)
    found = stacked(sequences)
    second(first(sequences))
    first.set_weights(stacked.get_weights()[:3])
    second.set_weights(stacked.get_weights()[3:])
    np.testing.assert_allclose(found, second(first(sequences)), atol=1e-6)
