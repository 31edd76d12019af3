"""The part of the report that is about streams: text, tables and lists of each word."""

import csv
import io
from collections.abc import Sequence

from training.evaluation.metrics import Proportion, percent
from training.evaluation.speakers import chosen_on
from training.evaluation.streams.metrics import Rate, Spread, WordResult
from training.evaluation.streams.summary import (
    ALL_FOLDERS,
    FalseAccept,
    StreamReport,
    StreamResult,
)
from training.output.documents import Block, Heading, Items, Picture, Table, Text

DET = "det.png"

METHOD = """\
Streams of words are clips one after another. The noise has the same level throughout, and each clip
is scaled to the SNR, which is the ratio of the mean powers over the clip's second. In quiet there
is hiss at -80 dBFS and clips are not scaled. The end of a word is estimated from the levels of the
clean clip. A detection belongs to the last word that began before it was made, until {late:g} s
after the word's end.

Streams without commands are the recordings of each speaker one after another, with half a second of
quiet in between that does not count as time, noise alone at -40 dBFS, and clips of other words.
Every detection in them is a false accept. Intervals of rates are Garwood's exact 95 % intervals of
a Poisson count. They assume independent false accepts; those of one speaker are alike, so the true
intervals are wider. The rate that the tail predicts counts false accepts of held-out speakers at
lower thresholds, and takes the log-odds of the confidences above to be exponential."""


def stream_blocks(report: StreamReport) -> list[Block]:
    """Return the part of a report that is about streams."""
    blocks: list[Block] = [
        Heading("Streams"),
        Text(_introduction(report)),
        Table(word_rows(report)),
    ]
    if report["negatives"]:
        blocks += [Text("Detections where no command is:"), Table(negative_rows(report))]
    if report["expected"] is not None:
        blocks.append(
            Text(
                f"The tail of the scores predicts {report['expected']:.3g} false accepts an hour "
                "for the held-out speakers."
            )
        )
    if report["det"] is not None:
        blocks.append(Picture(DET, "Missed words and false accepts in streams"))
    return [
        *blocks,
        Table(label_rows(report)),
        Items([f"{name}: {value}" for name, value in _constants(report).items()]),
        Text(METHOD.format(late=report["recipe"]["late_seconds"])),
    ]


def word_rows(report: StreamReport) -> list[list[str]]:
    """Return a row for each condition of the streams of words."""
    rows = [
        [
            "streams of words",
            "recall",
            "recall, held-out speakers",
            "wrong words",
            "other detections",
            "delay: median, 90 %",
            "error of the time: median, 90 %",
        ]
    ]
    for name, metrics in report["words"].items():
        rows.append(
            [
                name,
                percent(metrics["recall"]),
                percent(metrics["recall_held_out"]),
                percent(metrics["wrong"]),
                str(metrics["others"]),
                _seconds(metrics["delay"]),
                _seconds(metrics["time_error"]),
            ]
        )
    return rows


def negative_rows(report: StreamReport) -> list[list[str]]:
    """Return a row for each source of streams without a command."""
    rows = [
        [
            "false accepts an hour",
            "speakers",
            "hours",
            "all",
            "development speakers",
            "held-out speakers",
        ]
    ]
    for source, metrics in report["negatives"].items():
        rates = [metrics["all"], metrics["development"], metrics["held_out"]]
        hours = f"{metrics['all']['hours']:.2f}"
        rows.append([source, str(metrics["speakers"] or "-"), hours, *map(per_hour, rates)])
    return rows


def label_rows(report: StreamReport) -> list[list[str]]:
    """Return a row for each command."""
    conditions = list(report["words"])
    rows = [
        ["command", "threshold", *(f"recall, {c}" for c in conditions), "false accepts an hour"]
    ]
    for label, metrics in report["labels"].items():
        recall = [_share(metrics["recall"][condition]) for condition in conditions]
        threshold = f"{metrics['threshold']:.4g}"
        rows.append([label, threshold, *recall, per_hour(metrics["false_accepts"])])
    return rows


def per_hour(rate: Rate) -> str:
    """Return a rate with its interval; "-" in no time."""
    value, low, high = rate["per_hour"], rate["low"], rate["high"]
    if value is None or low is None or high is None:
        return "-"
    return (
        f"{value:.3g} ({low:.2g} to {high:.2g})"
        if high < 99.5
        else (f"{value:.0f} ({low:.0f} to {high:.0f})")
    )


def det_points(report: StreamReport) -> dict[str, tuple[float, float]]:
    """Return false accepts an hour and the share of missed words, by condition."""
    rate = report["negatives"][ALL_FOLDERS]["all"]["per_hour"] or 0.0
    return {
        name: (rate, 1 - metrics["recall"]["count"] / metrics["recall"]["of"])
        for name, metrics in report["words"].items()
    }


def words_csv(words: dict[str, list[WordResult]]) -> str:
    """Return a line for each word of each condition: what was detected, and when."""
    header = ["condition", "clip", "label", "found", "wrong", "end", "time", "delay", "confidence"]
    rows = [
        [
            condition,
            result.word.name,
            result.word.label,
            int(result.found is not None),
            int(result.wrong),
            f"{result.word.end:.2f}",
            *_found(result),
        ]
        for condition, results in words.items()
        for result in results
    ]
    return _csv([header, *rows])


def false_accepts_csv(false_accepts: Sequence[FalseAccept]) -> str:
    """Return a line for each false accept: where it is, and what was detected."""
    header = ["source", "recording", "time", "label", "confidence"]
    rows = [
        [one.source, one.recording, f"{one.time:.2f}", one.label, f"{one.confidence:.4f}"]
        for one in false_accepts
    ]
    return _csv([header, *rows])


def stream_tables(result: StreamResult) -> dict[str, str]:
    """Return the contents of the CSV files, by name."""
    return {
        "words.csv": words_csv(result.words),
        "false_accepts.csv": false_accepts_csv(result.false_accepts),
    }


def _introduction(report: StreamReport) -> str:
    chosen = report["chosen_for"]
    how = (
        "The thresholds are those of the model file."
        if chosen is None
        else f"The thresholds were chosen for at most {chosen:g} false accepts an hour on the "
        f"recordings of {chosen_on(report['speakers'])}, and written into the model file."
    )
    return f"Measured on {report['speakers']}. {how}"


def _constants(report: StreamReport) -> dict[str, str]:
    recipe = {f"recipe, `{key}`": value for key, value in report["recipe"].items()}
    rule = {f"rule, `{key}`": v for key, v in report["rule"].items() if key != "thresholds"}
    return {name: _plain(value) for name, value in {**rule, **recipe}.items()}


def _plain(value: object) -> str:
    return ", ".join(map(str, value)) if isinstance(value, list | tuple) else str(value)


def _found(result: WordResult) -> list[str]:
    if result.found is None:
        return ["", "", ""]
    delay = result.found.decided - result.word.end
    return [f"{result.found.time:.2f}", f"{delay:.2f}", f"{result.found.confidence:.4f}"]


def _share(proportion: Proportion) -> str:
    return "-" if proportion["share"] is None else f"{100 * proportion['share']:.1f}%"


def _seconds(spread: Spread) -> str:
    if spread["median"] is None or spread["p90"] is None:
        return "-"
    return f"{spread['median']:.2f} s, {spread['p90']:.2f} s"


def _csv(rows: Sequence[Sequence[object]]) -> str:
    content = io.StringIO()
    csv.writer(content, lineterminator="\n").writerows(rows)
    return content.getvalue()
