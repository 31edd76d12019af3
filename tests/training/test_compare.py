"""The comparison of cells: counts, gradients, and a run of the whole."""

import numpy as np
import pytest
import tensorflow as tf

from training.compare import main
from training.comparison.cells import CELLS, REFERENCE, lag_cells
from training.comparison.experiments import units_for
from training.comparison.learner import Learner
from training.comparison.tasks import Recall, Speech


def test_the_first_symbol_alone_tells_the_answer():
    x, answers = Recall(20).batch(np.random.default_rng(0))
    np.testing.assert_array_equal(x[:, 0, :4].argmax(axis=1), answers)
    assert not x[:, 1:, :4].any()


@pytest.mark.parametrize(
    ("name", "gates"),
    [("plain RNN", 1), ("LSTM", 4), (REFERENCE, 3), ("GRU, z keeps, r before", 3)],
)
def test_parameters_and_products_are_those_of_the_formulas(name, gates):
    learner = Learner(Recall(9), name, 16, 0)
    products = gates * (8 * 16 + 16 * 16)
    biases = 6 * 16 if name == REFERENCE else gates * 16
    assert learner.parameters() == products + biases + 4 * (16 + 1)
    assert learner.multiply_adds() == 10 * products


@pytest.mark.parametrize("name", CELLS)
def test_units_are_chosen_for_equal_parameters(name):
    units = units_for(Recall(5), name, 20_000)
    near = [Learner(Recall(5), name, units + more, 0).parameters() for more in (-1, 0, 1)]
    assert min(near, key=lambda n: abs(n - 20_000)) == near[1]


@pytest.mark.parametrize("name", ["plain RNN", "LSTM", REFERENCE])
def test_gradient_norms_are_those_of_small_changes(name):
    task = Recall(4)
    learner = Learner(task, name, 8, 0)
    x, answers = task.batch(np.random.default_rng(0), 1)
    cell, head = learner.layer.cell, learner.model.get_layer("logits")

    def loss(states, start):
        for t in range(start, 5):
            _, states = cell(tf.constant(x[:, t]), states)
        logits = head(states[0])
        return float(tf.nn.sparse_softmax_cross_entropy_with_logits(answers, logits)[0])

    states = [tf.zeros((1, n)) for n in tf.nest.flatten(cell.state_size)]
    for t in range(2):
        _, states = cell(tf.constant(x[:, t]), states)
    slopes = []
    for place, state in enumerate(states):
        for unit in range(8):
            change = 1e-2 * tf.one_hot([unit], 8)
            sides = [
                loss([*states[:place], state + side * change, *states[place + 1 :]], 2)
                for side in (1, -1)
            ]
            slopes.append((sides[0] - sides[1]) / 2e-2)
    assert learner.gradient_norms(x, answers)[1] == pytest.approx(np.linalg.norm(slopes), rel=1e-2)


def test_a_run_writes_tables_and_pictures(monkeypatch, tmp_path):
    few = {name: CELLS[name] for name in ("plain RNN", "LSTM", REFERENCE)}
    monkeypatch.setattr("training.comparison.cells.CELLS", few)
    monkeypatch.setattr("training.comparison.experiments.LAGS", (3, 5))
    arguments = ["--quick", "--seeds", "2", "--epochs", "1", "--steps", "2"]
    arguments += ["--lag-steps", "2"]
    assert main([*arguments, "--out", str(tmp_path)]) == 0
    lines = (tmp_path / "compare.md").read_text().splitlines()
    assert [line.split(" | ")[0] for line in lines[2:6]] == [f"| {n}" for n in (*few, "plain RNN")]
    assert sum(line.startswith("| plain RNN") for line in lines) == 3
    lags = (tmp_path / "lags.md").read_text()
    assert [line.split(" | ")[0] for line in lags.splitlines()[2:8]] == [
        f"| {name}" for name in lag_cells(5)
    ]
    for name in ("accuracy", "gradients", "lags"):
        assert (tmp_path / f"{name}.png").read_bytes().startswith(b"\x89PNG")


@pytest.mark.parametrize("name", ["LSTM, slow gates", f"{REFERENCE}, slow gates"])
def test_slow_gates_keep_for_up_to_the_lag(name):
    cells = lag_cells(50)
    layer = Learner(Recall(50), name, 400, 0, cells=cells).layer
    bias = layer.cell.bias.numpy()
    keeps = bias[0, :400] if bias.ndim == 2 else bias[400:800]
    times = 1 / (1 - 1 / (1 + np.exp(-keeps)))  # a state falls to 1/e in so many steps
    assert 2 <= times.min() < 4
    assert 45 < times.max() <= 51
    others = np.delete(bias[0], np.s_[:400]) if bias.ndim == 2 else bias[800:]
    assert not others.any()


def test_speech_is_learnt_with_any_cell(word_folder):
    task = Speech(word_folder)
    learner = Learner(task, "LSTM", 16, 0, rate=1e-2)
    rng = np.random.default_rng(0)
    for _ in range(10):
        learner.learn(*task.batch(rng))
    assert learner.validate(task) > 0.5


def test_a_folder_without_sound_is_one_line(tmp_path, capsys):
    assert main(["--data", str(tmp_path), "--out", str(tmp_path / "out")]) == 2
    assert capsys.readouterr().err.count("\n") == 1
