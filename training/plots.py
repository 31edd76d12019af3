"""Pictures: curves and confusion of a run, a model in noise, and what augmentation does to a clip.

    python training/plots.py SOUND OTHER --out docs/augmentation.png

draws one second of SOUND before and after each augmentation; OTHER is mixed up with it.
"""

import argparse
import dataclasses
import os
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import numpy as np
from matplotlib.figure import Figure

from speechgru import audio
from speechgru.features import MFCC
from training.augment import Draw, augment, mask_spectrogram, mixup
from training.data import NOISE_ROW, WINDOW
from training.files import replacing
from training.recipe import Augment

NOTHING: dict[str, Any] = {
    "shift_ms": 0,
    "speed": 0,
    "speed_share": 1,
    "noise_share": 0,
    "reverb_share": 0,
    "eq_db": 0,
    "band_limit_share": 0,
    "telephone_share": 0,
    "gain_db": (0, 0),
    "time_masks": 0,
    "mel_masks": 0,
}
SHOWN: dict[str, dict[str, Any]] = {
    "before": {},
    "shift": {"shift_ms": 100},
    "speed and pitch": {"speed": 0.15},
    "room": {"reverb_share": 1},
    "noise at an SNR of 10 dB": {"snr_db": (10, 10), "noise_share": 1},
    "microphone": {"eq_db": 4},
    "band limit": {"band_limit_share": 1},
    "telephone": {"telephone_share": 1},
    "gain of -10 dB": {"gain_db": (-10, -10)},
    "SpecAugment": {"time_masks": 2, "mel_masks": 2},
    "mixup": {"mixup_share": 1, "mixup_alpha": 4},
    "all of the defaults": dataclasses.asdict(Augment()),
}


def curves(history: Sequence[dict[str, float]], path: Path) -> None:
    """Loss and accuracy of each epoch, training (augmented clips) and validation."""
    figure = Figure(figsize=(10, 4), layout="constrained")
    epochs = [row["epoch"] for row in history]
    for axes, kind in zip(figure.subplots(1, 2), ("loss", "accuracy"), strict=True):
        training = "loss" if kind == "loss" else "training_accuracy"
        axes.plot(epochs, [row[training] for row in history], label="training (augmented)")
        axes.plot(epochs, [row[f"validation_{kind}"] for row in history], label="validation")
        axes.set(xlabel="epoch", ylabel=kind)
        axes.grid(alpha=0.3)
        axes.legend()
    _save(figure, path)


def confusion(matrix: Any, labels: Sequence[str], path: Path) -> None:
    """Confusion matrix: rows are the true labels, in percent of the row, with the counts."""
    counts = np.asarray(matrix)
    share = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
    size = 2.5 + 0.55 * len(labels)
    figure = Figure(figsize=(size, size), layout="constrained")
    axes = figure.subplots()
    axes.imshow(share, cmap="Blues", vmin=0, vmax=1)
    for (row, column), count in np.ndenumerate(counts):
        if count:
            colour = "white" if share[row, column] > 0.5 else "black"
            axes.text(column, row, count, ha="center", va="center", color=colour, fontsize=8)
    axes.set_xticks(range(len(labels)), labels, rotation=90)
    axes.set_yticks(range(len(labels)), labels)
    axes.set(xlabel="recognised as", ylabel="spoken")
    _save(figure, path)


def noise(outcomes: Mapping[str, Any], path: Path) -> None:
    """Accuracy and false commands, with their intervals, at each signal-to-noise ratio.

    `outcomes` are those of `evaluate.outcome`, by what the axis says.
    """
    figure = Figure(figsize=(6, 4), layout="constrained")
    axes = figure.subplots()
    shown = {
        "accuracy": "accuracy",
        "false_commands_of_unknown": "unknown words taken for a command",
    }
    for key, label in shown.items():
        rows = [[o[key][k] for k in ("share", "low", "high")] for o in outcomes.values()]
        value, low, high = 100 * np.array(rows, float).T
        axes.errorbar(list(outcomes), value, (value - low, high - value), label=label, capsize=3)
    axes.set(xlabel="signal-to-noise ratio", ylabel="% of clips", ylim=(0, 100))
    axes.grid(alpha=0.3)
    axes.legend(loc="center left")
    _save(figure, path)


def augmentations(clip: Any, other: Any, path: Path, seed: int = 92) -> None:
    """Waveform (before in grey) and log-mel spectrogram of a clip after each augmentation.

    `clip` and `other` are float32, shape (WINDOW,), in [-1, 1].
    """
    pair = np.rint(np.stack([clip, other]) * 32767).astype(np.int16)
    noise = np.random.default_rng(0).normal(size=(1000, NOISE_ROW)).astype(np.float32)
    front_end = MFCC()
    figure = Figure(figsize=(13, 9), layout="constrained")
    cells = figure.subfigures(3, 4)
    for cell, (name, changes) in zip(cells.flat, SHOWN.items(), strict=True):
        settings = Augment(**NOTHING | changes)
        sound = augment(pair, np.zeros(2, bool), noise, (seed, 0), settings)
        sound, _ = mixup(sound, np.eye(2, dtype=np.float32), Draw((seed, 0), 2), settings)
        log_mel = mask_spectrogram(front_end.log_mel(sound), (seed + 1, 0), settings)
        wave, picture = cell.subplots(2, 1, sharex=True, height_ratios=(1, 2))
        time = np.arange(WINDOW) / audio.SAMPLE_RATE
        if changes:
            wave.plot(time, clip, color="0.75", linewidth=0.5)
        wave.plot(time, sound[0], linewidth=0.5)
        wave.set(title=name, ylim=(-1, 1), yticks=(-1, 0, 1))
        picture.imshow(
            np.transpose(log_mel[0]),
            origin="lower",
            aspect="auto",
            extent=(0, time[-1], 0, log_mel.shape[-1]),
            vmin=-70,
            vmax=20,
        )
        picture.set(ylabel="mel band")
    for cell in cells[-1]:
        cell.axes[-1].set_xlabel("seconds")
    _save(figure, path)


def gates(found: Any, labels: Sequence[str], title: str, path: Path) -> None:
    """What a model's GRUs do in a second of sound; `found` is a `training.gates.Trace`."""
    columns = len(found.layers)
    figure = Figure(figsize=(7 * columns, 15), layout="constrained")
    cells = figure.subplots(7, columns, squeeze=False, sharex=True)
    duration = len(found.scores) * found.seconds
    time = found.seconds * np.arange(1, len(found.scores) + 1)
    for number, layer in enumerate(found.layers):
        wave, spectrum, means, z, r, norms, scores = cells[:, number]
        wave.plot(np.arange(found.samples.size) * duration / found.samples.size, found.samples)
        wave.set(title=f"{title}, GRU {number + 1} of {columns}", ylabel="sound", ylim=(-1, 1))
        spectrum.imshow(
            found.log_mel.T,
            origin="lower",
            aspect="auto",
            extent=(0, duration, 0, found.log_mel.shape[1]),
            vmin=-70,
        )
        spectrum.set(ylabel="mel band")
        for gate, name in ((layer.z, "z, update"), (layer.r, "r, reset")):
            means.plot(time, gate.mean(axis=1), label=f"{name}: mean, quartiles")
            means.fill_between(time, *np.quantile(gate, (0.25, 0.75), axis=1), alpha=0.2)
        means.set(ylabel="gates", ylim=(0, 1))
        means.legend(fontsize="small", loc="upper left")
        # Units that write early above those that write late.
        order = np.argsort(layer.z.argmax(axis=0))
        for axes, gate, name in ((z, layer.z, "z"), (r, layer.r, "r")):
            axes.imshow(
                gate[:, order].T, aspect="auto", extent=(0, duration, len(order), 0), vmin=0, vmax=1
            )
            axes.set(ylabel=f"{name} of each unit")
        norms.plot(time, np.linalg.norm(layer.candidate, axis=1), label="candidate")
        norms.plot(time, np.linalg.norm(layer.h, axis=1), label="state")
        norms.set(ylabel="norm", ylim=0)
        norms.legend(fontsize="small", loc="upper left")
        for label, values in zip(labels, found.scores.T, strict=True):
            if values.max() >= 0.1:
                scores.plot(time, values, label=label)
        scores.set(ylabel="probability", ylim=(0, 1), xlabel="seconds", xlim=(0, duration))
        scores.legend(fontsize="small", loc="upper left")
    _save(figure, path, dpi=65)


def cells(
    curves: Mapping[str, Any],
    norms: Mapping[str, Mapping[str, Any]],
    folder: Path,
) -> None:
    """Pictures of `compare`: accuracy by epoch, gradient by distance.

    Args:
        curves: of each network the validation accuracies, (seeds, epochs).
        norms: "untrained" and "trained"; of each cell the gradient's norm at every step, (steps,).
        folder: for accuracy.png and gradients.png.
    """
    figure = Figure(figsize=(8, 5), layout="constrained")
    axes = figure.subplots()
    for name, histories in curves.items():
        axes.plot(range(1, len(histories[0]) + 1), np.mean(histories, axis=0), label=name)
    axes.set(xlabel="epoch", ylabel="validation accuracy, mean of the seeds")
    axes.grid(alpha=0.3)
    axes.legend(fontsize="small")
    _save(figure, folder / "accuracy.png")

    figure = Figure(figsize=(12, 5), layout="constrained")
    for axes, (when, own) in zip(figure.subplots(1, 2, sharey=True), norms.items(), strict=True):
        for name, values in own.items():
            axes.semilogy(np.arange(len(values))[::-1], np.maximum(values, 1e-12), label=name)
        axes.set(title=when, xlabel="steps back from the answer", ylabel="|d loss / d state|")
        axes.grid(alpha=0.3)
    axes.legend(fontsize="small")
    _save(figure, folder / "gradients.png")


def lags(accuracies: Mapping[str, Any], lags: Sequence[int], path: Path) -> None:
    """Accuracy by lag: of each cell the accuracies, (lags, seeds); lags in steps."""
    figure = Figure(figsize=(10, 4.5), layout="constrained")
    axes = figure.subplots()
    for place, (name, by_lag) in enumerate(accuracies.items()):
        # Thin over thick: where lines lie on each other, all can be seen.
        style = {"marker": "osDv^<>PX"[place % 9], "linewidth": max(1, 5 - place / 2)}
        axes.semilogx(lags, [np.mean(seeds) for seeds in by_lag], label=name, **style)
    axes.set(xlabel="steps between symbol and answer", ylabel="accuracy", ylim=(0, 1.05))
    axes.set_xticks(lags, [str(lag) for lag in lags])
    axes.grid(alpha=0.3)
    figure.legend(fontsize="small", loc="outside right upper")
    _save(figure, path)


def forms(rows: Mapping[str, Any], path: Path) -> None:
    """Accuracy, size and time of every form of a model; `rows` are those of `export/verify.py`."""
    figure = Figure(figsize=(13, 3.6), layout="constrained")
    places = figure.subplots(1, 4)
    at = np.arange(len(rows))
    for axes, keys, title in zip(
        places,
        (("accuracy", "stream_accuracy"), ("bytes",), ("ms_per_clip",), ("us_per_hop",)),
        ("validation accuracy", "bytes of the file", "ms a clip", "us a hop of a stream"),
        strict=True,
    ):
        width = 0.8 / len(keys)
        for number, key in enumerate(keys):
            values = [row.get(key, np.nan) for row in rows.values()]
            axes.bar(at + (number - (len(keys) - 1) / 2) * width, values, width)
        axes.set_title(title)
        axes.set_xticks(at, list(rows), rotation=30, ha="right")
    low = min(min(row["accuracy"], row["stream_accuracy"]) for row in rows.values())
    places[0].legend(["a clip at once", "in one long stream"], fontsize="small", loc="upper right")
    places[0].set_ylim(bottom=max(0, low - 0.02), top=1.01)
    _save(figure, path)


def _save(figure: Figure, path: Path, dpi: int = 110) -> None:
    with replacing(path) as unfinished:
        figure.savefig(unfinished, dpi=dpi, format="png")


def main(arguments: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description="Draw what each augmentation does to a clip.")
    parser.add_argument("sound", type=Path, help="sound file; its first second is drawn")
    parser.add_argument("other", type=Path, help="sound file to mix it up with")
    parser.add_argument("--out", type=Path, required=True, metavar="PNG")
    parser.add_argument("--seed", type=int, default=92, help="default: %(default)s")
    options = parser.parse_args(arguments)
    clip, other = (_second(audio.load(path)) for path in (options.sound, options.other))
    augmentations(clip, other, options.out, options.seed)


def _second(samples: Any) -> Any:
    """The first second of a sound, or the sound between zeros."""
    spare = max(0, WINDOW - len(samples))
    return np.pad(samples[:WINDOW], (spare // 2, spare - spare // 2))


if __name__ == "__main__":
    main()
