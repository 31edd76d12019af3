"""The report of a verification: MODEL.parity.json, and the table that is printed."""

from collections.abc import Mapping, Sequence
from typing import Any

from export.verification.forms import FormResult
from training.output.tables import markdown_table

HEADER = [
    "form",
    "bytes",
    "accuracy",
    "in one stream",
    "score difference",
    "changed labels",
    "score difference from int8",
    "changed labels from int8",
    "changed detections",
    "MFCC difference",
    "hop by hop",
    "memory, clip / hop",
    "ms/clip",
    "us/hop",
]
MEMORY = ("recognize", "stream")


def parity_report(
    name: str, sha256: str, clips: int, results: Mapping[str, FormResult], failures: Sequence[str]
) -> dict[str, Any]:
    """Return the content of MODEL.parity.json."""
    return {
        "model": name,
        "sha256": sha256,
        "clips": clips,
        "forms": {form: result.as_json() for form, result in results.items()},
        "failures": list(failures),
    }


def parity_table(results: Mapping[str, FormResult]) -> str:
    """Return the results as a Markdown table, a row for each form."""
    return markdown_table([HEADER, *(_row(name, result) for name, result in results.items())])


def _row(name: str, result: FormResult) -> list[str]:
    memory = result.memory
    return [
        name,
        f"{result.bytes:,}",
        f"{result.accuracy:.2%}",
        f"{result.stream_accuracy:.2%}",
        _cell(result.score_difference, ".1e"),
        _cell(result.changed_labels, ".2%"),
        _cell(result.score_difference_from_int8, ".1e"),
        _cell(result.changed_labels_from_int8, ".2%"),
        _changed_detections(result),
        _cell(result.mfcc_difference, ".1e"),
        _cell(result.hop_by_hop_difference, ".1e"),
        " / ".join(_cell(memory.get(use), ",") or "-" for use in MEMORY) if memory else "",
        _cell(result.ms_per_clip, ".3f"),
        _cell(result.us_per_hop, ".1f"),
    ]


def _changed_detections(result: FormResult) -> str:
    if result.changed_detections is None:
        return ""
    return f"{result.changed_detections:,} of {result.stream_detections:,}"


def _cell(value: float | None, form: str) -> str:
    return "" if value is None else format(value, form)
