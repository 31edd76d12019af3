"""Keras's own tests of its GRU, with ours in its place. Keras ships them since 3.15.1."""

import importlib
import types

import pytest

pytest.importorskip("keras", reason="the GRU needs Keras: install the extra train")

from speechgru import GRU

try:
    keras_suite = importlib.import_module("keras.src.layers.rnn.gru_test")
except ImportError:
    pytest.skip("this version of Keras has no tests", allow_module_level=True)

keras_suite.layers = types.SimpleNamespace(GRU=GRU)


@pytest.mark.filterwarnings("default")  # as Keras runs them
class TestAsKerasTestsItsGRU(keras_suite.GRUTest):
    """The tests are inherited."""
