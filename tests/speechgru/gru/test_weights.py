"""Weights of the GRU from and to Keras and PyTorch."""

import pytest

pytest.importorskip("keras", reason="the GRU needs Keras: install the extra train")

import keras
import numpy as np

from speechgru import GRU
from tests.speechgru.gru.reference import (
    FEATURES,
    UNITS,
    randomized,
    torch_gru,
)


@pytest.mark.parametrize("update_gate", ["keep", "write"])
@pytest.mark.parametrize("options", [{}, {"reset_after": False}, {"use_bias": False}], ids=str)
def test_weights_are_converted_to_keras_and_back(update_gate, options, sequences, rng):
    layer = randomized(GRU(UNITS, update_gate=update_gate, **options), sequences, rng)
    theirs = layer.to_keras()
    assert type(theirs) is keras.layers.GRU
    np.testing.assert_allclose(theirs(sequences), layer(sequences), atol=1e-6)
    for convention in ("keep", "write"):
        back = GRU.from_keras(theirs, update_gate=convention)
        np.testing.assert_allclose(back(sequences), layer(sequences), atol=1e-6)
    again = GRU.from_keras(GRU.from_keras(layer, update_gate="write"), update_gate=update_gate)
    for one, other in zip(again.get_weights(), layer.get_weights(), strict=True):
        np.testing.assert_array_equal(one, other)


def test_a_stateful_or_unbuilt_layer_is_converted_too(sequences):
    layer = GRU(UNITS, stateful=True)
    layer(sequences)
    np.testing.assert_allclose(
        layer.to_keras()(sequences), GRU.from_keras(layer)(sequences), atol=1e-6
    )
    assert not GRU.from_keras(GRU(UNITS)).built


@pytest.mark.parametrize("use_bias", [True, False])
@pytest.mark.parametrize("update_gate", ["keep", "write"])
def test_weights_are_converted_to_torch_and_back(update_gate, use_bias, sequences, rng):
    layer = GRU(UNITS, update_gate=update_gate, use_bias=use_bias)
    randomized(layer, sequences, rng)
    state = layer.to_torch("l1_reverse")
    assert {array.dtype for array in state.values()} == {np.dtype("float32")}
    found = torch_gru(sequences, state, "l1_reverse")
    np.testing.assert_allclose(found, layer(sequences), atol=2e-6)
    back = GRU.from_torch(state, "l1_reverse", update_gate=update_gate, name="back")
    assert (back.name, back.use_bias) == ("back", use_bias)
    for one, other in zip(back.get_weights(), layer.get_weights(), strict=True):
        np.testing.assert_array_equal(one, other)


def test_a_torch_layer_computes_the_same_states(sequences):
    torch = pytest.importorskip("torch", reason="torch is not installed")
    theirs = torch.nn.GRU(FEATURES, UNITS, batch_first=True)
    with torch.no_grad():
        expected = theirs(torch.tensor(sequences))[0].numpy()
    ours = GRU.from_torch(theirs.state_dict(), return_sequences=True, update_gate="write")
    np.testing.assert_allclose(ours(sequences), expected, atol=1e-6)
    theirs.load_state_dict({k: torch.tensor(v) for k, v in ours.to_torch().items()})


def test_reset_before_the_product_cannot_be_converted_to_torch(sequences):
    layer = GRU(UNITS, reset_after=False)
    layer(sequences)
    with pytest.raises(ValueError, match="reset_after=False"):
        layer.to_torch()
