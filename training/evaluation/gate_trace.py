"""What the GRUs of a model do during a clip: the data of the figure in `gates`."""

import dataclasses
from pathlib import Path

import keras
import numpy as np
import numpy.typing as npt

import speechgru
from speechgru import modelfile
from speechgru.gru import GRU
from speechgru.modelfile import BUNDLED, ModelError
from training.output.tables import plain_table
from training.run_files.trained_model import load_trained

FloatArray = npt.NDArray[np.float32]
TABLE_ROWS = 5


@dataclasses.dataclass(frozen=True)
class GRUTrace:
    """Gates and states of one GRU at every step, float32 (steps, units) each.

    Attributes:
        z: update gate; near 1 the candidate is written.
        r: reset gate; near 0 the candidate ignores the previous state.
        candidate: candidate state.
        h: state.
    """

    z: FloatArray
    r: FloatArray
    candidate: FloatArray
    h: FloatArray


@dataclasses.dataclass(frozen=True)
class GateTrace:
    """What happens in a model during a clip.

    Attributes:
        samples: the audio, (samples,).
        log_mel: its spectrogram in dB, (frames, bands).
        layers: the GRUs, first to last.
        probabilities: of each label after every step, (steps, labels).
        step_seconds: duration of a step.
    """

    samples: FloatArray
    log_mel: FloatArray
    layers: list[GRUTrace]
    probabilities: FloatArray
    step_seconds: float


def load_gru_model(model: str) -> tuple[keras.Model, tuple[str, ...]]:
    """Load a model whose gates can be traced.

    Args:
        model: the name of a bundled model, a run's folder or a .keras file.

    Returns:
        The Keras model, and its labels.

    Raises:
        ModelError: there is no such model.
    """
    if model in BUNDLED:
        return speechgru.load_model(model), modelfile.read(BUNDLED[model]).labels
    if model.endswith(".tflite"):
        raise ModelError(f"{model}: expected a run's folder or a .keras file, found a .tflite file")
    keras_model, metrics = load_trained(Path(model), streams=True)
    return keras_model, tuple(metrics["labels"])


def trace_gates(model: keras.Model, samples: FloatArray) -> GateTrace:
    """Run a model of `speechgru.build_model` on one window, and record its GRUs.

    Args:
        model: the model.
        samples: float32, (window,), in [-1, 1].
    """
    front_end = model.get_layer("mfcc")
    log_mel = front_end.log_mel(samples[None])
    x = front_end.dct(log_mel)
    for name in ("scale", "past", "conv"):
        x = model.get_layer(name)(x)
    layers = []
    for gru in (layer for layer in model.layers if isinstance(layer, GRU)):
        # Its weights in the convention of Chung 2014, where z near 1 writes.
        traced = GRU.from_keras(gru, update_gate="write", return_gates=True, return_sequences=True)
        x, *gates = traced(x)
        layers.append(GRUTrace(*(np.asarray(values[0]) for values in (*gates, x))))
    probabilities = np.asarray(keras.ops.softmax(model.get_layer("logits")(x))[0])
    step_seconds = samples.size / front_end.config.sample_rate / len(probabilities)
    return GateTrace(samples, np.asarray(log_mel[0]), layers, probabilities, step_seconds)


def gate_table(trace: GateTrace, labels: tuple[str, ...]) -> str:
    """Return a table for the terminal with a row for each fifth of the clip.

    z and r are means over steps and units. The norm of h, the label and its probability are those
    at the end of the fifth.
    """
    header = ["seconds", "level, dB"]
    for number in range(1, len(trace.layers) + 1):
        header += [f"z {number}", f"r {number}", f"|h| {number}"]
    rows = [[*header, "label", "probability"]]
    samples_per_step = len(trace.samples) / len(trace.probabilities)
    for steps in np.array_split(np.arange(len(trace.probabilities)), TABLE_ROWS):
        last = int(steps[-1])
        part = trace.samples[int(steps[0] * samples_per_step) : int((last + 1) * samples_per_step)]
        level = 10 * np.log10(max(float(np.mean(np.square(part))), 1e-10))
        row = [f"{(last + 1) * trace.step_seconds:.2f}", f"{level:.0f}"]
        for layer in trace.layers:
            row += [f"{layer.z[steps].mean():.2f}", f"{layer.r[steps].mean():.2f}"]
            row.append(f"{np.linalg.norm(layer.h[last]):.2f}")
        best = int(trace.probabilities[last].argmax())
        rows.append([*row, labels[best], f"{trace.probabilities[last, best]:.3f}"])
    return plain_table(rows)
