"""Forecast a chaotic time series with speechgru.GRU.

    python examples/forecast.py

The series is that of Mackey and Glass 1977 (Science 197:287), with one value per unit of time:
dx/dt = 0.2 x(t-17) / (1 + x(t-17)^10) - 0.1 x. The network reads 100 values and forecasts the
value 10 units after the last one. The baseline forecasts the last value itself. On the last 1,000
values of the series, which are not used for training, the RMSE is 0.040 for the network and 0.281
for the baseline.
"""

import argparse
import os

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

import keras
import numpy as np

from speechgru import GRU

STEPS, AHEAD, TEST_LENGTH = 100, 10, 1000


def mackey_glass(length: int, delay: int = 17, substeps: int = 10, seed: int = 0) -> np.ndarray:
    """Integrate the equation by Euler's method, and drop the first 500 units of time.

    Args:
        length: number of values.
        delay: delay of the equation, in units of time. Default 17.
        substeps: steps of integration per unit of time. Default 10.
        seed: random seed of the initial values. Default 0.

    Returns:
        float64, shape (length,).
    """
    start = delay * substeps
    x = np.full((length + 500) * substeps + start, 1.2)
    x[:start] += 0.1 * np.random.default_rng(seed).normal(size=start)
    for t in range(start, x.size):
        delayed = x[t - start]
        x[t] = x[t - 1] + (0.2 * delayed / (1 + delayed**10) - 0.1 * x[t - 1]) / substeps
    return x[start + 500 * substeps :: substeps]


def windows(series: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Cut a series into inputs (n, STEPS, 1) and targets (n, 1), the values AHEAD of their end."""
    inputs = np.lib.stride_tricks.sliding_window_view(series[:-AHEAD], STEPS)
    return inputs[..., None].astype("float32"), series[STEPS + AHEAD - 1 :, None].astype("float32")


def build_network(mean: float) -> keras.Model:
    """A GRU that forecasts the change. It starts with zero weights, that is, as the baseline."""
    inputs = keras.Input((STEPS, 1))
    change = keras.layers.Dense(1, kernel_initializer="zeros")(GRU(32)(inputs - mean))
    model = keras.Model(inputs, inputs[:, -1] + change)
    model.compile(keras.optimizers.Adam(5e-3), "mse")
    return model


def main(arguments: list[str] | None = None) -> float:
    """Train the network, print both errors, and return their ratio, network to baseline."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--length", type=int, default=6000, help="number of values of the series")
    parser.add_argument("--epochs", type=int, default=5)
    options = parser.parse_args(arguments)
    keras.utils.set_random_seed(0)
    series = mackey_glass(options.length)
    x, y = windows(series[:-TEST_LENGTH])
    test_x, test_y = windows(series[-TEST_LENGTH:])
    model = build_network(x.mean())
    model.fit(x, y, batch_size=64, epochs=options.epochs, verbose=0)

    def rmse(forecast: np.ndarray) -> float:
        return float(np.sqrt(np.mean(np.square(forecast - test_y))))

    network, baseline = rmse(model.predict(test_x, verbose=0)), rmse(test_x[:, -1])
    print(f"RMSE of the forecast {AHEAD} ahead: network {network:.4f}, last value {baseline:.4f}")
    return network / baseline


if __name__ == "__main__":
    main()
