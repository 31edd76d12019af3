"""Reading flatbuffers, and packing them."""

import numpy as np

from speechgru import modelfile
from speechgru.conversion import flatbuffer


def test_packing_keeps_what_a_model_computes(adder, run_adder):
    packed = flatbuffer.pack(adder)
    assert run_adder(packed) == [4, 5, 6, 7, 8, 9, 10, 11]
    assert flatbuffer.operators(packed) == ["ADD"]


def test_equal_constants_are_stored_once(adder):
    assert len(adder.buffers) == 3
    packed = flatbuffer.pack(adder)
    assert len(flatbuffer.load(packed).buffers) == 2
    assert flatbuffer.constant_sizes(packed) == {32}


def test_constants_are_aligned(adder):
    packed = flatbuffer.pack(adder)
    assert packed.index(np.full(8, 2, np.float32).tobytes()) % flatbuffer.ALIGNMENT == 0


def test_packing_the_bundled_models_again_changes_nothing():
    for name in modelfile.BUNDLED:
        packed = modelfile.read(name).flatbuffer
        assert flatbuffer.pack(flatbuffer.load(packed)) == packed


def test_operators_are_listed_with_the_names_of_custom_ones(adder):
    adder.operatorCodes[0].builtinCode = adder.operatorCodes[0].deprecatedBuiltinCode = 32
    adder.operatorCodes[0].customCode = "FlexErf"
    assert flatbuffer.operators(flatbuffer.pack(adder)) == ["CUSTOM 'FlexErf'"]
