"""Keras models and the LiteRT models that `to_tflite` makes of them: the same numbers."""

import importlib

import pytest

pytest.importorskip("keras", reason="conversion needs Keras: install the extra train")

import keras
import numpy as np
import tensorflow as tf
from ai_edge_litert.interpreter import Interpreter
from hypothesis import given, settings
from hypothesis import strategies as st
from keras import layers

import speechgru
from speechgru import GRU, MFCC, ConversionError, GRUCell, to_tflite
from speechgru.conversion.flatbuffer import operators

keras_rnn = importlib.import_module("keras.src.backend.tensorflow.rnn")
to_tflite_module = importlib.import_module("speechgru.conversion.to_tflite")
STEPS, FEATURES = 7, 5


def sequential(*stack, shape=(STEPS, FEATURES), **kwargs):
    return keras.Sequential([keras.Input(shape, name="x", **kwargs), *stack])


def randomized(model, seed=0):
    """The model with random weights everywhere; Keras starts biases at zero."""
    rng = np.random.default_rng(seed)
    for weight in model.weights:
        if weight.dtype == "float32":
            weight.assign(rng.uniform(0.1, 0.9, weight.shape) * rng.choice([-1, 1], weight.shape))
    return model


def serve(converted):
    return Interpreter(model_content=converted).get_signature_runner("serve")


def greatest_difference(model, steps=STEPS, zero_steps=()):
    """The greatest difference between Keras and LiteRT, over all outputs."""
    rng = np.random.default_rng(1)
    shapes = [[size or steps for size in tensor.shape[1:]] for tensor in model.inputs]
    given = [rng.normal(size=(1, *shape)).astype(np.float32) for shape in shapes]
    given[0][:, list(zero_steps)] = 0
    expected = keras.tree.flatten(model(given if len(given) > 1 else given[0]))
    names = [tensor.name for tensor in model.inputs]
    converted = to_tflite(model)
    assert not [name for name in operators(converted) if name.startswith(("CUSTOM", "VAR"))]
    found = serve(converted)(**dict(zip(names, given, strict=True)))
    assert len(found) == len(expected)
    return max(
        float(np.abs(found[f"output_{i}"] - value.numpy()).max())
        for i, value in enumerate(expected)
    )


def relu_gru():
    return GRU(8, activation="relu", recurrent_activation="hard_sigmoid", use_bias=False)


STACKS = {
    "last output": lambda: [GRU(8)],
    "sequence": lambda: [GRU(8, return_sequences=True)],
    "two layers": lambda: [GRU(8, return_sequences=True), GRU(6)],
    "write, reset before": lambda: [GRU(8, update_gate="write", reset_after=False)],
    "unrolled": lambda: [GRU(8, unroll=True, return_sequences=True)],
    "backwards": lambda: [GRU(8, go_backwards=True, return_sequences=True)],
    "dropout": lambda: [GRU(8, dropout=0.3, recurrent_dropout=0.2), layers.Dropout(0.5)],
    "other activations, no bias": lambda: [relu_gru()],
    "bidirectional": lambda: [
        layers.Bidirectional(GRU(8, return_sequences=True)),
        layers.Bidirectional(GRU(4)),
    ],
    "a cell in keras.layers.RNN": lambda: [layers.RNN(GRUCell(8), return_sequences=True)],
    "stacked cells": lambda: [layers.RNN([GRUCell(8), layers.LSTMCell(4)])],
    "keras.layers.GRU": lambda: [layers.GRU(8, return_sequences=True), layers.GRU(4, dropout=0.1)],
    "keras.layers.LSTM": lambda: [layers.Bidirectional(layers.LSTM(8))],
    "keras.layers.SimpleRNN": lambda: [layers.SimpleRNN(8, return_sequences=True)],
    "around it": lambda: [
        layers.Normalization(mean=0.5, variance=2.0),
        layers.Conv1D(6, 3, padding="same"),
        layers.BatchNormalization(),
        GRU(8, return_sequences=True),
        layers.LayerNormalization(),
        layers.GlobalAveragePooling1D(),
        layers.Dense(3, activation="softmax"),
    ],
}


def branches(stacks, steps):
    """One model that gives its input to every stack, and its LiteRT runner."""
    x = keras.Input((steps, FEATURES), name="x")
    outputs = {}
    for name, stack in stacks.items():
        y = x
        for layer in stack():
            y = layer(y)
        outputs[name] = y
    model = randomized(keras.Model(x, outputs))
    converted = to_tflite(model)
    assert not [name for name in operators(converted) if name.startswith(("CUSTOM", "VAR"))]
    return model, serve(converted)


@pytest.fixture(scope="module")
def fixed_steps():
    return branches(STACKS, STEPS)


@pytest.fixture(scope="module")
def free_steps():
    return branches({name: stack for name, stack in STACKS.items() if name != "unrolled"}, None)


def outputs_of_both(model, runner, steps):
    x = np.random.default_rng(steps).normal(size=(1, steps, FEATURES)).astype(np.float32)
    return model(x), runner(x=x)


@pytest.mark.parametrize("name", STACKS)
def test_litert_computes_what_keras_computes(name, fixed_steps):
    expected, found = outputs_of_both(*fixed_steps, STEPS)
    np.testing.assert_allclose(found[name], expected[name], atol=2e-6)


@pytest.mark.parametrize("steps", [3, 1, 12])
def test_the_number_of_steps_may_vary(steps, free_steps):
    expected, found = outputs_of_both(*free_steps, steps)
    assert len(found) == len(STACKS) - 1
    for name in found:
        np.testing.assert_allclose(found[name], expected[name], atol=2e-6, err_msg=name)


def test_every_gate_is_an_output():
    assert greatest_difference(randomized(sequential(GRU(8, return_gates=True)))) < 2e-6


@pytest.mark.parametrize("steps", [STEPS, None])
@pytest.mark.parametrize("zero_output", [False, True])
def test_masked_steps_are_skipped(steps, zero_output):
    masked = GRU(8, return_sequences=True, zero_output_for_mask=zero_output)
    model = randomized(sequential(layers.Masking(), masked, GRU(4), shape=(steps, FEATURES)))
    assert greatest_difference(model, zero_steps=(0, 3, STEPS - 1)) < 2e-6


def test_an_embedding_with_a_mask():
    tokens = keras.Input((STEPS,), dtype="int32", name="tokens")
    model = keras.Model(tokens, GRU(8)(layers.Embedding(20, 4, mask_zero=True)(tokens)))
    x = np.array([[5, 0, 19, 3, 0, 0, 1]], np.int32)
    found = serve(to_tflite(model))(tokens=x)["output_0"]
    np.testing.assert_allclose(found, model(x), atol=2e-6)


@pytest.mark.parametrize("steps", [STEPS, None])
def test_states_are_inputs_and_outputs(steps):
    x, h = keras.Input((steps, FEATURES), name="x"), keras.Input((8,), name="h")
    y, state = GRU(8, return_sequences=True, return_state=True)(x, initial_state=h)
    model = randomized(keras.Model([x, h], [y, state, layers.Dense(3)(state)]))
    assert greatest_difference(model) < 2e-6


def test_dicts_give_the_names_of_inputs_and_outputs():
    x, h = keras.Input((STEPS, FEATURES), name="the x"), keras.Input((8,), name="h")
    y, state = GRU(8, return_state=True)(x, initial_state=h)
    model = keras.Model({"the x": x, "h": h}, {"y": layers.Dense(3)(y), "next h": state})
    runner = serve(to_tflite(model))
    assert runner.get_input_details().keys() == {"the x", "h"}
    assert runner.get_output_details().keys() == {"y", "next h"}
    given = np.random.default_rng(0).normal(size=(1, STEPS, FEATURES)).astype(np.float32)
    zeros = np.zeros((1, 8), np.float32)
    found = runner(**{"the x": given, "h": zeros})["y"]
    np.testing.assert_allclose(found, model({"the x": given, "h": zeros})["y"], atol=2e-6)


def test_names_are_kept_as_they_are():
    """TensorFlow would change or refuse them."""
    names = ["class", "my-input", "Audio", "audio", "1 x"]
    inputs = [keras.Input((FEATURES,), name=name) for name in names]
    model = keras.Model(inputs, layers.Concatenate()(inputs))
    runner = serve(to_tflite(model))
    assert runner.get_input_details().keys() == set(names)
    given = {n: np.full((1, FEATURES), i, np.float32) for i, n in enumerate(names)}
    assert runner(**given)["output_0"][0, ::FEATURES].tolist() == [0, 1, 2, 3, 4]


def test_an_unnamed_input_has_the_name_of_its_position():
    model = keras.Sequential([keras.Input((STEPS, FEATURES)), GRU(4)])
    assert serve(to_tflite(model)).get_input_details().keys() == {"input_0"}


def test_a_model_in_a_model():
    inner = randomized(sequential(GRU(8, return_sequences=True)))
    x = keras.Input((STEPS, FEATURES), name="x")
    assert greatest_difference(keras.Model(x, GRU(4)(inner(x)))) < 2e-6


def test_a_model_of_build_model_goes_from_audio_to_logits():
    model = speechgru.build_model("small", ["yes", "no", "unknown"])
    audio = np.random.default_rng(0).normal(size=(1, 16000)).astype(np.float32) / 10
    found = serve(to_tflite(model))(audio=audio)["output_0"]
    np.testing.assert_allclose(found, model(audio), atol=1e-4)


@pytest.mark.parametrize("policy", ["mixed_float16", "mixed_bfloat16"])
def test_a_model_of_mixed_precision_computes_in_float32(policy):
    mixed = [GRU(8, return_sequences=True, dtype=policy), layers.Dense(3, dtype=policy)]
    model = randomized(sequential(*mixed))
    same = sequential(GRU(8, return_sequences=True), layers.Dense(3))
    same.set_weights(model.get_weights())
    x = np.random.default_rng(0).normal(size=(1, STEPS, FEATURES)).astype(np.float32)
    np.testing.assert_allclose(serve(to_tflite(model))(x=x)["output_0"], same(x), atol=2e-6)
    assert {layer.dtype_policy.name for layer in model.layers} == {policy}


@settings(max_examples=2, deadline=None)
@given(
    units=st.integers(1, 40),
    steps=st.integers(1, 9),
    features=st.integers(1, 40),
    update_gate=st.sampled_from(["keep", "write"]),
)
def test_any_shape_converts(units, steps, features, update_gate):
    layer = GRU(units, update_gate=update_gate)
    assert greatest_difference(randomized(sequential(layer, shape=(steps, features)))) < 2e-6


@pytest.mark.parametrize(("quantize", "bytes_per_weight"), [("float16", 2), ("dynamic", 1)])
def test_quantisation_shrinks_the_weights(quantize, bytes_per_weight):
    keras.utils.set_random_seed(0)
    model = sequential(GRU(64, return_sequences=True), GRU(32))
    converted = to_tflite(model, quantize=quantize)
    overhead = len(to_tflite(model)) - 4 * model.count_params()
    limit = bytes_per_weight * model.count_params() + overhead
    assert len(converted) < limit + 8000  # small weights, such as biases, stay in float32
    x = np.random.default_rng(0).normal(size=(1, STEPS, FEATURES)).astype(np.float32)
    np.testing.assert_allclose(serve(converted)(x=x)["output_0"], model(x), atol=0.02)


def test_the_model_is_not_changed(monkeypatch):
    model = sequential(MFCC(), GRU(8, dropout=0.5, recurrent_dropout=0.2), shape=(640,))
    before = (model.to_json(), [w.numpy().tolist() for w in model.weights])
    to_tflite(model)
    assert (model.to_json(), [w.numpy().tolist() for w in model.weights]) == before

    def fail(*_, **__):
        raise RuntimeError("out of memory")

    monkeypatch.setattr("tensorflow.saved_model.save", fail)
    with pytest.raises(ConversionError, match="out of memory"):
        to_tflite(model)
    assert model.to_json() == before[0]
    assert model.layers[0].compute_dtype == "float64"


def test_cudnn_is_off_while_the_model_is_traced(monkeypatch):
    """On a GPU, cuDNN's operator would get into the file."""
    model = sequential(layers.Bidirectional(GRU(8, return_sequences=True)), layers.LSTM(4))

    def call_cudnn(*_, **__):
        raise RuntimeError("cuDNN was called")

    monkeypatch.setattr("keras.src.backend.cudnn_ok", lambda *_, **__: True)
    monkeypatch.setattr("keras.src.backend.gru", call_cudnn)
    monkeypatch.setattr("keras.src.backend.lstm", call_cudnn)
    to_tflite(model)
    for layer in model.layers:
        with pytest.raises(RuntimeError, match="cuDNN was called"):
            layer(np.zeros((1, *layer.input.shape[1:]), np.float32))


@pytest.mark.parametrize(
    "recurrent", [GRU, layers.GRU, layers.LSTM], ids=["GRU", "Keras GRU", "Keras LSTM"]
)
def test_a_file_made_on_a_machine_with_a_gpu_holds_no_operator_of_cudnn(recurrent, monkeypatch):
    monkeypatch.setattr(keras_rnn, "_is_gpu_available", lambda: True)
    model = sequential(layers.Bidirectional(recurrent(8, return_sequences=True)), recurrent(4))
    assert "CudnnRNNV3" in traced_operators(model)
    assert not [name for name in operators(to_tflite(model)) if "cudnn" in name.lower()]

    def without_the_choice_of_the_loop(layer):
        return {name: value for name, value in found(layer).items() if name != "use_cudnn"}

    found = to_tflite_module._inference_attributes
    monkeypatch.setattr(to_tflite_module, "_inference_attributes", without_the_choice_of_the_loop)
    with pytest.raises(ConversionError, match=r"LiteRT has none for.*CudnnRNNV3"):
        to_tflite(model)


def traced_operators(model):
    """Types of all operators in the graph of a model, those of its functions included."""
    spec = tf.TensorSpec((1, *model.input_shape[1:]))
    graph = tf.function(model).get_concrete_function(spec).graph.as_graph_def()
    functions = [function.node_def for function in graph.library.function]
    return {node.op for nodes in (graph.node, *functions) for node in nodes}


class Betainc(layers.Layer):
    def call(self, x):
        return tf.math.betainc(x, x, x)


class OnlyPairs(layers.Layer):
    def call(self, x):
        if x.shape[0] not in (None, 2):
            raise ValueError(f"expected two, found {x.shape[0]}")
        return x


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: sequential(GRU(4), Betainc()), r"LiteRT has none for tf\.Betainc"),
        (lambda: GRU(4), "`model` must be a keras.Model"),
        (lambda: keras.Sequential([GRU(4)]), r"with a keras\.Input"),
        (
            lambda: sequential(GRU(4), batch_size=2),
            r"size 1\. Received: input 'x' with shape \(2, 7, 5\)",
        ),
        (
            lambda: sequential(GRU(4, stateful=True, name="memory"), batch_size=1),
            "layer 'memory' is.*initial_state",
        ),
        (
            lambda: sequential(GRU(4, dtype="float64", name="exact")),
            "those of layer 'exact' are float64",
        ),
        # Keras itself takes as many steps as there are clips in a batch.
        (
            lambda: sequential(layers.TimeDistributed(layers.Dense(4)), shape=(None, STEPS, 5)),
            r"of shape \(1, 64, 7, 4\) as in Keras, LiteRT computes \(1, 1, 7, 4\)",
        ),
        (lambda: sequential(OnlyPairs()), r"size 1: Exception .* expected two, found 1\.?$"),
    ],
)
def test_what_cannot_be_converted_is_named(make, message):
    with pytest.raises(ConversionError, match=message):
        to_tflite(make())


def test_an_unknown_quantisation_is_named():
    with pytest.raises(ConversionError, match=r"'none', 'float16', 'dynamic'. Received: 'int4'"):
        to_tflite(sequential(GRU(4)), quantize="int4")
