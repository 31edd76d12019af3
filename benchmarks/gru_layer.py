"""Time of the GRU layer: a training step, and one sequence in LiteRT.

    python benchmarks/gru_layer.py [--units N ...] [--rounds N]

It uses a GPU if there is one. Every run is timed until the device has finished. In every round each
layer runs once, so that a change of the machine's speed affects all of them. The ratios to
keras.layers.GRU are computed for each round. PyTorch is included if it is installed. Each library
keeps its own default for TF32. LiteRT always runs on one core of the CPU.
"""

import argparse
import os
import statistics
from collections.abc import Callable
from typing import Any

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import keras
import numpy as np
import tensorflow as tf
from ai_edge_litert.interpreter import Interpreter

from speechgru import GRU
from training.comparison.timing import rounds, synchronised
from training.loop.devices import Device, choose_device

BATCH, STEPS, FEATURES = 128, 98, 40

Run = Callable[[], Any]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--units", type=int, nargs="+", default=[64, 128, 256])
    parser.add_argument("--rounds", type=int, default=25, help="number of runs of every layer")
    options = parser.parse_args()

    device = choose_device("auto")
    size = 8192 if device.is_gpu else 2048
    speed = matrix_product_speed(size)
    print(f"{device.name}, product of two {size} x {size} matrices: {speed:.0f} GFLOP/s")
    sequences = np.random.default_rng(0).normal(size=(BATCH, STEPS, FEATURES)).astype("float32")
    for units in options.units:
        # Forward: x W and h U. Gradient: the products for W and U, and one with U transposed.
        gflop = 2 * BATCH * STEPS * 3 * units * (2 * FEATURES + 3 * units) / 1e9
        print(f"\nTraining step, {BATCH} x {STEPS} x {FEATURES}, {units} units, {gflop:.2f} GFLOP")
        print_table(rounds(training_steps(units, sequences, device), options.rounds), gflop, speed)
    for units in options.units:
        print(f"\nLiteRT on the CPU, {STEPS} x {FEATURES}, one thread, {units} units")
        print_table(rounds(litert_models(units, sequences[:1]), 10 * options.rounds))


def matrix_product_speed(size: int) -> float:
    """GFLOP/s of the product of two large square matrices, as a reference."""
    matrix = tf.random.normal((size, size))
    product = tf.function(lambda: tf.matmul(matrix, matrix)[0, 0])
    return 2 * size**3 / statistics.median(rounds({"": synchronised(product)}, 9)[""]) / 1e9


def training_steps(units: int, sequences: np.ndarray, device: Device) -> dict[str, Run]:
    """The layers by name. On a GPU, those without "loop" and XLA use cuDNN if they can."""
    # XLA cannot compile cuDNN's operator.
    keras_loop = keras.layers.GRU(units, use_cudnn=False)
    steps = {
        "keras.layers.GRU": training_step(keras.layers.GRU(units), sequences),
        "keras.layers.GRU, XLA": training_step(keras_loop, sequences, xla=True),
        "speechgru.GRU": training_step(GRU(units), sequences),
        "speechgru.GRU, XLA": training_step(GRU(units, use_cudnn=False), sequences, xla=True),
        "speechgru.GRU, write": training_step(GRU(units, update_gate="write"), sequences),
        "speechgru.GRU, reset before": training_step(GRU(units, reset_after=False), sequences),
    }
    if device.is_gpu:
        steps["speechgru.GRU, loop"] = training_step(GRU(units, use_cudnn=False), sequences)
    return steps | torch_step(units, sequences)


def training_step(layer: Any, sequences: np.ndarray, xla: bool = False) -> Run:
    """Compute the mean square of the last state and its gradients by all weights."""
    layer.build(sequences.shape)
    weights = [w.value for w in layer.trainable_weights]
    sequences = tf.constant(sequences)

    @tf.function(jit_compile=xla)
    def step() -> Any:
        with tf.GradientTape() as tape:
            loss = tf.reduce_mean(layer(sequences, training=True) ** 2)
        return tape.gradient(loss, weights)

    return synchronised(step)


def torch_step(units: int, sequences: np.ndarray) -> dict[str, Run]:
    """The same training step in PyTorch; empty if PyTorch is not installed."""
    try:
        import torch
    except ImportError:
        return {}
    device = "cuda" if torch.cuda.is_available() else "cpu"
    layer = torch.nn.GRU(FEATURES, units, batch_first=True, device=device)
    inputs = torch.tensor(sequences, device=device)

    def step() -> None:
        layer.zero_grad()
        (layer(inputs)[1] ** 2).mean().backward()
        if device == "cuda":
            torch.cuda.synchronize()

    return {f"torch.nn.GRU, {device}": step}


def litert_models(units: int, sequence: np.ndarray) -> dict[str, Run]:
    models = {}
    for kind, optimizations in (("", []), (", int8 weights", [tf.lite.Optimize.DEFAULT])):
        # LiteRT has no operator of cuDNN.
        for layer in (keras.layers.GRU(units, use_cudnn=False), GRU(units, use_cudnn=False)):
            name = f"{type(layer).__module__.split('.')[0]} GRU{kind}"
            models[name] = litert_model(layer, sequence, optimizations)
    return models


def litert_model(layer: Any, sequence: np.ndarray, optimizations: list[Any]) -> Run:
    """Convert the layer and a dense layer; run them on one sequence.

    TensorFlow's converter is used directly, so that both layers are converted the same way.
    """
    inputs = keras.Input(batch_shape=sequence.shape)
    model = keras.Model(inputs, keras.layers.Dense(12)(layer(inputs)))
    module = tf.Module()
    module.held = [w.value for w in model.weights]
    run = tf.function(lambda x: {"y": model(x)}, input_signature=[tf.TensorSpec(sequence.shape)])
    converter = tf.lite.TFLiteConverter.from_concrete_functions(
        [run.get_concrete_function()], module
    )
    converter.optimizations = optimizations
    interpreter = Interpreter(model_content=converter.convert(), num_threads=1)
    runner = interpreter.get_signature_runner()
    return lambda: runner(x=sequence)


def print_table(seconds: dict[str, list[float]], gflop: float = 0, speed: float = 0) -> None:
    """Print medians, and medians of the ratios to the Keras layer of the same kind."""
    for name, values in seconds.items():
        kind = name.partition(", int8")[1]
        base = next(v for n, v in seconds.items() if n.startswith("keras") and kind in n)
        ratio = statistics.median(a / b for a, b in zip(values, base, strict=True))
        median = statistics.median(values)
        share = f"   {100 * gflop / median / speed:3.0f} % of the product's speed" if gflop else ""
        print(f"{name:28} median {1e3 * median:8.3f} ms   ratio {ratio:.2f}{share}")


if __name__ == "__main__":
    main()
