"""Compare two reports clip by clip, with McNemar's exact test."""

import csv
import json
from pathlib import Path
from typing import Any, NamedTuple

import scipy.stats

from training.clips.errors import DataError
from training.evaluation.streams.summary import ALL_FOLDERS
from training.output.tables import markdown_table

Outcomes = dict[str, bool]  # by clip


class PairedCounts(NamedTuple):
    """What two models got right, of the same clips."""

    clips: int
    first: int
    second: int
    only_first: int
    only_second: int

    @property
    def p(self) -> float:
        """Two-sided p of McNemar's exact test.

        If neither model is better, each clip that only one of them gets right is as likely to be
        the first's as the second's (McNemar 1947).
        """
        return binomial_p(self.only_first, self.only_second)


def binomial_p(first: int, second: int) -> float:
    """Return the two-sided p of two counts that are equal in the mean."""
    if not first + second:
        return 1.0
    return float(scipy.stats.binomtest(first, first + second, 0.5).pvalue)


def compare_reports(first: Path, second: Path) -> str:
    """Return a Markdown table that compares two reports on the same clips.

    Args:
        first: folder of a report of `training/evaluate.py`.
        second: another one.

    Raises:
        DataError: a folder holds no report, or the reports are of different clips or streams.
    """
    reports = [_read_report(folder) for folder in (first, second)]
    rows = [["", "clips", "A", "B", "only A", "only B", "p"]]
    predictions = [_read_predictions(folder) for folder in (first, second)]
    rows.append(["clean clips, correct", *_cells(_paired(predictions, first, second))])
    streams = [report.get("streams") for report in reports]
    if all(streams):
        if streams[0]["recipe"] != streams[1]["recipe"]:
            raise DataError(f"{first} and {second}: expected streams of the same recipe and seed")
        found = [_read_words(folder) for folder in (first, second)]
        for condition in found[0]:
            outcomes = [words.get(condition, {}) for words in found]
            counts = _paired(outcomes, first, second)
            rows.append([f"words found in streams, {condition}", *_cells(counts)])
        rows += _false_accept_rows(streams)
    names = [f"{mark}: {report['model']}" for mark, report in zip("AB", reports, strict=True)]
    return "\n".join([*names, "", markdown_table(rows), "", EXPLANATION])


EXPLANATION = (
    "p is that of McNemar's exact test on the clips that only one of the two gets right. Clips of "
    "one\nspeaker are alike, so differences are less certain than p says. For false accepts it is "
    "that of two\nPoisson counts in equal time."
)


def _read_report(folder: Path) -> Any:
    try:
        report = json.loads((folder / "report.json").read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise DataError(
            f"{folder}: expected the folder of a report, as --report writes it, found no "
            "readable report.json"
        ) from error
    if not isinstance(report, dict) or not isinstance(report.get("model"), str):
        raise DataError(f"{folder / 'report.json'}: expected a report, found something else")
    return report


def _read_predictions(folder: Path) -> Outcomes:
    rows = _read_csv(folder / "predictions.csv", {"clip", "label", "prediction"})
    return {row["clip"]: row["label"] == row["prediction"] for row in rows}


def _read_words(folder: Path) -> dict[str, Outcomes]:
    words: dict[str, Outcomes] = {}
    for row in _read_csv(folder / "words.csv", {"condition", "clip", "found"}):
        words.setdefault(row["condition"], {})[row["clip"]] = row["found"] == "1"
    return words


def _read_csv(path: Path, columns: set[str]) -> list[dict[str, str]]:
    try:
        with open(path, encoding="utf-8", newline="") as file:
            rows = list(csv.DictReader(file))
    except (OSError, ValueError, csv.Error) as error:
        raise DataError(f"{path}: expected a table of a report, found: {error}") from error
    if not rows or not columns <= rows[0].keys():
        raise DataError(f"{path}: expected the columns {', '.join(sorted(columns))}, found others")
    return rows


def _paired(outcomes: list[Outcomes], *folders: Path) -> PairedCounts:
    first, second = outcomes
    if first.keys() != second.keys():
        raise DataError(
            f"{folders[0]} and {folders[1]}: expected reports on the same clips, found "
            f"{len(first.keys() ^ second.keys())} clips in only one of them"
        )
    return PairedCounts(
        len(first),
        sum(first.values()),
        sum(second.values()),
        sum(first[clip] and not second[clip] for clip in first),
        sum(second[clip] and not first[clip] for clip in first),
    )


def _cells(counts: PairedCounts) -> list[str]:
    clips = max(counts.clips, 1)
    shares = [f"{100 * share / clips:.2f}%" for share in (counts.first, counts.second)]
    only = [str(counts.only_first), str(counts.only_second)]
    return [str(counts.clips), *shares, *only, f"{counts.p:.2g}"]


def _false_accept_rows(streams: list[Any]) -> list[list[str]]:
    rates = [one["negatives"].get(ALL_FOLDERS, {}).get("all") for one in streams]
    if not all(rates) or rates[0]["hours"] != rates[1]["hours"]:
        return []
    cells = [f"{one['per_hour']:.3g}" for one in rates]
    p = binomial_p(rates[0]["count"], rates[1]["count"])
    return [["false accepts an hour, recorded speech", "-", *cells, "-", "-", f"{p:.2g}"]]
