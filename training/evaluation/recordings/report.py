"""The part of the report that is about whole recordings: text, tables and a list of answers."""

import csv
import io
from collections.abc import Sequence

from training.evaluation.metrics import percent
from training.evaluation.recordings.evaluation import Answer, RecordingReport
from training.evaluation.speakers import chosen_on
from training.output.documents import Block, Heading, Items, Table, Text

TABLE = "recordings.csv"

METHOD = """\
Recordings are longer than the model's window, so `recognize` answers them with this rule. One word:
a clip at a random place in 1 to 2.5 s, in quiet (hiss at -80 dBFS) and in noise at 10 dB. A
sentence and a command: a recording of the folders with a command after it or before it, 0.7 to 2 s
away, in quiet. Recordings of the folders last 1 to 10 s. Noise: 1 to 10 s at -50 to -10 dBFS; half
of the noises count as held out. The same seed and clips give the same recordings."""

CHOICE = """\
The constants were chosen on the recordings of {speakers}, and written into the model
file: of those with which at most 3 % of the sentences and noises are answered with a command, by
the upper end of the 95 % interval, those that answer most of the other recordings right."""


def recording_blocks(report: RecordingReport) -> list[Block]:
    """Return the part of a report that is about whole recordings."""
    how = CHOICE.format(speakers=chosen_on(report["speakers"]))
    if not report["chosen"]:
        how = "The constants are those of the model file."
    thresholds = report["rule"]["thresholds"].values()
    rule = {**report["rule"], "thresholds": ", ".join(map(str, dict.fromkeys(thresholds)))}
    return [
        Heading("Whole recordings"),
        Text(f"Measured on {report['speakers']}. {how}"),
        *map(Table, recording_tables(report)),
        Items([f"rule, `{name}`: {value}" for name, value in rule.items()]),
        Text(METHOD),
    ]


def recording_tables(report: RecordingReport) -> list[list[list[str]]]:
    """Return a table of the recordings with a command, and one of those without."""
    tables = []
    for command, title in ((True, "answered right"), (False, "answered with a command")):
        rows = [[f"recordings {title}", "all", "development speakers", "held-out speakers"]]
        for kind, metrics in report["kinds"].items():
            if metrics["command"] == command:
                shares = (metrics["all"], metrics["development"], metrics["held_out"])
                rows.append([kind, *map(percent, shares)])
        tables.append(rows)
    return tables


def answers_csv(answers: Sequence[Answer]) -> str:
    """Return a line for each recording: what it holds, and what it was answered with."""
    content = io.StringIO()
    writer = csv.writer(content, lineterminator="\n")
    writer.writerow(["kind", "recording", "command", "answer", "confidence"])
    for recording, label, confidence in answers:
        score = "" if confidence is None else f"{confidence:.4f}"
        writer.writerow(
            [recording.kind, recording.name, recording.command or "", label or "", score]
        )
    return content.getvalue()
