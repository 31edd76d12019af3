"""Loss and accuracy by epoch."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from training.figures.style import label_epochs, new_figure, save_figure


def plot_curves(history: Sequence[Mapping[str, float]], path: Path) -> None:
    """Draw the loss and the accuracy of training and validation in each epoch.

    Args:
        history: what `history.json` of a run holds: for each epoch its number, `loss`,
            `training_accuracy`, `validation_loss` and `validation_accuracy`.
        path: the PNG to write.
    """
    figure = new_figure(9, 4.2, "Training and validation")
    epochs = [row["epoch"] for row in history]
    for axes, key, label, scale in zip(
        figure.subplots(1, 2),
        ("loss", "accuracy"),
        ("loss (cross-entropy, nats)", "accuracy (%)"),
        (1, 100),
        strict=True,
    ):
        training = "loss" if key == "loss" else "training_accuracy"
        for name, column in (
            ("training clips, augmented", training),
            ("validation clips", f"validation_{key}"),
        ):
            # A marker, so that a single epoch can be seen.
            marker = "o" if len(epochs) < 20 else ""
            axes.plot(epochs, [scale * row[column] for row in history], marker=marker, label=name)
        label_epochs(axes)
        axes.set_ylabel(label)
        axes.grid(alpha=0.3)
    figure.legend(*axes.get_legend_handles_labels(), loc="outside lower center", ncols=2)
    save_figure(figure, path)
