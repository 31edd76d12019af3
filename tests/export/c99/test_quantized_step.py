"""The integers of the step: factors are rounded once, and scales without integers are refused."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from export.c99.quantized_step import read_step, scale_of
from speechgru.conversion import flatbuffer
from speechgru.errors import ConversionError


@given(factor=st.floats(2.0**-30, 0.2499), value=st.integers(-(2**23), 2**23))
def test_a_rescaled_sum_is_the_rounded_product(factor, value):
    scale = scale_of(factor)
    assert 2**30 <= scale.multiplier < 2**31
    high = (value * scale.multiplier) >> 32  # as in source/arithmetic.c
    rounded = (high + (1 << (scale.shift - 1))) >> scale.shift
    assert abs(rounded - value * factor) <= 0.5 + 2**-7


@pytest.mark.parametrize("factor", [0.25, 3.0, 2.0**-40])
def test_a_factor_out_of_range_is_refused(factor):
    with pytest.raises(ConversionError, match="expected a scale between"):
        scale_of(factor)


def test_the_step_has_the_layers_of_the_model(recogniser):
    step = recogniser.step
    (gru,) = step.grus
    assert gru.units == 76
    assert step.bands.weights.shape == (40, 40)
    assert step.conv_1.weights.shape == (12, 15)
    assert step.conv_2.weights.shape == (20, 108)
    assert step.conv_out.weights.shape == (40, 160)
    assert gru.input.weights.shape == (228, 40)
    assert gru.recurrent.weights.shape == (228, 76)
    assert step.logits.weights.shape == (12, 76)
    assert np.all(np.diff(gru.sigmoid.astype(int)) >= 0)
    assert np.all(np.diff(gru.tanh.astype(int)) >= 0)


def test_other_operators_are_refused(int8):
    step = flatbuffer.load(int8.step)
    (graph,) = step.subgraphs
    graph.operators = graph.operators[:5]
    with pytest.raises(ConversionError, match="expected one RESHAPE in the step here, found 0"):
        read_step(step)
