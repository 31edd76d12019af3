"""The model card: what a reader must know about a model file, from the run's own figures."""

import dataclasses
from typing import Any

from export.model_package.run_metrics import RunMetrics
from speechgru.stated_accuracy import describe_accuracy
from training.evaluation.card_row import FALSE_ACCEPTS, describe_false_accepts
from training.output.messages import printable
from training.output.tables import markdown_table

MARKER = "<!-- Model card, written by export/export.py -->"  # tells our cards from other files
NEW_SPEAKERS = (
    "The speakers of the validation clips are not in the training data, and no epoch was chosen on "
    "these clips. Recipes were compared on them, so the accuracy is slightly optimistic."
)
KNOWN_SPEAKERS = (
    "Speakers of the validation clips are in the training data, too. Expect a lower accuracy on "
    "new speakers."
)
UNKNOWN_SPEAKERS = (
    "The speakers could not be told apart by the file names, so one speaker may be in both the "
    "training data and the validation clips. Expect a lower accuracy on new speakers."
)


def model_card(
    name: str,
    size: int,
    metadata: dict[str, Any],
    metrics: RunMetrics,
    command: str,
    check: str,
    notes: str,
) -> str:
    """Return the card of a model file as Markdown.

    Args:
        name: file name of the model.
        size: its size in bytes.
        metadata: content of its `speechgru.json`.
        metrics: what the run states about the model.
        command: the command that made the file.
        check: what the check of the file found.
        notes: further text (sources, known limits), or "".
    """
    sections = [
        f"{MARKER}\n# {printable(name)}",
        markdown_table([["property", "value"], *property_rows(size, metadata, metrics)]),
        speakers_sentence(metrics),
        "## Commands",
        "\n".join(["```sh", *map(printable, [*metrics.commands, command]), "```"]),
        printable(check),
        "## Confusion on the validation clips",
        "Rows are the words that were spoken, columns the words that were recognised.",
        markdown_table(confusion_rows(metrics)),
        notes.strip(),
    ]
    return "\n\n".join(section for section in sections if section) + "\n"


def property_rows(
    size: int, metadata: dict[str, Any], metrics: RunMetrics
) -> list[tuple[str, str]]:
    """Return the rows of the table on top of the card."""
    minutes = metrics.training_seconds / 60
    how = f", distilled from {metrics.teacher}" if metrics.teacher else ""
    how += f", started from {metrics.start.model}" if metrics.start else ""
    rate = metadata["front_end"]["sample_rate"]
    detection = metadata.get("detection", {})
    stated = {**dataclasses.asdict(metrics), "detection": detection}
    versions = ", ".join(f"{name} {version}" for name, version in metadata["versions"].items())
    rows = [
        ("labels", ", ".join(map(code_span, metrics.labels))),
        ("parameters", f"{metrics.parameters:,}"),
        ("size", f"{size:,} bytes ({metadata['quantization']} quantisation)"),
        ("window", f"{metadata['window_samples']} samples at {rate} Hz"),
        ("hop", f"{metadata['hop_samples']} samples"),
        ("validation accuracy", str(describe_accuracy(stated, " (the Keras model)"))),
        (FALSE_ACCEPTS, describe_false_accepts(detection)),
        ("training data", metrics.training_data),
        ("licence of the data", metrics.licence or "not stated"),
        ("training", f"{metrics.epochs} epochs in {minutes:.0f} minutes{how}"),
        ("made with", versions),
    ]
    return [(name, printable(value)) for name, value in rows]


def speakers_sentence(metrics: RunMetrics) -> str:
    """Return what the validation clips say about new speakers."""
    if not metrics.speakers_known:
        return UNKNOWN_SPEAKERS
    return NEW_SPEAKERS if metrics.validation_of_new_voices else KNOWN_SPEAKERS


def confusion_rows(metrics: RunMetrics) -> list[list[str]]:
    """Return the rows of the confusion table, the header first."""
    rows = [["", *map(printable, metrics.labels), "recall"]]
    for label, counts in zip(metrics.labels, metrics.confusion, strict=True):
        recall = metrics.recall[label]
        cells = [str(count) if count else "" for count in counts]
        rows.append([printable(label), *cells, "" if recall is None else f"{recall:.1%}"])
    return rows


def code_span(text: str) -> str:
    """Return text as code in Markdown, so that labels with spaces can be told apart."""
    marks = "``" if "`" in text else "`"
    return f"{marks}{text}{marks}"
