"""Compare recurrent cells: plain RNN, LSTM, and the GRU in both conventions of both gates.

    python training/compare.py --data speech_commands --out build/compare
    python training/compare.py --quick --out build/compare

Every cell learns the same task from the same batches, with the same optimizer and three seeds, once
at equal units and once at equal parameters. The task is the shared speech, in the network of the
preset `small` with the cell in place of its GRU; with --quick it is to say at the end of a sequence
which of four symbols began it. `compare.md` in the folder has the table, beside `accuracy.png` and
`gradients.png` (how much of the gradient of the loss reaches a state so many steps back).

Then the cells learn to name the first symbol at lags from 10 to 500 steps: `lags.md`, `lags.png`.
There are more of them there, as it is their start that decides: a plain RNN whose U is orthogonal,
as Keras has it, or not; and gates that begin nearly closed, in the time of the lag.
"""

import argparse
import os
import statistics
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import keras
import numpy as np
import tensorflow as tf
from ai_edge_litert.interpreter import Interpreter
from tqdm import tqdm

from benchmarks.timing import rounds
from speechgru import GRU
from training import plots
from training.clips import DataError
from training.files import write_text
from training.recipe import Augment, Recipe

CELLS: dict[str, Callable[..., Any]] = {
    "plain RNN": keras.layers.SimpleRNN,
    "LSTM": keras.layers.LSTM,
    "GRU, z keeps, r after": GRU,
    "GRU, z writes, r after": lambda units, **k: GRU(units, update_gate="write", **k),
    "GRU, z keeps, r before": lambda units, **k: GRU(units, reset_after=False, **k),
    "GRU, z writes, r before": lambda units, **k: GRU(
        units, update_gate="write", reset_after=False, **k
    ),
}
REFERENCE = "GRU, z keeps, r after"  # whose parameters the others are given
UNITS = 80
CONV_UNITS, CONV_WIDTH, CONV_STRIDE = 40, 5, 2  # one plain convolution before each cell
BATCH = 128
AUGMENT = Augment(speed=0.15, noise_share=0.8, snr_db=(-5, 25))  # as in docs/gru.md
LEARNT = 0.9
SYMBOLS, CHANNELS = 4, 8
LAGS = (10, 20, 50, 100, 200, 500)
LAG_UNITS, LAG_BATCH, LAG_RATE = 40, 64, 5e-3


class Slow(keras.initializers.Initializer):
    """Biases of gates that keep what they hold for 1 to `steps` steps (Tallec & Ollivier 2018,
    arXiv:1804.11188, section 3).

    Args:
        steps: the longest of these times, at least 2.
        gates: 3 for a GRU whose z keeps, 4 for an LSTM.
    """

    def __init__(self, steps: int, gates: int) -> None:
        self.steps, self.gates = steps, gates

    def __call__(self, shape: Any, dtype: Any = None) -> Any:
        units = shape[-1] // self.gates
        times = keras.random.uniform((units,), 1, self.steps)
        closed = keras.ops.log(times)
        zeros = keras.ops.zeros((2 * units,))
        if self.gates == 4:
            return keras.ops.concatenate([-closed, closed, zeros])
        row = keras.ops.concatenate([closed, zeros])
        return keras.ops.stack([row, keras.ops.zeros_like(row)])


def lag_cells(lag: int) -> dict[str, Callable[..., Any]]:
    """All cells as they are, and some with another start."""
    return {
        **CELLS,
        "plain RNN, U not orthogonal": lambda units, **k: keras.layers.SimpleRNN(
            units, recurrent_initializer="glorot_uniform", **k
        ),
        "LSTM, slow gates": lambda units, **k: keras.layers.LSTM(
            units, unit_forget_bias=False, bias_initializer=Slow(lag, 4), **k
        ),
        f"{REFERENCE}, slow gates": lambda units, **k: GRU(
            units, bias_initializer=Slow(lag, 3), **k
        ),
    }


class Recall:
    """Which of four symbols began a sequence that goes on with noise.

    Args:
        lag: steps from the symbol to the answer.
    """

    labels = SYMBOLS

    def __init__(self, lag: int) -> None:
        self.shape = (lag + 1, CHANNELS)
        self.validation = self.batch(np.random.default_rng(10**6), 1000)

    def batch(self, rng: np.random.Generator, size: int = BATCH) -> tuple[Any, Any]:
        answers = rng.integers(SYMBOLS, size=size)
        x = rng.normal(size=(size, *self.shape)).astype(np.float32)
        x[:, :, :SYMBOLS] = 0
        x[np.arange(size), 0, answers] = 1
        return x, answers

    def network(self, cell: Any) -> keras.Model:
        inputs = keras.Input(self.shape)
        return keras.Model(inputs, keras.layers.Dense(SYMBOLS, name="logits")(cell(inputs)))


class Speech:
    """Commands of a data folder, augmented, as MFCC."""

    def __init__(self, data: Path) -> None:
        from training.data import make_task
        from training.trainer import Trainer

        recipe = Recipe(preset="small", batch_size=BATCH, augment=AUGMENT)
        task = make_task(
            data,
            words=None,
            negative=None,
            synthetic=None,
            synthetic_weight=0.0,
            synthetic_share=0.0,
            seed=0,
        )
        self._trainer, self.labels = Trainer(task, recipe), len(task.labels)
        self._trainer.adapt(np.random.default_rng(0))
        model = self._trainer.networks[0].model
        self._scale, self.shape = model.get_layer("scale"), model.get_layer("mfcc").output.shape[1:]
        clips = task.validation.astype(np.float32) / 32768
        front_end = self._trainer.front_end
        parts = [front_end(part) for part in np.array_split(clips, -(-len(clips) // 256))]
        self.validation = np.concatenate(parts), task.answers
        self._features = tf.function(self._augmented)

    def _augmented(self, clips: Any, answers: Any, number: Any) -> Any:
        audio, _ = self._trainer.augmented(clips, answers, (7, number))
        return self._trainer.front_end(audio)

    def batch(self, rng: np.random.Generator) -> tuple[Any, Any]:
        rows, answers = self._trainer.draw(rng)
        number = tf.constant(int(rng.integers(2**31 - 1)), tf.int32)
        return self._features(self._trainer.task.clips[rows], answers, number), answers

    def network(self, cell: Any) -> keras.Model:
        inputs = keras.Input(self.shape)
        mean, variance = (np.ravel(v) for v in (self._scale.mean, self._scale.variance))
        scale = keras.layers.Normalization(mean=mean, variance=variance)
        x = keras.layers.ZeroPadding1D((CONV_WIDTH - CONV_STRIDE, 0))(scale(inputs))
        x = keras.layers.Conv1D(CONV_UNITS, CONV_WIDTH, strides=CONV_STRIDE, activation="relu")(x)
        return keras.Model(inputs, keras.layers.Dense(self.labels, name="logits")(cell(x)))


class Learner:
    """A network of one cell, in training."""

    def __init__(
        self,
        task: Any,
        name: str,
        units: int,
        seed: int,
        *,
        rate: float = 2e-3,
        cells: dict[str, Callable[..., Any]] | None = None,
    ) -> None:
        keras.utils.set_random_seed(seed)
        self.name, self.units = name, units
        self.layer = (cells or CELLS)[name](units, name="cell")
        self.model = task.network(self.layer)
        self.optimizer = keras.optimizers.Adam(rate)
        self.optimizer.build(self.model.trainable_variables)
        self.history: list[float] = []
        self.seconds: list[float] = []
        self._step = tf.function(self._gradient_step)
        self._answer = tf.function(lambda x: self.model(x, training=False))

    def _gradient_step(self, x: Any, answers: Any) -> Any:
        with tf.GradientTape() as tape:
            logits = self.model(x, training=True)
            loss = tf.nn.sparse_softmax_cross_entropy_with_logits(answers, logits)
            loss = tf.reduce_mean(loss)
        weights = self.model.trainable_variables
        gradients, _ = tf.clip_by_global_norm(tape.gradient(loss, weights), 1.0)
        self.optimizer.apply(gradients, weights)
        return loss

    def learn(self, x: Any, answers: Any) -> None:
        began = time.perf_counter()
        self._step(x, tf.constant(answers)).numpy()
        self.seconds.append(time.perf_counter() - began)

    def validate(self, task: Any) -> float:
        x, answers = task.validation
        parts = np.array_split(np.arange(len(answers)), -(-len(answers) // 256))
        right = [self._answer(tf.constant(x[p])).numpy().argmax(1) == answers[p] for p in parts]
        self.history.append(float(np.mean(np.concatenate(right))))
        return self.history[-1]

    def parameters(self) -> int:
        return sum(int(np.prod(w.shape)) for w in self.model.trainable_weights)

    def multiply_adds(self) -> int:
        """Of the cell, in a whole sequence."""
        steps = self.layer.input.shape[1]
        return steps * sum(
            int(np.prod(w.shape)) for w in self.layer.weights if w.path.endswith("kernel")
        )

    def gradient_norms(self, x: Any, answers: Any) -> Any:
        """Norm of d loss / d state t for every step t, the median over the batch, (steps,)."""
        cell = self.layer.cell
        before = keras.Model(self.model.input, self.layer.input)
        head = self.model.get_layer("logits")
        inputs = tf.convert_to_tensor(before(x))
        with tf.GradientTape() as tape:
            states = [tf.zeros((len(x), n)) for n in keras.tree.flatten(cell.state_size)]
            tape.watch(states)
            passed = []
            for t in range(inputs.shape[1]):
                _, states = cell(inputs[:, t], list(states))
                # Copies: the LSTM's h is made from its c, and counts once.
                states = [tf.identity(state) for state in states]
                passed.append(states)
            logits = head(states[0])
            loss = tf.nn.sparse_softmax_cross_entropy_with_logits(answers, logits)
            loss = tf.reduce_sum(loss)
        gradients = tape.gradient(loss, passed)
        norms = [
            tf.norm(tf.concat([g for g in own if g is not None], axis=1), axis=1)
            for own in gradients
        ]
        return np.median(np.stack(norms), axis=1)


def units_for(task: Any, name: str, parameters: int) -> int:
    """Units with which a network of this cell has about so many parameters."""
    sizes = (1, 16, 32)  # for a n^2 + b n + c
    a, b, c = np.polyfit(sizes, [Learner(task, name, n, 0).parameters() for n in sizes], 2)
    return round((-b + np.sqrt(b * b - 4 * a * (c - parameters))) / (2 * a))


def compete(task: Any, seeds: int, epochs: int, steps: int) -> list[list[Learner]]:
    """Every cell at both sizes, all from the same batches: for each a learner a seed."""
    goal = Learner(task, REFERENCE, UNITS, 0).parameters()
    sizes = [(name, UNITS) for name in CELLS]
    sizes += [(name, units) for name in CELLS if (units := units_for(task, name, goal)) != UNITS]
    teams: list[list[Learner]] = [[] for _ in sizes]
    bar = tqdm(total=seeds * epochs * steps, unit="step", disable=None)
    began = time.monotonic()
    for seed in range(seeds):
        rng = np.random.default_rng(seed)
        learners = [Learner(task, name, units, seed) for name, units in sizes]
        for _ in range(epochs):
            for _ in range(steps):
                batch = task.batch(rng)
                for learner in learners:
                    learner.learn(*batch)
                bar.update()
            for learner in learners:
                learner.validate(task)
        for team, learner in zip(teams, learners, strict=True):
            team.append(learner)
        if bar.disable:
            print(f"seed {seed + 1} of {seeds}: {time.monotonic() - began:.0f} s", flush=True)
    bar.close()
    return teams


def lag_accuracies(lags: Sequence[int], seeds: int, steps: int) -> dict[str, list[list[float]]]:
    """For each cell and lag the accuracy of each seed after `steps`, or once it is learnt."""
    found: dict[str, list[list[float]]] = {name: [[] for _ in lags] for name in lag_cells(2)}
    runs = [
        (place, name, seed) for place in range(len(lags)) for name in found for seed in range(seeds)
    ]
    for place, name, seed in tqdm(runs, "lags", disable=None):
        task, rng = Recall(lags[place]), np.random.default_rng(seed)
        cells = lag_cells(lags[place])
        learner = Learner(task, name, LAG_UNITS, seed, rate=LAG_RATE, cells=cells)
        for step in range(1, steps + 1):
            learner.learn(*task.batch(rng, LAG_BATCH))
            if step % 50 == 0 and learner.validate(task) > 0.999:
                break
        found[name][place].append(learner.validate(task))
    return found


def exported(learner: Learner) -> tuple[int, float]:
    """Bytes of the network as .tflite with int8 weights, and ms a sequence."""
    from export import flatbuffer
    from export.convert import converted

    module = tf.Module()
    module.held = [w.value for w in learner.model.weights]
    spec = tf.TensorSpec((1, *learner.model.input_shape[1:]), name="x")
    run = tf.function(lambda x: {"y": learner.model(x, training=False)}).get_concrete_function(spec)
    packed = flatbuffer.pack(flatbuffer.load(converted(module, {"run": run}, dynamic=True)))
    runner = Interpreter(model_content=packed, num_threads=1).get_signature_runner("run")
    x = np.zeros(spec.shape, np.float32)
    seconds = rounds({"": lambda: runner(x=x)}, 100)[""]
    return len(packed), 1e3 * statistics.median(seconds)


def table(teams: list[list[Learner]], of: str) -> str:
    """Markdown: a row for each cell at each size."""
    head = ["cell", "units", "parameters", "multiply-adds", "accuracy", f"epochs to {LEARNT:.0%}"]
    rows = [[*head, "ms a step", "bytes, int8 weights", "ms a sequence"]]
    for team in teams:
        first = team[0]
        last = [learner.history[-1] for learner in team]
        reached = [
            next((i + 1 for i, a in enumerate(o.history) if a >= LEARNT), None) for o in team
        ]
        known = [epoch for epoch in reached if epoch]
        epochs = f"{np.mean(known):.1f}" if len(known) == len(team) else "not reached"
        if known and len(known) < len(team):
            epochs = f"{np.mean(known):.1f}, {len(known)} of {len(team)} seeds"
        size, latency = exported(first)
        seconds = [s for learner in team for s in learner.seconds[1:]]  # the first traces
        rows.append(
            [
                first.name,
                f"{first.units}",
                f"{first.parameters():,}",
                f"{first.multiply_adds():,}",
                f"{np.mean(last):.2%} ± {np.std(last, ddof=len(last) > 1):.2%}",
                epochs,
                f"{1e3 * statistics.median(seconds):.1f}",
                f"{size:,}",
                f"{latency:.3f}",
            ]
        )
    return markdown(rows, f"{len(teams[0])} seeds, {of}")


def markdown(rows: Sequence[Sequence[str]], caption: str) -> str:
    lines = [f"| {' | '.join(row)} |" for row in rows]
    return "\n".join([lines[0], "|" + "---|" * len(rows[0]), *lines[1:], "", caption + "."])


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    add = parser.add_argument
    add("--data", type=Path, metavar="DIR", help="folder of <word>/*.wav (default: downloaded)")
    add("--quick", action="store_true", help="symbols in place of speech, and short lags")
    add("--out", type=Path, default=Path("build/compare"), metavar="DIR", help="for the results")
    add("--seeds", type=int, default=3)
    add("--epochs", type=int, default=15)
    add("--steps", type=int, default=200, help="batches of an epoch")
    add("--lag-steps", type=int, default=1000, help="batches at each lag")
    add("--only", choices=("cells", "lags"), help="one of the two parts (default: both)")
    parsed = parser.parse_args(arguments)
    if min(parsed.seeds, parsed.epochs, parsed.steps, parsed.lag_steps) < 1:
        parser.error("--seeds, --epochs, --steps and --lag-steps: expected at least 1")
    tf.get_logger().setLevel("ERROR")  # it warns that every learner has a graph of its own
    from export.convert import ExportError
    from training.download import DownloadError, speech_commands

    try:
        parsed.out.mkdir(parents=True, exist_ok=True)
        if parsed.only != "lags":
            task = Recall(20) if parsed.quick else Speech(parsed.data or speech_commands())
            report_cells(task, parsed.out, parsed.seeds, parsed.epochs, parsed.steps)
        if parsed.only != "cells":
            lags = LAGS[:3] if parsed.quick else LAGS
            report_lags(lags, parsed.out, parsed.seeds, parsed.lag_steps)
    except KeyboardInterrupt:
        return 130
    except (DataError, DownloadError, ExportError, OSError, MemoryError) as error:
        print(f"compare.py: {' '.join(str(error).split())}", file=sys.stderr)
        return 2
    print(parsed.out)
    return 0


def report_cells(task: Any, out: Path, seeds: int, epochs: int, steps: int) -> None:
    """Let the cells compete; write compare.md, accuracy.png and gradients.png."""
    rows = np.random.default_rng(0).permutation(len(task.validation[1]))[:64]
    x, answers = (values[rows] for values in task.validation)
    norms: dict[str, dict[str, Any]] = {"untrained": {}, "trained": {}}
    for name in CELLS:
        norms["untrained"][name] = Learner(task, name, UNITS, 0).gradient_norms(x, answers)
    teams = compete(task, seeds, epochs, steps)
    for team in teams[: len(CELLS)]:
        norms["trained"][team[0].name] = team[0].gradient_norms(x, answers)
    curves = {f"{team[0].name}, {team[0].units} units": [o.history for o in team] for team in teams}
    plots.cells(curves, norms, out)
    text = table(teams, f"{epochs} epochs of {steps} batches of {BATCH}")
    pictures = ["![Validation accuracy](accuracy.png)", "![Gradient norms](gradients.png)"]
    write_text(out / "compare.md", "\n\n".join([text, reach(norms), *pictures]) + "\n")


def reach(norms: dict[str, dict[str, Any]]) -> str:
    """Markdown: the part of the last state's gradient that reaches the first, for each cell."""
    rows = [["cell", *norms]]
    for name in CELLS:
        rows.append([name, *(f"{own[name][0] / own[name][-1]:.1e}" for own in norms.values())])
    steps = len(next(iter(norms["trained"].values()))) - 1
    return markdown(rows, f"gradient by the state {steps} steps back, over that by the last state")


def report_lags(lags: Sequence[int], out: Path, seeds: int, steps: int) -> None:
    """Let the cells remember; write lags.md and lags.png."""
    accuracies = lag_accuracies(lags, seeds, steps)
    rows = [["cell", *(f"lag {lag}" for lag in lags)]]
    for name, by_lag in accuracies.items():
        rows.append([name, *(f"{np.mean(a):.0%} ({min(a):.0%})" for a in by_lag)])
    text = markdown(
        rows,
        f"accuracy on the first of four symbols, mean (worst) of {seeds} seeds after at most "
        f"{steps} batches of {LAG_BATCH}, {LAG_UNITS} units; chance is 25 %",
    )
    plots.lags(accuracies, lags, out / "lags.png")
    write_text(out / "lags.md", f"{text}\n\n![Accuracy at each lag](lags.png)\n")


if __name__ == "__main__":
    sys.exit(main())
