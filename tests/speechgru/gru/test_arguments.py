"""The arguments of the GRU and its cell: Keras's signatures, and errors that name what is wrong."""

import inspect

import pytest

pytest.importorskip("keras", reason="the GRU needs Keras: install the extra train")

import keras
import numpy as np
import tensorflow as tf
from hypothesis import given, settings
from hypothesis import strategies as st

from speechgru import GRU, GRUCell
from tests.speechgru.gru.reference import (
    FEATURES,
    UNITS,
)


@pytest.mark.parametrize("make", [GRU, GRUCell])
@pytest.mark.parametrize(
    ("arguments", "names"),
    [({"units": 0}, "units"), ({"units": 4, "update_gate": "forget"}, "update_gate.*'forget'")],
)
def test_a_wrong_argument_is_named(make, arguments, names):
    with pytest.raises(ValueError, match=names):
        make(**arguments)


@pytest.mark.parametrize(
    ("call", "names"),
    [
        (lambda: GRU(True), "units"),
        (lambda: GRU(4, dropout=-0.1), "dropout.*-0.1"),
        (lambda: GRU(4, recurrent_dropout=2), "recurrent_dropout.*2"),
        (lambda: GRU(4, use_cudnn="yes"), "use_cudnn.*'yes'"),
        (lambda: GRU(4)(np.zeros((2, 5), "float32")), "ndim=3"),
        (lambda: GRU(4)(np.zeros((2, 0, 5), "float32")), r"sequences.*one step.*\(2, 0, 5\)"),
        (
            lambda: GRU(4)(np.zeros((2, 3, 5), "f"), initial_state=np.zeros((2, 3), "f")),
            r"initial_state.*\(batch, 4\).*\(2, 3\)",
        ),
        (lambda: GRU.from_keras(keras.layers.LSTM(4)), "keras.layers.GRU.*LSTM"),
        (lambda: GRU.from_keras(GRU(4), units=5), "units.*4.*5"),
        (lambda: GRU(4, return_gates=True).to_keras(), "return_gates"),
        (lambda: GRU(4).to_torch(), "built"),
        (lambda: GRU(4)(np.zeros((2, 3, 5), "f"), mask=np.ones((2, 3, 2))), r"mask.*\(2, 3, 2\)"),
        (lambda: GRU.from_torch({}, units=4), "units.*state dict"),
        (lambda: GRU.from_torch({"bias_hh_l0": 0}), "weight_ih_l0"),
        (
            lambda: GRU.from_torch({"weight_ih_l0": np.zeros(()), "weight_hh_l0": np.zeros(())}),
            "weight_ih_l0.*float",
        ),
        (
            lambda: GRU.from_torch(
                {"weight_ih_l0": np.zeros((12, 5), complex), "weight_hh_l0": np.zeros((12, 4))}
            ),
            "weight_ih_l0.*complex",
        ),
        (lambda: GRU.from_torch({"weight_hh_l0": 0}), "weight_ih_l0.*weight_hh_l0"),
        (
            lambda: GRU.from_torch(
                {"weight_ih_l0": np.zeros((12, 5)), "weight_hh_l0": np.zeros((9, 4))}
            ),
            r"weight_hh_l0.*\(12, 4\).*\(9, 4\)",
        ),
    ],
)
def test_an_argument_that_does_not_fit_is_named(call, names):
    with pytest.raises(ValueError, match=names):
        call()


PAIRS = [(GRU, keras.layers.GRU), (GRUCell, keras.layers.GRUCell)]


def parameters(function):
    return list(inspect.signature(function).parameters.values())


@pytest.mark.parametrize(("ours", "theirs"), PAIRS)
def test_the_signature_is_that_of_keras_with_our_arguments_at_the_end(ours, theirs):
    *expected, var_keyword = [(p.name, p.kind, p.default) for p in parameters(theirs.__init__)]
    found = [(p.name, p.kind, p.default) for p in parameters(ours.__init__)]
    assert found[: len(expected)] == expected
    *added, last = found[len(expected) :]
    assert last == var_keyword
    assert {kind for _, kind, _ in added} == {inspect.Parameter.KEYWORD_ONLY}
    assert {name for name, _, _ in added} <= {"update_gate", "return_gates"}


@pytest.mark.parametrize(("ours", "theirs"), PAIRS)
def test_the_arguments_of_a_call_are_those_of_keras(ours, theirs):
    found, expected = (
        [(p.name, p.kind, p.default) for p in parameters(cls.call)] for cls in (ours, theirs)
    )
    assert found == expected


@pytest.mark.parametrize(("ours", "theirs"), PAIRS)
def test_every_public_attribute_of_keras_layer_is_there(ours, theirs):
    expected = {name for name in dir(theirs(UNITS)) if not name.startswith("_")}
    assert expected <= set(dir(ours(UNITS)))


@pytest.mark.parametrize(("ours", "theirs"), PAIRS)
def test_positional_arguments_mean_the_same_as_in_keras(ours, theirs):
    values = {
        "units": UNITS,
        "activation": "relu",
        "recurrent_activation": "hard_sigmoid",
        "use_bias": False,
        "kernel_initializer": "zeros",
        "recurrent_initializer": "ones",
        "bias_initializer": "ones",
        "kernel_regularizer": "l1",
        "recurrent_regularizer": "l2",
        "bias_regularizer": "l1",
        "activity_regularizer": "l2",
        "kernel_constraint": "non_neg",
        "recurrent_constraint": "unit_norm",
        "bias_constraint": "max_norm",
        "dropout": 0.1,
        "recurrent_dropout": 0.2,
        "seed": 3,
        "return_sequences": True,
        "return_state": True,
        "go_backwards": True,
        "stateful": True,
        "unroll": True,
        "reset_after": False,
        "use_cudnn": False,
    }
    names = [p.name for p in parameters(theirs.__init__)[1:-1]]
    layers = [cls(*(values[name] for name in names), name="layer") for cls in (ours, theirs)]
    found, expected = (layer.get_config() for layer in layers)
    assert {name: found[name] for name in expected} == expected
    assert expected == {**expected, **{n: values[n] for n in ("units", "seed", "dropout")}}
    for name in ("units", "use_bias", "dropout", "reset_after"):
        assert getattr(layers[0], name) == getattr(layers[1], name) == values[name]


@pytest.mark.parametrize(("ours", "theirs"), PAIRS)
def test_an_unknown_argument_is_refused_as_in_keras(ours, theirs):
    messages = []
    for cls in (ours, theirs):
        with pytest.raises(ValueError, match=rf"{cls.__name__}.*unit_count") as error:
            cls(UNITS, unit_count=3)
        messages.append(str(error.value))
    assert messages[0] == messages[1]


@pytest.mark.parametrize("make", [GRU, GRUCell])
@pytest.mark.parametrize("units", [True, 4.0, "4", None, -1])
def test_units_must_be_a_positive_integer(make, units):
    with pytest.raises(ValueError, match=f"units.*positive integer.*{units!r}"):
        make(units)


@pytest.mark.parametrize("make", [GRU, GRUCell])
@pytest.mark.parametrize("rate", [True, "0.1", None, float("nan"), 1.1])
@pytest.mark.parametrize("name", ["dropout", "recurrent_dropout"])
def test_a_dropout_rate_must_be_a_number_between_0_and_1(make, name, rate):
    with pytest.raises(ValueError, match=f"`{name}`.*{name}={rate!r}"):
        make(UNITS, **{name: rate})


X, H = np.zeros((4, 9, FEATURES), np.float32), np.zeros((4, UNITS), np.float32)
ON = np.ones((4, 9), bool)


def built(layer, *arguments):
    layer(*arguments)
    return layer


@pytest.mark.parametrize("graph", [False, True])
@pytest.mark.parametrize(
    ("layer", "arguments", "message"),
    [
        (GRU(UNITS), {"sequences": X[0]}, "expected ndim=3, found ndim=2"),
        (GRU(UNITS), {"sequences": X[..., None]}, "expected ndim=3, found ndim=4"),
        (GRU(UNITS), {"sequences": X[..., :0]}, r"`sequences`.*feature.*\(4, 9, 0\)"),
        (GRU(UNITS), {"sequences": X[:, :0]}, r"`sequences`.*one step.*\(4, 0, 5\)"),
        (GRU(UNITS), {"sequences": X.astype(complex)}, "`sequences`.*complex128"),
        (GRU(UNITS), {"sequences": X.astype(str)}, "`sequences`.*string"),
        (
            built(GRU(UNITS), X),
            {"sequences": X[..., 1:]},
            r"`sequences`.*\(batch, steps, 5\).*\(4, 9, 4\)",
        ),
        (
            built(GRU(UNITS, stateful=True), X),
            {"sequences": X[1:]},
            r"`sequences`.*\(4, steps, 5\).*\(3, 9, 5\)",
        ),
        (GRU(UNITS), {"mask": ON[:, 1:]}, r"`mask`.*\(4, 9\).*\(4, 8\)"),
        (GRU(UNITS), {"mask": ON[1:]}, r"`mask`.*\(4, 9\).*\(3, 9\)"),
        (GRU(UNITS), {"mask": ON[:1]}, r"`mask`.*\(4, 9\).*\(1, 9\)"),
        (GRU(UNITS), {"mask": ON[0]}, r"`mask`.*\(4, 9\).*\(9,\)"),
        (GRU(UNITS), {"mask": np.ones((4, 9, 2), bool)}, r"`mask`.*\(4, 9\).*\(4, 9, 2\)"),
        (GRU(UNITS), {"mask": ON.astype(str)}, "`mask`.*string"),
        (GRU(UNITS), {"mask": ON.astype(complex)}, "`mask`.*complex"),
        (GRU(UNITS), {"mask": [ON, ON]}, "`mask`.*one tensor.*2 values"),
        (GRU(UNITS), {"initial_state": H[1:]}, r"`initial_state`.*\(4, 7\).*\(3, 7\)"),
        (GRU(UNITS), {"initial_state": H[:1]}, r"`initial_state`.*\(4, 7\).*\(1, 7\)"),
        (GRU(UNITS), {"initial_state": H[:, 1:]}, r"`initial_state`.*\(4, 7\).*\(4, 6\)"),
        (GRU(UNITS), {"initial_state": H[0]}, r"`initial_state`.*\(4, 7\).*\(7,\)"),
        (GRU(UNITS), {"initial_state": 0.0}, r"`initial_state`.*\(4, 7\).*\(\)"),
        (GRU(UNITS), {"initial_state": [H, H]}, "`initial_state`.*one tensor.*2 values"),
        (GRU(UNITS), {"initial_state": H.astype(str)}, "`initial_state`.*string"),
    ],
    ids=str,
)
def test_a_shape_that_does_not_fit_the_layer_is_a_value_error(layer, arguments, message, graph):
    call = tf.function(layer.__call__) if graph else layer
    with pytest.raises(ValueError, match=message):
        call(**{"sequences": X, **arguments})


@pytest.mark.parametrize(
    ("inputs", "states", "message"),
    [
        (X, H, r"`inputs`.*\(batch, features\).*\(4, 9, 5\)"),
        (X[0, 0], H, r"`inputs`.*\(batch, features\).*\(5,\)"),
        (X[:, 0, :0], H, r"`inputs`.*feature.*\(4, 0\)"),
        (X[:, 0], H[1:], r"`states`.*\(4, 7\).*\(3, 7\)"),
        (X[:, 0], H[:1], r"`states`.*\(4, 7\).*\(1, 7\)"),
        (X[:, 0], H[:, 1:], r"`states`.*\(4, 7\).*\(4, 6\)"),
        (X[:, 0], H[0], r"`states`.*\(4, 7\).*\(7,\)"),
        (X[:, 0], [H, H], "`states`.*one tensor.*2 values"),
        (X[:, 0].astype(complex), H, "`inputs`.*complex"),
    ],
)
def test_a_shape_that_does_not_fit_the_cell_is_a_value_error(inputs, states, message):
    with pytest.raises(ValueError, match=message):
        GRUCell(UNITS)(inputs, states)


def test_a_built_cell_refuses_another_number_of_features():
    cell = built(GRUCell(UNITS), X[:, 0], H)
    with pytest.raises(ValueError, match=r"`inputs`.*\(batch, 5\).*\(4, 4\)"):
        cell(X[:, 0, 1:], H)


@pytest.mark.parametrize(
    ("shape", "arguments", "message"),
    [
        ((None, FEATURES), {"initial_state": (UNITS + 1,)}, r"initial_state.*\(batch, 7\).*8"),
        ((9, FEATURES), {"mask": (8,)}, r"mask.*\(batch, 9\).*\(None, 8\)"),
        ((0, FEATURES), {}, "sequences.*one step"),
        ((9, None), {}, "sequences.*known number"),
    ],
)
def test_a_functional_model_with_a_wrong_shape_cannot_be_made(shape, arguments, message):
    inputs = {name: keras.Input(shape) for name, shape in arguments.items()}
    with pytest.raises(ValueError, match=message):
        GRU(UNITS)(keras.Input(shape), **inputs)


def test_an_unrolled_layer_needs_a_known_number_of_steps():
    call = tf.function(
        GRU(UNITS, unroll=True), input_signature=[tf.TensorSpec((4, None, FEATURES))]
    )
    with pytest.raises(ValueError, match=r"sequences.*known number of steps.*unroll=True"):
        call.get_concrete_function()


@pytest.mark.parametrize("mask", [ON, ON[..., None], ON.astype(int), ON.astype("f"), [ON], [None]])
@pytest.mark.parametrize("state", [H, H.astype(int), [H], tf.constant(H)], ids=type)
def test_masks_and_states_of_every_accepted_form_give_the_same(mask, state):
    layer = GRU(UNITS)
    np.testing.assert_allclose(layer(X, state, mask), layer(X), atol=1e-6)


SIZES = {"sequences": (4, 9, FEATURES), "initial_state": (4, UNITS), "mask": (4, 9)}


@pytest.fixture(scope="module")
def layer():
    return built(GRU(UNITS), X)


@settings(max_examples=15, deadline=None)
@given(known=st.lists(st.booleans(), min_size=7, max_size=7))
def test_any_size_can_be_unknown_when_the_layer_is_traced(layer, known):
    is_known = iter(known)
    values = {"sequences": X + 1, "initial_state": H + 0.5, "mask": ON}
    specs = {
        name: tf.TensorSpec(
            [size if next(is_known) else None for size in shape], values[name].dtype
        )
        for name, shape in SIZES.items()
    }
    traced = tf.function(lambda **tensors: layer(**tensors)).get_concrete_function(**specs)
    found = traced(**{name: tf.constant(value) for name, value in values.items()})
    np.testing.assert_allclose(found, layer(**values), atol=1e-6)


@pytest.mark.parametrize(
    ("name", "shape"),
    [("mask", (None, 8)), ("mask", (3, None)), ("initial_state", (3, None)), ("mask", (9,))],
)
def test_a_known_size_that_does_not_fit_is_refused_when_the_layer_is_traced(layer, name, shape):
    traced = tf.function(lambda tensor: layer(X, **{name: tensor}))
    with pytest.raises(ValueError, match=f"`{name}` must have shape"):
        traced.get_concrete_function(tf.TensorSpec(shape))
