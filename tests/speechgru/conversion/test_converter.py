"""TensorFlow's converter and the checks of what it writes."""

import pytest

pytest.importorskip("keras", reason="conversion needs Keras: install the extra train")

import numpy as np
import tensorflow as tf
from ai_edge_litert.interpreter import Interpreter

from speechgru import ConversionError
from speechgru.conversion import flatbuffer
from speechgru.conversion.converter import check_operators, convert


class Counter(tf.Module):
    """y = x + the number of calls."""

    def __init__(self):
        super().__init__()
        self.calls = tf.Variable(0.0)

    @tf.function(input_signature=[tf.TensorSpec((1, 8), name="x")])
    def count(self, x):
        return {"y": x + self.calls.assign_add(1.0)}


class Product(tf.Module):
    """y = x W with a large W; a second signature makes it positive."""

    def __init__(self):
        super().__init__()
        self.matrix = tf.Variable(tf.random.stateless_normal((64, 32), seed=(0, 0)))

    def signatures(self):
        spec = tf.TensorSpec((1, 64), name="x")
        product = tf.function(lambda x: {"y": x @ self.matrix})
        positive = tf.function(lambda x: {"y": tf.abs(x @ self.matrix)})
        return {
            "product": product.get_concrete_function(spec),
            "positive": positive.get_concrete_function(spec),
        }


@pytest.mark.parametrize(
    ("quantize", "bytes_per_weight", "tolerance"),
    [("none", 4, 1e-4), ("float16", 2, 0.05), ("dynamic", 1, 1.0)],
)
def test_signatures_share_their_weights(quantize, bytes_per_weight, tolerance):
    module = Product()
    converted = convert(module, module.signatures(), quantize)
    weights = 64 * 32 * bytes_per_weight
    assert weights in flatbuffer.constant_sizes(converted)
    assert weights < len(converted) < weights + 3000
    x = np.random.default_rng(0).normal(size=(1, 64)).astype(np.float32)
    interpreter = Interpreter(model_content=converted)
    expected = x @ module.matrix.numpy()
    for name, y in (("product", expected), ("positive", np.abs(expected))):
        found = interpreter.get_signature_runner(name)(x=x)["y"]
        np.testing.assert_allclose(found, y, atol=tolerance)


def test_variables_that_change_are_refused():
    module = Counter()
    with pytest.raises(ConversionError, match=r"found variables \(VAR_HANDLE\)"):
        convert(module, {"count": module.count.get_concrete_function()})


def test_variables_that_the_module_does_not_hold_are_refused():
    module = Product()
    with pytest.raises(ConversionError, match="cannot be converted: Tried to export a function"):
        convert(tf.Module(), module.signatures())


def test_every_operator_that_litert_lacks_is_named():
    def incomplete(x):
        return {"y": tf.math.betainc(x, x, x) + tf.linalg.svd(x, compute_uv=False)}

    function = tf.function(incomplete).get_concrete_function(tf.TensorSpec((1, 8), name="x"))
    with pytest.raises(ConversionError, match=r"LiteRT has none for tf\.Betainc, tf\.Svd"):
        convert(tf.Module(), {"run": function})


def test_custom_operators_are_refused(adder):
    adder.operatorCodes[0].builtinCode = adder.operatorCodes[0].deprecatedBuiltinCode = 32
    adder.operatorCodes[0].customCode = "FlexErf"
    with pytest.raises(ConversionError, match="builtin operators only, found CUSTOM 'FlexErf'"):
        check_operators(flatbuffer.pack(adder))
