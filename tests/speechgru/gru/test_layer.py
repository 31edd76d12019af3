"""The GRU layer against the papers' equations in float64 and against keras.layers.GRU."""

import pytest

pytest.importorskip("keras", reason="the GRU needs Keras: install the extra train")

import keras
import numpy as np
import tensorflow as tf
from ai_edge_litert.interpreter import Interpreter

from speechgru import GRU
from tests.speechgru.gru.reference import (
    CONVENTIONS,
    FEATURES,
    STEPS,
    UNITS,
    assert_same,
    paper_gru,
    randomized,
    results,
)


@pytest.mark.parametrize(("update_gate", "reset_after"), CONVENTIONS)
def test_states_are_those_of_the_papers_equations(update_gate, reset_after, sequences, rng):
    layer = GRU(UNITS, update_gate=update_gate, reset_after=reset_after, return_sequences=True)
    randomized(layer, sequences, rng)
    start = rng.normal(size=(3, UNITS))
    expected = paper_gru(sequences, start, layer.get_weights(), update_gate, reset_after)
    found = layer(sequences, initial_state=start.astype(np.float32))
    np.testing.assert_allclose(found, expected, atol=2e-6)


@pytest.mark.parametrize("training", [False, True])
@pytest.mark.parametrize(("update_gate", "reset_after"), CONVENTIONS)
def test_gradients_are_those_of_central_differences(
    update_gate, reset_after, training, sequences, rng
):
    layer = GRU(UNITS, update_gate=update_gate, reset_after=reset_after)
    randomized(layer, sequences, rng)
    weights = [np.asarray(w, np.float64) for w in layer.get_weights()]
    with tf.GradientTape() as tape:
        loss = tf.reduce_sum(tf.square(layer(sequences, training=training)))
    gradients = tape.gradient(loss, layer.trainable_variables)

    def loss_at(changed):
        h = np.zeros((3, UNITS))
        return (paper_gru(sequences, h, changed, update_gate, reset_after)[:, -1] ** 2).sum()

    for number, gradient in enumerate(gradients):
        for place in rng.integers(weights[number].size, size=8):
            sides = []
            for step in (1e-5, -1e-5):
                changed = [w.copy() for w in weights]
                changed[number].flat[place] += step
                sides.append(loss_at(changed))
            expected = (sides[0] - sides[1]) / 2e-5
            np.testing.assert_allclose(np.ravel(gradient)[place], expected, rtol=1e-3, atol=1e-5)


@pytest.mark.parametrize("training", [False, True])
@pytest.mark.parametrize("reset_after", [True, False])
@pytest.mark.parametrize(
    "options",
    [
        {},
        {"return_sequences": True},
        {"return_sequences": True, "go_backwards": True, "return_state": True},
        {"return_sequences": True, "unroll": True},
        {"use_bias": False},
        {"activation": "relu", "recurrent_activation": "hard_sigmoid"},
        {"dropout": 0.4, "seed": 3},
        {"dropout": 0.4, "seed": 3, "implementation": 1, "use_cudnn": False},
        {"recurrent_dropout": 0.3, "seed": 3, "return_sequences": True},
        {"dropout": 0.4, "recurrent_dropout": 0.3, "seed": 3},
    ],
    ids=str,
)
def test_keep_equals_keras_gru_in_values_and_gradients(
    options, reset_after, training, sequences, rng
):
    ours = randomized(GRU(UNITS, reset_after=reset_after, **options), sequences, rng)
    theirs = keras.layers.GRU(UNITS, reset_after=reset_after, **options)
    theirs(sequences)
    theirs.set_weights(ours.get_weights())
    start = rng.normal(size=(3, UNITS)).astype(np.float32)
    found, expected = (
        results(layer, sequences, training=training, initial_state=start)
        for layer in (ours, theirs)
    )
    assert_same(found, expected)


@pytest.mark.parametrize("options", [{}, {"go_backwards": True}, {"unroll": True}], ids=str)
@pytest.mark.parametrize("zero_output_for_mask", [False, True])
@pytest.mark.parametrize("return_sequences", [False, True])
def test_masks_work_as_in_keras(options, zero_output_for_mask, return_sequences, sequences, rng):
    options = {
        "return_sequences": return_sequences,
        "zero_output_for_mask": zero_output_for_mask,
        "return_state": True,
        **options,
    }
    mask = rng.random((3, STEPS)) < 0.6
    mask[0, :2] = mask[1, -2:] = False
    start = rng.normal(size=(3, UNITS)).astype(np.float32)
    ours = randomized(GRU(UNITS, **options), sequences, rng)
    theirs = keras.layers.GRU(UNITS, **options)
    theirs(sequences)
    theirs.set_weights(ours.get_weights())
    found, expected = (
        results(layer, sequences, mask=mask, initial_state=start, training=True)
        for layer in (ours, theirs)
    )
    assert_same(found, expected)


def test_a_masked_step_keeps_the_state(sequences, rng):
    layer = randomized(GRU(UNITS), sequences, rng)
    mask = np.ones((3, STEPS), bool)
    mask[:, 8:] = False
    for form in (mask, mask[..., None]):
        np.testing.assert_allclose(layer(sequences, mask=form), layer(sequences[:, :8]), atol=1e-6)


def test_integers_and_unknown_features_are_accepted(sequences, rng):
    layer = randomized(GRU(UNITS), sequences, rng)
    whole = np.round(sequences)
    np.testing.assert_array_equal(layer(whole.astype(np.int32)), layer(whole))
    signature = [tf.TensorSpec((None, None, None))]
    unknown = tf.function(lambda x: layer(x, training=True), input_signature=signature)
    np.testing.assert_allclose(unknown(sequences), layer(sequences), atol=1e-6)


def test_weights_are_named_shaped_and_ordered_as_in_keras(sequences):
    ours, theirs = GRU(UNITS), keras.layers.GRU(UNITS)
    ours(sequences)
    theirs(sequences)
    assert [(w.name, w.shape) for w in ours.weights] == [(w.name, w.shape) for w in theirs.weights]


def test_negated_update_weights_turn_keep_into_write(sequences, rng):
    keep = randomized(GRU(UNITS), sequences, rng)
    write = GRU(UNITS, update_gate="write")
    write(sequences)
    weights = keep.get_weights()
    for weight in weights:
        weight[..., :UNITS] *= -1  # sigmoid(-a) = 1 - sigmoid(a)
    write.set_weights(weights)
    np.testing.assert_allclose(write(sequences), keep(sequences), atol=1e-6)


def test_a_returned_state_continues_the_sequence(sequences, rng):
    layer = randomized(GRU(UNITS, return_state=True), sequences, rng)
    whole, _ = layer(sequences)
    _, state = layer(sequences[:, :5])
    rest, last = layer(sequences[:, 5:], initial_state=state)
    np.testing.assert_allclose(rest, whole, atol=1e-6)
    np.testing.assert_array_equal(rest, last)


def test_a_stateful_layer_continues_from_its_last_state(sequences, rng):
    layer = GRU(UNITS, stateful=True)
    randomized(layer, sequences, rng)
    layer.reset_state()
    layer(sequences[:, :5])
    found = layer(sequences[:, 5:])
    layer.reset_state()
    np.testing.assert_allclose(found, layer(sequences), atol=1e-6)


def test_the_number_of_steps_can_be_unknown_when_traced(sequences, rng):
    layer = randomized(GRU(UNITS, return_sequences=True), sequences, rng)
    traced = tf.function(layer, input_signature=[tf.TensorSpec((None, None, FEATURES))])
    np.testing.assert_allclose(traced(sequences), layer(sequences), atol=1e-6)


@pytest.mark.parametrize("kind", ["dropout", "recurrent_dropout"])
def test_dropout_is_applied_in_training_only(kind, sequences, rng):
    layer = randomized(GRU(UNITS, **{kind: 0.5}), sequences, rng)
    plain = layer(sequences)
    np.testing.assert_array_equal(layer(sequences, training=False), plain)
    assert np.abs(layer(sequences, training=True) - plain).max() > 1e-3


@pytest.mark.parametrize("start", [False, True])
@pytest.mark.parametrize(("update_gate", "reset_after"), CONVENTIONS)
def test_gates_are_those_of_the_papers_equations(update_gate, reset_after, start, sequences, rng):
    layer = GRU(UNITS, update_gate=update_gate, reset_after=reset_after, return_gates=True)
    layer.return_sequences = layer.return_state = start
    randomized(layer, sequences, rng)
    h = rng.normal(size=(3, UNITS)).astype(np.float32)
    expected = []
    states = paper_gru(sequences, h, layer.get_weights(), update_gate, reset_after, expected)
    for call in (layer, tf.function(layer)):
        output, *state, z, r, candidate = call(sequences, initial_state=h, training=True)
        np.testing.assert_allclose(output, states if start else states[:, -1], atol=2e-6)
        for one in state:
            np.testing.assert_allclose(one, states[:, -1], atol=2e-6)
        for found, value in zip((z, r, candidate), zip(*expected, strict=True), strict=True):
            np.testing.assert_allclose(found, np.stack(value, axis=1), atol=2e-6)


def test_gates_of_a_trained_model_can_be_inspected(sequences):
    inputs = keras.Input((None, FEATURES))
    hidden = GRU(UNITS, return_sequences=True, name="first")(inputs)
    model = keras.Model(inputs, keras.layers.Dense(2)(GRU(4, name="second")(hidden)))
    model.compile("adam", "mse")
    model.fit(sequences, np.ones((3, 2)), verbose=0)

    looking = GRU.from_keras(model.get_layer("second"), return_gates=True)
    gates = keras.Model(model.input, looking(model.get_layer("second").input))
    output, z, r, candidate = gates(sequences)
    expected = keras.Model(model.input, model.get_layer("second").output)(sequences)
    np.testing.assert_allclose(output, expected, atol=1e-6)
    assert z.shape == r.shape == candidate.shape == (3, STEPS, 4)
    assert [o.shape for o in gates.outputs[1:]] == [(None, None, 4)] * 3


def test_gates_of_masked_and_backward_sequences_are_returned(sequences, rng):
    layer = randomized(GRU(UNITS, return_gates=True, go_backwards=True), sequences, rng)
    mask = np.ones((3, STEPS), bool)
    mask[:, :4] = False  # read last
    _, z, _, _ = layer(sequences, mask=mask)
    forwards = GRU.from_keras(layer, go_backwards=False)
    _, expected, _, _ = forwards(sequences[:, :3:-1])
    np.testing.assert_allclose(z[:, : STEPS - 4], expected, atol=1e-6)


@pytest.mark.parametrize("policy", ["mixed_float16", "mixed_bfloat16"])
def test_mixed_precision_computes_low_and_stores_high(policy, sequences, rng):
    layer = randomized(GRU(UNITS, dtype=policy, return_sequences=True), sequences, rng)
    exact = GRU(UNITS, return_sequences=True)
    exact(sequences)
    exact.set_weights(layer.get_weights())
    for training in (False, True):
        found = layer(sequences, training=training)
        assert found.dtype == policy.removeprefix("mixed_")
        np.testing.assert_allclose(tf.cast(found, tf.float32), exact(sequences), atol=0.05)
    assert {w.dtype for w in layer.weights} == {"float32"}
    gradients = results(layer, sequences, training=True)[2:]
    assert {g.dtype.name for g in gradients} == {"float32"}


@pytest.mark.parametrize("merge_mode", ["concat", "sum"])
def test_bidirectional_equals_that_of_keras(merge_mode, sequences, rng):
    mask = np.ones((3, STEPS), bool)
    mask[1, 7:] = False
    ours = keras.layers.Bidirectional(GRU(UNITS, return_sequences=True), merge_mode=merge_mode)
    theirs = keras.layers.Bidirectional(
        keras.layers.GRU(UNITS, return_sequences=True), merge_mode=merge_mode
    )
    randomized(ours, sequences, rng)
    theirs(sequences)
    theirs.set_weights(ours.get_weights())
    assert_same(results(ours, sequences, mask=mask), results(theirs, sequences, mask=mask))
    # Or Keras might one day run arithmetic of its own in place of ours.
    assert not isinstance(ours.forward_layer, keras.layers.GRU)


def test_the_layer_works_inside_other_layers_and_clones(sequences, rng):
    clips = np.stack([sequences, sequences[:, ::-1]], axis=1)  # (batch, 2, steps, features)
    model = keras.Sequential(
        [
            keras.Input((2, STEPS, FEATURES)),
            keras.layers.TimeDistributed(GRU(UNITS, update_gate="write", return_sequences=True)),
            keras.layers.TimeDistributed(GRU(4, reset_after=False)),
            keras.layers.Masking(),
            GRU(3),
        ]
    )
    clone = keras.models.clone_model(model)
    clone.set_weights(model.get_weights())
    np.testing.assert_allclose(clone(clips), model(clips), atol=1e-6)
    model.compile("adam", "mse")
    before = model.evaluate(clips, np.ones((3, 3)), verbose=0)
    model.fit(clips, np.ones((3, 3)), epochs=20, verbose=0)
    assert model.evaluate(clips, np.ones((3, 3)), verbose=0) < before


def litert(model, sequences):
    """The operators of a model as LiteRT has it, and its output."""
    module = tf.Module()
    module.held = [w.value for w in model.weights]
    signature = [tf.TensorSpec((1, *model.input_shape[1:]))]
    run = tf.function(lambda x: {"y": model(x)}, input_signature=signature)
    concrete = [run.get_concrete_function()]
    converter = tf.lite.TFLiteConverter.from_concrete_functions(concrete, module)
    interpreter = Interpreter(model_content=converter.convert(), num_threads=1)
    operators = {op["op_name"] for op in interpreter._get_ops_details()}
    return operators, interpreter.get_signature_runner()(x=sequences)["y"]


@pytest.mark.parametrize(("update_gate", "reset_after"), CONVENTIONS)
def test_one_gru_and_one_dense_convert_to_builtin_operators(
    update_gate, reset_after, sequences, rng
):
    model = keras.Sequential(
        [
            keras.Input((STEPS, FEATURES)),
            GRU(UNITS, update_gate=update_gate, reset_after=reset_after, use_cudnn=False),
            keras.layers.Dense(3),
        ]
    )
    operators, found = litert(model, sequences[:1])
    assert not [name for name in operators if name.startswith(("Flex", "CUSTOM"))]
    np.testing.assert_allclose(found, model(sequences[:1]), atol=1e-5)


@pytest.mark.parametrize(("update_gate", "level"), [("keep", 100.0), ("write", -100.0)])
def test_a_state_that_is_kept_is_unchanged_after_ten_thousand_steps(update_gate, level, rng):
    sequences = rng.normal(size=(1, 10_000, FEATURES)).astype(np.float32)
    layer = GRU(UNITS, update_gate=update_gate, return_gates=True)
    randomized(layer, sequences[:, :1], rng)
    kernel, recurrent, bias = layer.get_weights()
    start = rng.normal(size=(1, UNITS)).astype(np.float32)
    bias[0, :UNITS] = level
    layer.set_weights([kernel, recurrent, bias])
    np.testing.assert_array_equal(tf.function(layer)(sequences, initial_state=start)[0], start)
    bias[0, :UNITS] = -level
    layer.set_weights([kernel, recurrent, bias])
    state, _, _, candidate = layer(sequences[:, :50], initial_state=start)
    np.testing.assert_array_equal(state, candidate[:, -1])


class Recall(keras.initializers.Initializer):
    """Biases with which the update gate keeps the state for up to 4 * LAG steps; the others 0.

    Tallec and Ollivier 2018 (arXiv:1804.11188): b_z = log(uniform(1, longest dependency)).
    """

    def __call__(self, shape, dtype=None):
        bias = np.zeros(shape, np.float32)
        lengths = np.random.default_rng(0).uniform(1, 4 * LAG, shape[1] // 3)
        bias[0, : shape[1] // 3] = np.log(lengths)
        return tf.constant(bias)


LAG, SYMBOLS = 200, 4


def recalled(layer, rng, steps=500):
    """Share of the sequences whose first symbol a trained layer still knows LAG steps later."""
    inputs = keras.Input((LAG, SYMBOLS + 1))
    model = keras.Sequential([inputs, layer, keras.layers.Dense(SYMBOLS)])
    optimizer = keras.optimizers.Adam(0.02, clipnorm=1.0)
    optimizer.build(model.trainable_variables)

    def draw(batch):
        symbols = rng.integers(SYMBOLS, size=batch)
        sequences = 0.3 * rng.normal(size=(batch, LAG, SYMBOLS + 1)).astype(np.float32)
        sequences[:, 0] += np.eye(SYMBOLS + 1)[symbols]
        sequences[:, 0, -1] += 1
        return sequences, symbols

    @tf.function
    def step(sequences, symbols):
        with tf.GradientTape() as tape:
            logits = model(sequences, training=True)
            losses = tf.nn.sparse_softmax_cross_entropy_with_logits(symbols, logits)
            loss = tf.reduce_mean(losses)
        gradients = tape.gradient(loss, model.trainable_variables)
        optimizer.apply(gradients, model.trainable_variables)
        return loss

    for _ in range(steps):
        if step(*draw(32)) < 0.02:
            break
    sequences, symbols = draw(512)
    return np.mean(np.argmax(model(sequences), axis=1) == symbols)


def test_the_gru_learns_over_two_hundred_steps_and_a_plain_rnn_does_not(rng):
    keras.utils.set_random_seed(0)
    assert recalled(GRU(16, bias_initializer=Recall()), rng) > 0.9
    assert recalled(keras.layers.SimpleRNN(16), rng) < 0.6
