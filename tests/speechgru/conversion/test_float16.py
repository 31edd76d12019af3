"""Weights in float16."""

import numpy as np
import pytest

from speechgru.conversion import flatbuffer
from speechgru.conversion.float16 import weights_to_float16


@pytest.mark.parametrize(("min_elements", "is_halved"), [(8, True), (9, False)])
def test_matrices_of_a_minimum_size_are_halved(min_elements, is_halved, adder, run_adder):
    weights_to_float16(adder, min_elements)
    packed = flatbuffer.pack(adder)
    assert run_adder(packed) == [4, 5, 6, 7, 8, 9, 10, 11]
    assert ("DEQUANTIZE" in flatbuffer.operators(packed)) is is_halved
    assert (np.full(8, 2, np.float16).tobytes() in packed) is is_halved
    assert (np.full(8, 2, np.float32).tobytes() in packed) is not is_halved
