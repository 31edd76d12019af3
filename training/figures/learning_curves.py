"""TODO: learning_curves."""

from collections.abc import Sequence
from pathlib import Path

from matplotlib.figure import Figure

from training.figures.saving import save_figure


def plot_curves(history: Sequence[dict[str, float]], path: Path) -> None:
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
    save_figure(figure, path)
