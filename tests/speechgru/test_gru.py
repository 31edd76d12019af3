"""The GRU against the papers' equations in float64 numpy, and against keras.layers.GRU."""

import itertools
import subprocess
import sys

import keras
import numpy as np
import pytest
import tensorflow as tf

from speechgru import GRU, GRUCell

CONVENTIONS = list(itertools.product(("keep", "write"), (True, False)))
STEPS, FEATURES, UNITS = 12, 5, 7


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


def paper_gru(x, h, weights, update_gate, reset_after):
    """States of every step, float64 (batch, steps, units), from the papers' formulas."""
    W, U, b = (np.asarray(w, np.float64) for w in weights)
    W_z, W_r, W_h = np.split(W, 3, axis=1)
    U_z, U_r, U_h = np.split(U, 3, axis=1)
    b_in, b_state = b if reset_after else (b, np.zeros_like(b))
    (bi_z, bi_r, bi_h), (bs_z, bs_r, bs_h) = np.split(b_in, 3), np.split(b_state, 3)
    states = []
    for t in range(x.shape[1]):
        z = sigmoid(x[:, t] @ W_z + bi_z + h @ U_z + bs_z)
        r = sigmoid(x[:, t] @ W_r + bi_r + h @ U_r + bs_r)
        past = r * (h @ U_h + bs_h) if reset_after else (r * h) @ U_h
        candidate = np.tanh(x[:, t] @ W_h + bi_h + past)
        h = (1 - z) * h + z * candidate if update_gate == "write" else z * h + (1 - z) * candidate
        states.append(h)
    return np.stack(states, axis=1)


@pytest.fixture
def rng():
    return np.random.default_rng(0)


@pytest.fixture
def sequences(rng):
    return rng.normal(size=(3, STEPS, FEATURES)).astype(np.float32)


def randomised(layer, sequences, rng):
    layer(sequences)
    layer.set_weights([rng.normal(size=w.shape) * 0.5 for w in layer.get_weights()])
    return layer


@pytest.mark.parametrize(("update_gate", "reset_after"), CONVENTIONS)
def test_states_are_those_of_the_papers_equations(update_gate, reset_after, sequences, rng):
    layer = GRU(UNITS, update_gate=update_gate, reset_after=reset_after, return_sequences=True)
    randomised(layer, sequences, rng)
    start = rng.normal(size=(3, UNITS))
    expected = paper_gru(sequences, start, layer.get_weights(), update_gate, reset_after)
    found = layer(sequences, initial_state=start.astype(np.float32))
    np.testing.assert_allclose(found, expected, atol=2e-6)


@pytest.mark.parametrize(("update_gate", "reset_after"), CONVENTIONS)
def test_gradients_are_those_of_central_differences(update_gate, reset_after, sequences, rng):
    layer = GRU(UNITS, update_gate=update_gate, reset_after=reset_after)
    randomised(layer, sequences, rng)
    weights = [np.asarray(w, np.float64) for w in layer.get_weights()]
    with tf.GradientTape() as tape:
        loss = tf.reduce_sum(tf.square(layer(sequences)))
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


@pytest.mark.parametrize("reset_after", [True, False])
@pytest.mark.parametrize("options", [{}, {"go_backwards": True}, {"unroll": True}])
def test_keep_equals_keras_gru_in_values_and_gradients(reset_after, options, sequences, rng):
    options = {"reset_after": reset_after, "return_sequences": True, **options}
    ours = randomised(GRU(UNITS, **options), sequences, rng)
    theirs = keras.layers.GRU(UNITS, **options)
    theirs(sequences)
    theirs.set_weights(ours.get_weights())
    results = []
    for layer in (ours, theirs):
        with tf.GradientTape() as tape:
            states = layer(sequences)
            loss = tf.reduce_sum(tf.sin(states))
        results.append([states, *tape.gradient(loss, layer.trainable_variables)])
    for found, expected in zip(*results, strict=True):
        np.testing.assert_allclose(found, expected, atol=1e-5)


def test_a_masked_step_keeps_the_state(sequences, rng):
    layer = randomised(GRU(UNITS), sequences, rng)
    mask = np.ones((3, STEPS), bool)
    mask[:, 8:] = False
    np.testing.assert_allclose(layer(sequences, mask=mask), layer(sequences[:, :8]), atol=1e-6)


def test_weights_are_named_shaped_and_ordered_as_in_keras(sequences):
    ours, theirs = GRU(UNITS), keras.layers.GRU(UNITS)
    ours(sequences)
    theirs(sequences)
    assert [(w.name, w.shape) for w in ours.weights] == [(w.name, w.shape) for w in theirs.weights]


def test_negated_update_weights_turn_keep_into_write(sequences, rng):
    keep = randomised(GRU(UNITS), sequences, rng)
    write = GRU(UNITS, update_gate="write")
    write(sequences)
    weights = keep.get_weights()
    for weight in weights:
        weight[..., :UNITS] *= -1  # sigmoid(-a) = 1 - sigmoid(a)
    write.set_weights(weights)
    np.testing.assert_allclose(write(sequences), keep(sequences), atol=1e-6)


@pytest.mark.parametrize(("update_gate", "bias"), [("keep", 50.0), ("write", -50.0)])
def test_a_state_survives_where_the_update_gate_keeps_it(update_gate, bias, rng):
    sequences = rng.normal(size=(1, 1000, FEATURES)).astype(np.float32)
    layer = GRU(UNITS, update_gate=update_gate)
    layer(sequences)
    kernel, recurrent, biases = layer.get_weights()
    biases[0, :UNITS] = bias
    layer.set_weights([kernel, recurrent, biases])
    start = rng.normal(size=(1, UNITS)).astype(np.float32)
    np.testing.assert_array_equal(layer(sequences, initial_state=start), start)


def test_the_state_is_returned_and_taken_up_again(sequences, rng):
    layer = randomised(GRU(UNITS, return_state=True), sequences, rng)
    whole, _ = layer(sequences)
    _, state = layer(sequences[:, :5])
    rest, last = layer(sequences[:, 5:], initial_state=state)
    np.testing.assert_allclose(rest, whole, atol=1e-6)
    np.testing.assert_array_equal(rest, last)


def test_a_stateful_layer_goes_on_where_it_stopped(sequences, rng):
    layer = GRU(UNITS, stateful=True)
    randomised(layer, sequences, rng)
    layer.reset_state()
    layer(sequences[:, :5])
    found = layer(sequences[:, 5:])
    layer.reset_state()
    np.testing.assert_allclose(found, layer(sequences), atol=1e-6)


def test_the_number_of_steps_may_be_unknown_when_traced(sequences, rng):
    layer = randomised(GRU(UNITS, return_sequences=True), sequences, rng)
    traced = tf.function(layer, input_signature=[tf.TensorSpec((None, None, FEATURES))])
    np.testing.assert_allclose(traced(sequences), layer(sequences), atol=1e-6)


@pytest.mark.parametrize(("update_gate", "reset_after"), CONVENTIONS)
def test_the_cell_in_keras_rnn_equals_the_layer(update_gate, reset_after, sequences, rng):
    options = {"update_gate": update_gate, "reset_after": reset_after}
    layer = randomised(GRU(UNITS, **options), sequences, rng)
    looped = keras.layers.RNN(GRUCell(UNITS, **options))
    looped(sequences)
    looped.set_weights(layer.get_weights())
    np.testing.assert_allclose(looped(sequences), layer(sequences), atol=1e-6)


@pytest.mark.parametrize("kind", ["dropout", "recurrent_dropout"])
def test_dropout_acts_in_training_alone(kind, sequences, rng):
    layer = randomised(GRU(UNITS, **{kind: 0.5}), sequences, rng)
    plain = layer(sequences)
    np.testing.assert_array_equal(layer(sequences, training=False), plain)
    assert np.abs(layer(sequences, training=True) - plain).max() > 1e-3


@pytest.mark.parametrize("update_gate", ["keep", "write"])
def test_a_saved_model_reloads_in_a_fresh_process(update_gate, tmp_path, sequences):
    model = keras.Sequential(
        [keras.Input((STEPS, FEATURES)), GRU(UNITS, update_gate=update_gate, name="g")]
    )
    model.save(tmp_path / "model.keras")
    np.save(tmp_path / "in.npy", sequences)
    code = (
        "import keras, numpy as np, speechgru.gru\n"
        "model = keras.saving.load_model('model.keras')\n"
        "np.save('out.npy', model(np.load('in.npy')))\n"
        "print(model.get_layer('g').cell.update_gate)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == update_gate
    np.testing.assert_allclose(np.load(tmp_path / "out.npy"), model(sequences), atol=1e-6)


def test_every_argument_survives_the_configuration():
    layer = GRU(
        UNITS,
        update_gate="write",
        reset_after=False,
        return_sequences=True,
        use_bias=False,
        activation="relu",
        recurrent_initializer="zeros",
        name="mine",
    )
    again = GRU.from_config(layer.get_config())
    assert again.get_config() == layer.get_config()
    assert (again.name, again.cell.update_gate, again.cell.use_bias) == ("mine", "write", False)


@pytest.mark.parametrize("make", [GRU, GRUCell])
@pytest.mark.parametrize(
    ("arguments", "names"),
    [({"units": 0}, "units"), ({"units": 4, "update_gate": "forget"}, "update_gate.*'forget'")],
)
def test_a_wrong_argument_is_named(make, arguments, names):
    with pytest.raises(ValueError, match=names):
        make(**arguments)
