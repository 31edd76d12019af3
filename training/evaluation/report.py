"""The report of an evaluation: Markdown, HTML, JSON, figures and lists of predictions."""

import csv
import io
import json
from collections.abc import Sequence
from pathlib import Path

from speechgru.atomic_files import write_text
from training.clips.errors import DataError
from training.clips.words import SILENCE, UNKNOWN
from training.data.evaluation_set import EvaluationSet
from training.evaluation.conditions import CLEAN, SNRS, noisy
from training.evaluation.evaluated_model import Probabilities
from training.evaluation.evaluation_clips import describe_split
from training.evaluation.metrics import Metrics, Proportion, Summary, percent
from training.evaluation.recordings.evaluation import RecordingReport, RecordingResult
from training.evaluation.recordings.report import (
    TABLE,
    answers_csv,
    recording_blocks,
    recording_tables,
)
from training.evaluation.streams.report import (
    DET,
    det_points,
    negative_rows,
    stream_blocks,
    stream_tables,
    word_rows,
)
from training.evaluation.streams.summary import StreamReport, StreamResult
from training.output.documents import (
    Block,
    Heading,
    Items,
    Picture,
    Table,
    Text,
    to_html,
    to_markdown,
)
from training.output.tables import markdown_table

METHOD = """\
Intervals are Wilson's 95 % intervals. They assume independent clips. Clips of one speaker are
alike, so the true intervals are wider. False alarms are clips of unknown words and of silence for
which a command was predicted.

Noise: noise is added to each whole clip, the same at every SNR and for every model. The SNR
is the ratio of the mean powers over the whole clip. A clip of silence is replaced by its noise,
at the level that the noise has in a speech clip of median level. The sum is clipped to [-1, 1].
Shifts: positive shifts are later; zeros are shifted in.

Speakers are divided into two halves by the SHA-1 of their names, the same for every model. The
held-out half can check choices that were made on the other half alone. One half may be easier than
the other, so compare models on the same half."""


class Report(Summary):
    """What report.json holds: what was evaluated, and the metrics.

    `unknown` is what the clips of "unknown" are, as in `EvaluationSet`. `streams` and `recordings`
    are None if only clips were evaluated.
    """

    model: str
    sha256: str
    data: str
    split: str
    note: str
    unknown: str | None
    seed: int
    noise: str
    streams: StreamReport | None
    recordings: RecordingReport | None


FILES = (
    *("report.json", "report.md", "report.html", "predictions.csv", "confusion.png", "noise.png"),
    *("words.csv", "false_accepts.csv", TABLE, DET),
)


def make_report_folder(folder: Path) -> None:
    """Make the folder of a report. An earlier report in it may be replaced, and nothing else.

    Raises:
        DataError: the folder holds a file of a report's name, but no report; or it is a file.
    """
    if folder.exists() and not folder.is_dir():
        raise DataError(f"{folder}: expected a folder for the report, found a file")
    present = [name for name in FILES if (folder / name).exists()]
    if present and not _is_report(folder / "report.json"):
        raise DataError(
            f"{folder / present[0]}: expected an earlier report or no file, found another file, "
            "which is not replaced"
        )
    folder.mkdir(parents=True, exist_ok=True)


def _is_report(path: Path) -> bool:
    try:
        report = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return False
    return isinstance(report, dict) and report.keys() >= {"model", "sha256", "conditions"}


def write_report(
    report: Report,
    clips: EvaluationSet,
    probabilities: Probabilities,
    streams: StreamResult | None,
    recordings: RecordingResult | None,
    folder: Path,
) -> None:
    """Write the files of a report.

    Args:
        report: what was evaluated, and the metrics.
        clips: the clips that were evaluated.
        probabilities: predictions for the clean clips, (clips, labels).
        streams: each word and false accept in streams, or None.
        recordings: the answer to each recording, or None.
        folder: where to write; it exists.
    """
    from training.figures.accuracy_in_noise import plot_noise
    from training.figures.confusion_matrix import plot_confusion
    from training.figures.det_curve import plot_det

    labels, conditions = report["confusion"]["labels"], report["conditions"]
    texts = {"predictions.csv": predictions_csv(labels, clips, probabilities)}
    plot_confusion(report["confusion"]["counts"], labels, folder / "confusion.png")
    by_snr = {f"{snr} dB": conditions[noisy(snr)] for snr in SNRS}
    plot_noise({"no noise": conditions[CLEAN]} | by_snr, folder / "noise.png")
    if streams is not None:
        texts |= stream_tables(streams)
        if streams.report["det"] is not None:
            plot_det(streams.report["det"], det_points(streams.report), folder / DET)
    if recordings is not None:
        texts[TABLE] = answers_csv(recordings.answers)
    blocks = report_blocks(report)
    texts["report.md"] = to_markdown(blocks)
    texts["report.html"] = to_html(blocks, folder)
    texts["report.json"] = json.dumps(report, indent=1, ensure_ascii=False)
    for name, text in texts.items():
        write_text(folder / name, text)
    for name in FILES:  # of an earlier report that had more
        if name not in texts and not name.endswith(".png"):
            (folder / name).unlink(missing_ok=True)
    if streams is None or streams.report["det"] is None:
        (folder / DET).unlink(missing_ok=True)


def report_blocks(report: Report) -> list[Block]:
    """Return the report as a document."""
    clean = report["conditions"][CLEAN]
    clips = "all clips" if report["split"] == "all" else describe_split(report["split"])
    streams, recordings = report["streams"], report["recordings"]
    return [
        Heading(f"{Path(report['model']).name}: {percent(clean['accuracy'])} on {clips}", 1),
        Text(f"Measured by `training/evaluate.py`: {headline(report)}. {report['note']}"),
        Items(
            [
                f"model: `{report['model']}`, SHA-256 `{report['sha256']}`",
                f"data: `{report['data']}`, {clips}, seed {report['seed']}",
                f"noise: {report['noise']}",
            ]
        ),
        Table(condition_rows(report)),
        Picture("noise.png", "Accuracy in noise"),
        *([] if streams is None else stream_blocks(streams)),
        *([] if recordings is None else recording_blocks(recordings)),
        Heading("Labels, clean clips"),
        Text(f"The mean recall of the labels is {clean['mean_recall_of_labels']:.2%}."),
        Table(label_rows(report)),
        Picture("confusion.png", "Confusion matrix"),
        Heading("Speakers, clean clips"),
        Text("Commands and unknown words only: silence has no speaker."),
        Table(speaker_rows(report)),
        Heading("Method"),
        Text(METHOD),
    ]


def tables(report: Report) -> str:
    """Return the tables for the terminal: the conditions, and streams and recordings if any."""
    found = [condition_rows(report)]
    streams, recordings = report["streams"], report["recordings"]
    if streams is not None:
        found.append(word_rows(streams))
        found += [negative_rows(streams)] if streams["negatives"] else []
    if recordings is not None:
        found += recording_tables(recordings)
    return "\n\n".join(map(markdown_table, found))


def headline(report: Report) -> str:
    """Return which model was evaluated, and on how many clips."""
    counts = dict(report["clips"])
    unknown, silence = counts.pop(UNKNOWN), counts.pop(SILENCE)
    commands = sum(counts.values())
    made = ""
    if report["unknown"] == "made sounds":
        made = '; its "unknown" was made sounds alone'
        if not (report["streams"] and report["streams"]["negatives"]):
            made += ", so false accepts on real speech are unknown (--negatives)"
    return (
        f"{report['model']} on {commands + unknown + silence:,} {describe_split(report['split'])} "
        f"of {report['data']}: {commands:,} of commands, {unknown:,} unknown, {silence:,} "
        f"silence{made}"
    )


def condition_rows(report: Report) -> list[list[str]]:
    """Return a row for each condition."""
    rows = [["clips", "accuracy", "command recall", "false alarms: unknown words", "silence"]]
    for name, metrics in report["conditions"].items():
        rows.append([name, *map(percent, _shown(metrics))])
    return rows


def _shown(metrics: Metrics) -> list[Proportion]:
    return [
        metrics["accuracy"],
        metrics["command_recall"],
        metrics["false_alarms_on_unknown"],
        metrics["false_alarms_on_silence"],
    ]


def label_rows(report: Report) -> list[list[str]]:
    """Return a row for each label."""
    rows = [["label", "clips", "predictions", "recall", "precision"]]
    for label, metrics in report["labels"].items():
        recall, precision = metrics["recall"], metrics["precision"]
        counts = [str(recall["of"]), str(precision["of"])]
        rows.append([label, *counts, percent(recall), percent(precision)])
    return rows


def speaker_rows(report: Report) -> list[list[str]]:
    """Return a row for each half of the speakers."""
    rows = [["", "speakers", "clips", "accuracy", "command recall"]]
    for name, metrics in report["speakers"].items():
        accuracy, recall = metrics["accuracy"], metrics["command_recall"]
        counts = [str(metrics["speakers"]), str(accuracy["of"])]
        rows.append([name, *counts, percent(accuracy), percent(recall)])
    return rows


def predictions_csv(
    labels: Sequence[str], clips: EvaluationSet, probabilities: Probabilities
) -> str:
    """Return a line for each clip: its name, label, predicted label and its probability."""
    content = io.StringIO()
    writer = csv.writer(content, lineterminator="\n")
    writer.writerow(["clip", "label", "prediction", "probability"])
    for name, word, row in zip(clips.names, clips.words, probabilities, strict=True):
        best = int(row.argmax())
        label = word if word in labels else UNKNOWN
        writer.writerow([name, label, labels[best], f"{row[best]:.4f}"])
    return content.getvalue()
