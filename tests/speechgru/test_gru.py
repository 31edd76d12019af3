"""The GRU against the papers' equations in float64 numpy, and against keras.layers.GRU."""

import importlib
import itertools
import subprocess
import sys
import types

import keras
import numpy as np
import pytest
import tensorflow as tf
from ai_edge_litert.interpreter import Interpreter

from speechgru import GRU, GRUCell

keras_rnn = importlib.import_module("keras.src.backend.tensorflow.rnn")

CONVENTIONS = list(itertools.product(("keep", "write"), (True, False)))
STEPS, FEATURES, UNITS = 12, 5, 7


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


def paper_gru(x, h, weights, update_gate, reset_after, gates=None):
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
        if gates is not None:
            gates.append((z, r, candidate))
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


@pytest.mark.parametrize("training", [False, True])
@pytest.mark.parametrize(("update_gate", "reset_after"), CONVENTIONS)
def test_gradients_are_those_of_central_differences(
    update_gate, reset_after, training, sequences, rng
):
    layer = GRU(UNITS, update_gate=update_gate, reset_after=reset_after)
    randomised(layer, sequences, rng)
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


def results(layer, sequences, **arguments):
    """Outputs of a layer, and the gradients of their sine by sequences and weights."""
    sequences = tf.convert_to_tensor(sequences)
    with tf.GradientTape() as tape:
        tape.watch(sequences)
        outputs = layer(sequences, **arguments)
        outputs = list(outputs) if isinstance(outputs, tuple) else [outputs]
        loss = sum(tf.reduce_sum(tf.sin(output)) for output in outputs)
    return outputs + tape.gradient(loss, [sequences, *layer.trainable_variables])


def assert_same(found, expected, atol=1e-5):
    assert len(found) == len(expected)
    for one, other in zip(found, expected, strict=True):
        np.testing.assert_allclose(one, other, atol=atol)


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
    ours = randomised(GRU(UNITS, reset_after=reset_after, **options), sequences, rng)
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
def test_masks_act_as_in_keras(options, zero_output_for_mask, return_sequences, sequences, rng):
    options = {
        "return_sequences": return_sequences,
        "zero_output_for_mask": zero_output_for_mask,
        "return_state": True,
        **options,
    }
    mask = rng.random((3, STEPS)) < 0.6
    mask[0, :2] = mask[1, -2:] = False
    start = rng.normal(size=(3, UNITS)).astype(np.float32)
    ours = randomised(GRU(UNITS, **options), sequences, rng)
    theirs = keras.layers.GRU(UNITS, **options)
    theirs(sequences)
    theirs.set_weights(ours.get_weights())
    found, expected = (
        results(layer, sequences, mask=mask, initial_state=start, training=True)
        for layer in (ours, theirs)
    )
    assert_same(found, expected)


def traced(layer, compiled=False, batch=None, steps=None):
    signature = [tf.TensorSpec((batch, steps, FEATURES)), tf.TensorSpec((batch, UNITS))]

    @tf.function(input_signature=signature, jit_compile=compiled)
    def found(sequences, start):
        return results(layer, sequences, initial_state=start, training=True)

    return found


@pytest.mark.parametrize("way", [(False, None, None), (False, 48, STEPS), (True, 48, STEPS)])
@pytest.mark.parametrize("return_sequences", [False, True])
@pytest.mark.parametrize(("update_gate", "reset_after"), CONVENTIONS)
def test_the_gradient_written_out_is_the_loops(
    update_gate, reset_after, return_sequences, way, rng
):
    sequences = rng.normal(size=(48, STEPS, FEATURES)).astype(np.float32)
    start = rng.normal(size=(48, UNITS)).astype(np.float32)
    layer = GRU(
        UNITS,
        update_gate=update_gate,
        reset_after=reset_after,
        return_sequences=return_sequences,
        return_state=True,
    )
    randomised(layer, sequences, rng)
    expected = results(layer, sequences, initial_state=start, training=False)
    found = traced(layer, *way)(sequences, start)
    for one, other in zip(found, expected, strict=True):
        np.testing.assert_allclose(one, other, atol=2e-6 * np.abs(other).max())


@pytest.mark.parametrize("batch", [0, 1, 2, 3])
def test_halves_of_any_batch_are_joined_in_order(batch, rng):
    sequences = rng.normal(size=(batch, STEPS, FEATURES)).astype(np.float32)
    layer = randomised(GRU(UNITS, return_state=True), sequences, rng)
    start = rng.normal(size=(batch, UNITS)).astype(np.float32)
    found = traced(layer)(sequences, start)[0]
    np.testing.assert_allclose(found, layer(sequences, initial_state=start)[0], atol=1e-6)


def test_a_sparse_gradient_from_above_is_taken(sequences, rng):
    layer = randomised(GRU(UNITS, return_sequences=True), sequences, rng)

    @tf.function
    def gradients(training):
        with tf.GradientTape() as tape:
            loss = tf.reduce_sum(tf.gather(layer(sequences, training=training), [0, 2, 2]))
        return tape.gradient(loss, layer.trainable_variables)

    assert_same(gradients(True), gradients(False))


def test_integers_and_unknown_features_are_taken(sequences, rng):
    layer = randomised(GRU(UNITS), sequences, rng)
    whole = np.round(sequences)
    np.testing.assert_array_equal(layer(whole.astype(np.int32)), layer(whole))
    signature = [tf.TensorSpec((None, None, None))]
    unknown = tf.function(lambda x: layer(x, training=True), input_signature=signature)
    np.testing.assert_allclose(unknown(sequences), layer(sequences), atol=1e-6)


def test_the_second_derivative_is_refused_where_it_would_be_wrong(sequences, rng):
    layer = randomised(GRU(UNITS), sequences, rng)

    @tf.function
    def second(training):
        x = tf.constant(sequences)
        with tf.GradientTape() as outer:
            outer.watch(x)
            with tf.GradientTape() as inner:
                inner.watch(x)
                loss = tf.reduce_sum(layer(x, training=training) ** 2)
            slope = tf.reduce_sum(inner.gradient(loss, x) ** 2)
        return outer.gradient(slope, x)

    assert np.abs(second(False)).max() > 0
    with pytest.raises(NotImplementedError, match=r"second derivative.*training=False"):
        second(True)


def test_a_masked_step_keeps_the_state(sequences, rng):
    layer = randomised(GRU(UNITS), sequences, rng)
    mask = np.ones((3, STEPS), bool)
    mask[:, 8:] = False
    for form in (mask, mask[..., None]):
        np.testing.assert_allclose(layer(sequences, mask=form), layer(sequences[:, :8]), atol=1e-6)


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
def test_what_does_not_fit_is_named(call, names):
    with pytest.raises(ValueError, match=names):
        call()


@pytest.mark.parametrize("start", [False, True])
@pytest.mark.parametrize(("update_gate", "reset_after"), CONVENTIONS)
def test_gates_are_those_of_the_papers_equations(update_gate, reset_after, start, sequences, rng):
    layer = GRU(UNITS, update_gate=update_gate, reset_after=reset_after, return_gates=True)
    layer.return_sequences = layer.return_state = start
    randomised(layer, sequences, rng)
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


def test_gates_come_from_a_trained_model_and_its_own_layers(sequences):
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


def test_masked_and_backward_sequences_have_gates_too(sequences, rng):
    layer = randomised(GRU(UNITS, return_gates=True, go_backwards=True), sequences, rng)
    mask = np.ones((3, STEPS), bool)
    mask[:, :4] = False  # read last
    _, z, _, _ = layer(sequences, mask=mask)
    forwards = GRU.from_keras(layer, go_backwards=False)
    _, expected, _, _ = forwards(sequences[:, :3:-1])
    np.testing.assert_allclose(z[:, : STEPS - 4], expected, atol=1e-6)


@pytest.mark.parametrize("update_gate", ["keep", "write"])
@pytest.mark.parametrize("options", [{}, {"reset_after": False}, {"use_bias": False}], ids=str)
def test_weights_travel_to_keras_and_back(update_gate, options, sequences, rng):
    layer = randomised(GRU(UNITS, update_gate=update_gate, **options), sequences, rng)
    theirs = layer.to_keras()
    assert type(theirs) is keras.layers.GRU
    np.testing.assert_allclose(theirs(sequences), layer(sequences), atol=1e-6)
    for convention in ("keep", "write"):
        back = GRU.from_keras(theirs, update_gate=convention)
        np.testing.assert_allclose(back(sequences), layer(sequences), atol=1e-6)
    again = GRU.from_keras(GRU.from_keras(layer, update_gate="write"), update_gate=update_gate)
    for one, other in zip(again.get_weights(), layer.get_weights(), strict=True):
        np.testing.assert_array_equal(one, other)


def test_a_stateful_or_unbuilt_layer_travels_too(sequences):
    layer = GRU(UNITS, stateful=True)
    layer(sequences)
    np.testing.assert_allclose(
        layer.to_keras()(sequences), GRU.from_keras(layer)(sequences), atol=1e-6
    )
    assert not GRU.from_keras(GRU(UNITS)).built


def torch_gru(x, state, suffix="l0"):
    """torch.nn.GRU by the formulas of its documentation, from its state dict, in float64."""
    W, U = (np.float64(state[f"weight_{kind}_{suffix}"]) for kind in ("ih", "hh"))
    b, c = (np.float64(state.get(f"bias_{k}_{suffix}", np.zeros(len(U)))) for k in ("ih", "hh"))
    (W_r, W_z, W_n), (U_r, U_z, U_n) = np.split(W, 3), np.split(U, 3)
    (b_r, b_z, b_n), (c_r, c_z, c_n) = np.split(b, 3), np.split(c, 3)
    h = np.zeros((len(x), U.shape[1]))
    for t in range(x.shape[1]):
        r = sigmoid(x[:, t] @ W_r.T + b_r + h @ U_r.T + c_r)
        z = sigmoid(x[:, t] @ W_z.T + b_z + h @ U_z.T + c_z)
        n = np.tanh(x[:, t] @ W_n.T + b_n + r * (h @ U_n.T + c_n))
        h = (1 - z) * n + z * h
    return h


@pytest.mark.parametrize("use_bias", [True, False])
@pytest.mark.parametrize("update_gate", ["keep", "write"])
def test_weights_travel_to_torch_and_back(update_gate, use_bias, sequences, rng):
    layer = GRU(UNITS, update_gate=update_gate, use_bias=use_bias)
    randomised(layer, sequences, rng)
    state = layer.to_torch("l1_reverse")
    assert {array.dtype for array in state.values()} == {np.dtype("float32")}
    found = torch_gru(sequences, state, "l1_reverse")
    np.testing.assert_allclose(found, layer(sequences), atol=2e-6)
    back = GRU.from_torch(state, "l1_reverse", update_gate=update_gate, name="back")
    assert (back.name, back.use_bias) == ("back", use_bias)
    for one, other in zip(back.get_weights(), layer.get_weights(), strict=True):
        np.testing.assert_array_equal(one, other)


def test_a_torch_layer_itself_gives_the_same_states(sequences):
    torch = pytest.importorskip("torch", reason="torch is not installed")
    theirs = torch.nn.GRU(FEATURES, UNITS, batch_first=True)
    with torch.no_grad():
        expected = theirs(torch.tensor(sequences))[0].numpy()
    ours = GRU.from_torch(theirs.state_dict(), return_sequences=True, update_gate="write")
    np.testing.assert_allclose(ours(sequences), expected, atol=1e-6)
    theirs.load_state_dict({k: torch.tensor(v) for k, v in ours.to_torch().items()})


def test_torch_has_no_layer_for_the_reset_gate_before(sequences):
    layer = GRU(UNITS, reset_after=False)
    layer(sequences)
    with pytest.raises(ValueError, match="reset_after=False"):
        layer.to_torch()


@pytest.fixture
def cudnn(monkeypatch):
    """A GPU, as far as Keras can see; its operator is stock arithmetic, and says that it ran."""
    calls = []

    def operator(inputs, h, kernel, recurrent, bias, mask, time_major, backwards, sequences):
        calls.append(mask)
        weights = [w.numpy() for w in (kernel, recurrent, bias)]
        x = inputs.numpy()[:, ::-1] if backwards else inputs.numpy()
        states = paper_gru(x, h.numpy(), weights, "keep", True).astype("float32")
        last = tf.constant(states[:, -1])
        return last, tf.constant(states if sequences else states[:, -1:]), [last]

    monkeypatch.setattr(keras_rnn, "_is_gpu_available", lambda: True)
    monkeypatch.setattr(keras_rnn, "_cudnn_gru", operator)
    return calls


@pytest.mark.parametrize("training", [False, True])
@pytest.mark.parametrize("options", [{}, {"go_backwards": True, "return_sequences": True}])
@pytest.mark.parametrize("update_gate", ["keep", "write"])
def test_cudnn_runs_with_the_weights_of_its_convention(
    update_gate, options, training, cudnn, sequences, rng
):
    layer = GRU(UNITS, update_gate=update_gate, **options)
    assert not layer.supports_jit
    randomised(layer, sequences, rng)
    cudnn.clear()
    found = layer(sequences, training=training)
    assert cudnn == [None]
    layer.use_cudnn = False
    np.testing.assert_allclose(found, layer(sequences), atol=2e-6)


class Leaky(GRUCell):
    def step(self, *arguments):
        h, gates = super().step(*arguments)
        return 0.9 * h, gates


@pytest.mark.parametrize(
    "options",
    [
        {"reset_after": False},
        {"use_bias": False},
        {"activation": "relu"},
        {"recurrent_activation": "hard_sigmoid"},
        {"recurrent_dropout": 0.5},
        {"unroll": True},
        {"return_gates": True},
        {"use_cudnn": False},
        {"implementation": 1, "dropout": 0.5},
    ],
    ids=str,
)
def test_nothing_that_cudnn_does_not_compute_goes_to_it(options, cudnn, sequences):
    layer = GRU(UNITS, **options)
    assert not layer.takes_cudnn(mask=None)
    layer(sequences, training=True)
    assert not cudnn
    if "use_cudnn" not in options:
        with pytest.raises(ValueError, match="use_cudnn=True"):
            GRU(UNITS, use_cudnn=True, **options)(sequences)


def test_a_mask_does_not_go_to_cudnn(cudnn, sequences):
    layer = GRU(UNITS)
    mask = np.zeros((3, STEPS), bool)  # on which the operator itself would fail
    np.testing.assert_array_equal(layer(sequences, mask=mask), np.zeros((3, UNITS)))
    assert not cudnn


@pytest.mark.parametrize("training", [False, True])
def test_a_changed_step_is_what_runs_on_a_gpu_and_in_training(training, cudnn, sequences):
    layer = GRU(UNITS)
    layer.cell = Leaky(UNITS)
    looped = keras.layers.RNN(Leaky(UNITS))
    looped(sequences)
    layer.build(sequences.shape)
    layer.set_weights(looped.get_weights())
    found = tf.function(layer)(sequences, training=training)
    np.testing.assert_allclose(found, looped(sequences), atol=1e-6)
    assert not cudnn
    for copy in (layer.get_config, layer.to_keras, lambda: GRU.from_keras(layer)):
        with pytest.raises(ValueError, match=r"cell.*Leaky"):
            copy()


@pytest.mark.gpu
@pytest.mark.skipif(not tf.config.list_physical_devices("GPU"), reason="there is no GPU")
@pytest.mark.parametrize("update_gate", ["keep", "write"])
def test_cudnn_and_the_loop_agree(update_gate, sequences, rng):
    layer = randomised(GRU(UNITS, update_gate=update_gate), sequences, rng)
    assert layer.takes_cudnn(mask=None)
    found = results(layer, sequences, training=True)
    layer.use_cudnn = False
    assert_same(found, results(layer, sequences, training=True))


@pytest.mark.parametrize("policy", ["mixed_float16", "mixed_bfloat16"])
def test_mixed_precision_computes_low_and_stores_high(policy, sequences, rng):
    layer = randomised(GRU(UNITS, dtype=policy, return_sequences=True), sequences, rng)
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
    randomised(ours, sequences, rng)
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
            GRU(UNITS, update_gate=update_gate, reset_after=reset_after),
            keras.layers.Dense(3),
        ]
    )
    operators, found = litert(model, sequences[:1])
    assert not [name for name in operators if name.startswith(("Flex", "CUSTOM"))]
    np.testing.assert_allclose(found, model(sequences[:1]), atol=1e-5)


@pytest.mark.parametrize(("update_gate", "level"), [("keep", 100.0), ("write", -100.0)])
def test_a_kept_state_is_unchanged_after_ten_thousand_steps(update_gate, level, rng):
    sequences = rng.normal(size=(1, 10_000, FEATURES)).astype(np.float32)
    layer = GRU(UNITS, update_gate=update_gate, return_gates=True)
    randomised(layer, sequences[:, :1], rng)
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


# Keras's own tests of its GRU, with ours in its place. They come with its wheel since 3.15.1.
try:
    _theirs = importlib.import_module("keras.src.layers.rnn.gru_test")
except ImportError:

    @pytest.mark.skip(reason="this version of Keras comes without its tests")
    def test_keras_own_tests_pass():
        """Stands in the report for the tests that cannot be run."""

else:
    _theirs.layers = types.SimpleNamespace(GRU=GRU)

    @pytest.mark.filterwarnings("default")  # as Keras runs them
    class TestAsKerasTestsItsGRU(_theirs.GRUTest):
        """Keras's own tests of its GRU, with ours in its place."""
