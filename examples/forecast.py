"""Forecast a chaotic series with speechgru.GRU, against the last value as the forecast.

    python examples/forecast.py

The series is that of Mackey and Glass 1977 (Science 197:287), sampled once a unit of time:
dx/dt = 0.2 x(t-17) / (1 + x(t-17)^10) - 0.1 x. From 100 values the network forecasts the one 10
units later. It learns from the first part of the series and forecasts the last 1,000 values, where
its error is a seventh of the baseline's (RMSE 0.040 and 0.281).
"""

import argparse
import os

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

import keras
import numpy as np

from speechgru import GRU

STEPS, AHEAD, TEST = 100, 10, 1000


def mackey_glass(length: int, delay: int = 17, substeps: int = 10, seed: int = 0) -> np.ndarray:
    """The series by Euler's method, without its first 500 values, (length,)."""
    past = delay * substeps
    x = np.full((length + 500) * substeps + past, 1.2)
    x[:past] += 0.1 * np.random.default_rng(seed).normal(size=past)
    for t in range(past, x.size):
        late = x[t - past]
        x[t] = x[t - 1] + (0.2 * late / (1 + late**10) - 0.1 * x[t - 1]) / substeps
    return x[past + 500 * substeps :: substeps]


def windows(series: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Every run of STEPS values, (n, STEPS, 1), and the value AHEAD of its end, (n, 1)."""
    runs = np.lib.stride_tricks.sliding_window_view(series[:-AHEAD], STEPS)
    return runs[..., None].astype("float32"), series[STEPS + AHEAD - 1 :, None].astype("float32")


def main(arguments: list[str] | None = None) -> float:
    """Train and compare; returns the network's error as a part of the baseline's."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--length", type=int, default=6000, help="values of the series")
    parser.add_argument("--epochs", type=int, default=5)
    parsed = parser.parse_args(arguments)
    keras.utils.set_random_seed(0)
    series = mackey_glass(parsed.length)
    x, y = windows(series[:-TEST])
    test_x, test_y = windows(series[-TEST:])
    # The network forecasts the change: without any learning it is the baseline.
    inputs = keras.Input((STEPS, 1))
    change = keras.layers.Dense(1, kernel_initializer="zeros")(GRU(32)(inputs - x.mean()))
    model = keras.Model(inputs, inputs[:, -1] + change)
    model.compile(keras.optimizers.Adam(5e-3), "mse")
    model.fit(x, y, batch_size=64, epochs=parsed.epochs, verbose=0)

    def rmse(guess: np.ndarray) -> float:
        return float(np.sqrt(np.mean(np.square(guess - test_y))))

    network, last = rmse(model.predict(test_x, verbose=0)), rmse(test_x[:, -1])
    print(f"{AHEAD} ahead, RMSE: network {network:.4f}, last value {last:.4f}")
    return network / last


if __name__ == "__main__":
    main()
