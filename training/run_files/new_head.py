"""Continue from a trained model with other labels: a new head, and copies of all other weights."""

from collections.abc import Sequence
from typing import NamedTuple

import keras

from training.clips.names import comparable
from training.clips.words import SILENCE, UNKNOWN
from training.output.messages import some

HEAD = "logits"  # the name of the layer


class Head(NamedTuple):
    """How the head of a model comes from that of another one.

    Attributes:
        copied: the labels whose rows are copied.
        new: the others.
    """

    copied: tuple[str, ...]
    new: tuple[str, ...]

    @property
    def description(self) -> str:
        """The labels, as one line for the log."""
        new = "no new labels"
        if self.new:
            new = f"{len(self.new)} new label{'s'[: len(self.new) > 1]} ({some(self.new)})"
        copied = f" ({some(self.copied)})" if self.copied else ""
        return f"head: {new}, {len(self.copied)} copied{copied}"


def head_of(labels: Sequence[str], start_labels: Sequence[str]) -> Head:
    """Say which rows of a head are copied: those of labels that are the same word.

    Args:
        labels: the labels of the new model.
        start_labels: those of the model that it continues from.

    Example:
        >>> head_of(["On", "play music", "unknown"], ["on", "off", "unknown"]).copied
        ('On', 'unknown')
    """
    known = set(map(comparable, start_labels))
    copied = tuple(label for label in labels if comparable(label) in known)
    return Head(copied, tuple(label for label in labels if comparable(label) not in known))


def copy_with_head(
    start: keras.Model, start_labels: Sequence[str], model: keras.Model, labels: Sequence[str]
) -> None:
    """Copy the weights of a trained model to one with other labels.

    The mean and the variance of the features are copied, too. The head is as `head_of` describes.

    New rows stay as Keras initialises them, since rows of zeros would keep the gradient from the
    layers below for the first steps. Their bias is the mean of the copied model's commands. The
    loss adds the logarithm of a label's share to its logit, so a bias must not hold the share once
    more. And a trained command's bias is what suits the copied rows of "unknown" and "silence": a
    new command is then as likely at first as one of the commands before.

    Args:
        start: the trained model.
        start_labels: its labels, in the order of its logits.
        model: a model of the same preset and front end, whose weights are set.
        labels: its labels.
    """
    for layer, trained in zip(model.layers, start.layers, strict=True):
        if layer.name != HEAD:
            layer.set_weights(trained.get_weights())
    model.get_layer("scale").finalize_state()
    kernel, bias = model.get_layer(HEAD).get_weights()
    trained_kernel, trained_bias = start.get_layer(HEAD).get_weights()
    number = {comparable(label): number for number, label in enumerate(start_labels)}
    commands = [n for label, n in number.items() if label not in (UNKNOWN, SILENCE)]
    bias[:] = trained_bias[commands].mean()
    for row, label in enumerate(labels):
        if (same := number.get(comparable(label))) is not None:
            kernel[:, row], bias[row] = trained_kernel[:, same], trained_bias[same]
    model.get_layer(HEAD).set_weights([kernel, bias])
