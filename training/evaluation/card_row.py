"""The row of a model card with what was measured in streams; `evaluate.py` fills it in."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from speechgru.atomic_files import write_text
from training.output.messages import printable

FALSE_ACCEPTS = "false accepts an hour"  # the name of the row
NOT_MEASURED = "not measured (training/evaluate.py --negatives DIR --choose-thresholds N)"


def describe_false_accepts(detection: Mapping[str, Any]) -> str:
    """Return the false accepts an hour that a model file states, with the recall beside them.

    Args:
        detection: the `detection` of its `speechgru.json`.
    """
    rate, recall = detection.get("false_accepts_per_hour"), detection.get("recall")
    if rate is None:
        return NOT_MEASURED
    found = "" if recall is None else f"; {recall:.1%} of the words found"
    measured_on = detection.get("measured_on")
    return f"{rate:g}{found}" + (f" ({measured_on})" if measured_on else "")


def update_card(model: Path, detection: Mapping[str, Any]) -> None:
    """Write the row of the card beside a model file, if there is a card with such a row.

    Args:
        model: the model file; its card is `<name>.card.md`.
        detection: what it states now.

    Raises:
        OSError: the card cannot be written.
    """
    card = model.with_suffix(".card.md")
    try:
        lines = card.read_text(encoding="utf-8").split("\n")
    except (OSError, UnicodeDecodeError):  # no card
        return
    value = printable(describe_false_accepts(detection)).replace("|", "\\|")
    row = f"| {FALSE_ACCEPTS} | {value} |"
    changed = [row if _first_cell(line) == FALSE_ACCEPTS else line for line in lines]
    if changed != lines:
        write_text(card, "\n".join(changed))


def _first_cell(line: str) -> str:
    """Return the text of the first cell of a line of a Markdown table."""
    return line.split("|")[1].strip() if line.startswith("|") else ""
