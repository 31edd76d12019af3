"""The comparison of a converted function with the original."""

import pytest

pytest.importorskip("keras", reason="conversion needs Keras: install the extra train")

import numpy as np
import tensorflow as tf

from speechgru import ConversionError
from speechgru.conversion.converter import convert
from speechgru.conversion.output_check import check_outputs
from speechgru.gru.device import is_placed_on_cpu

SPECS = {"x": tf.TensorSpec((1, 4), name="x")}


@pytest.fixture(scope="module")
def doubled():
    """A flatbuffer of y = 2 x."""
    function = tf.function(lambda x: {"y": 2 * x}).get_concrete_function(**SPECS)
    return convert(tf.Module(), {"serve": function})


@pytest.mark.parametrize(
    "function", [lambda x: {"y": x + x}, lambda x: {"y": 2.00001 * x}], ids=["same", "rounded"]
)
def test_equal_outputs_pass(doubled, function):
    check_outputs(doubled, function, SPECS, check_values=True)


@pytest.mark.parametrize(
    ("function", "message"),
    [
        (lambda x: {"y": 2.5 * x}, "y as in Keras, LiteRT's differs by 0"),
        (lambda x: {"y": 2 * x + np.nan}, "y as in Keras, LiteRT's differs by nan"),
        (
            lambda x: {"y": 2 * x[:, :3]},
            r"y of shape \(1, 3\) as in Keras, LiteRT computes \(1, 4\)",
        ),
    ],
)
def test_other_outputs_are_refused(doubled, function, message):
    with pytest.raises(ConversionError, match=message):
        check_outputs(doubled, function, SPECS, check_values=True)


def test_the_original_runs_on_the_cpu(doubled):
    """A GPU computes in TF32, which differs from LiteRT's float32."""
    places = []

    def function(x):
        places.append(is_placed_on_cpu())
        return {"y": 2 * x}

    check_outputs(doubled, function, SPECS, check_values=True)
    assert places == [True]


def test_values_of_quantised_weights_are_not_compared(doubled):
    check_outputs(doubled, lambda x: {"y": 2.5 * x}, SPECS, check_values=False)
    with pytest.raises(ConversionError, match="of shape"):
        check_outputs(doubled, lambda x: {"y": x[:, 1:]}, SPECS, check_values=False)


def test_nan_is_equal_to_nan_only():
    """The logarithm of negative numbers is NaN."""
    function = tf.function(lambda x: {"y": tf.math.log(x)}).get_concrete_function(**SPECS)
    converted = convert(tf.Module(), {"serve": function})
    check_outputs(converted, lambda x: {"y": tf.math.log(x)}, SPECS, check_values=True)
    with pytest.raises(ConversionError, match="as in Keras"):
        check_outputs(converted, lambda x: {"y": tf.math.log(x) + 1}, SPECS, check_values=True)
