"""TODO: gate_trace."""

import dataclasses
from typing import Any

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.float32]
ROWS = 5  # of the table in a second


@dataclasses.dataclass(frozen=True)
class Layer:
    """A GRU's gates and states, float32 (steps, units) each.

    Attributes:
        z: update gate, near 1 where the candidate is written.
        r: reset gate, near 0 where the past is cut off from the candidate.
        candidate, h: candidate state and state.
    """

    z: Array
    r: Array
    candidate: Array
    h: Array


@dataclasses.dataclass(frozen=True)
class Trace:
    """What happens in a model while it hears a sound.

    Attributes:
        samples: the sound, (samples,).
        log_mel: its spectrogram in dB, (frames, bands).
        layers: the GRUs, first to last.
        scores: probability of each label after every step, (steps, labels).
        seconds: of a step.
    """

    samples: Array
    log_mel: Array
    layers: list[Layer]
    scores: Array
    seconds: float


def trace(model: Any, samples: Array) -> Trace:
    """Let a Keras model of `speechgru.build_model` hear one window, (samples,)."""
    import keras

    from speechgru.gru import GRU

    front_end = model.get_layer("mfcc")
    log_mel = front_end.log_mel(samples[None])
    x = front_end.dct(log_mel)
    for name in ("scale", "past", "conv"):
        x = model.get_layer(name)(x)
    layers = []
    for gru in (layer for layer in model.layers if isinstance(layer, GRU)):
        looking = GRU.from_keras(gru, update_gate="write", return_gates=True, return_sequences=True)
        x, *gates = looking(x)
        layers.append(Layer(*(np.asarray(values[0]) for values in (*gates, x))))
    scores = keras.ops.softmax(model.get_layer("logits")(x))
    steps = scores.shape[1]
    return Trace(
        samples,
        np.asarray(log_mel[0]),
        layers,
        np.asarray(scores[0]),
        samples.size / front_end.config.sample_rate / steps,
    )


def table(found: Trace, labels: tuple[str, ...]) -> str:
    """Means over the units, a row for each fifth of the sound."""
    head = ["seconds", "level, dB"]
    for number, _ in enumerate(found.layers, start=1):
        head += [f"z {number}", f"r {number}", f"|h| {number}"]
    rows = [[*head, "label", "probability"]]
    for part in np.array_split(np.arange(len(found.scores)), ROWS):
        step = part[-1]
        end = (step + 1) * found.seconds
        rate = len(found.samples) / len(found.scores)
        heard = found.samples[int(part[0] * rate) : int((step + 1) * rate)]
        level = 10 * np.log10(max(float(np.mean(np.square(heard))), 1e-10))
        row = [f"{end:.2f}", f"{level:.0f}"]
        for layer in found.layers:
            row += [f"{layer.z[part].mean():.2f}", f"{layer.r[part].mean():.2f}"]
            row.append(f"{np.linalg.norm(layer.h[step]):.2f}")
        best = int(found.scores[step].argmax())
        rows.append([*row, labels[best], f"{found.scores[step, best]:.3f}"])
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return "\n".join(
        "  ".join(cell.rjust(width) for cell, width in zip(row, widths, strict=True))
        for row in rows
    )
