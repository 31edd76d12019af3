"""The report of an evaluation: Markdown, JSON, two figures and the predictions."""

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
from training.evaluation.metrics import Metrics, Proportion, Summary
from training.output.tables import markdown_table

METHOD = """\
Intervals are Wilson's 95 % intervals. They assume independent clips. Clips of one speaker are
alike, so the true intervals are wider. False alarms are clips of unknown words and of silence for
which a command was predicted.

Noise: one second of noise is added to each clip, the same at every SNR and for every model. The SNR
is the ratio of the mean powers over the whole second. A clip of silence is replaced by its noise,
at the level that the noise has in a speech clip of median level. The sum is clipped to [-1, 1].
Shifts: positive shifts are later; zeros are shifted in.

Speakers are divided into two halves by the SHA-1 of their names, the same for every model. The
held-out half can check choices that were made on the other half alone. One half may be easier than
the other, so compare models on the same half."""


class Report(Summary):
    """What report.json holds: what was evaluated, and the metrics."""

    model: str
    sha256: str
    data: str
    split: str
    note: str
    seed: int
    noise: str


FILES = ("report.json", "report.md", "predictions.csv", "confusion.png", "noise.png")


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
    report: Report, clips: EvaluationSet, probabilities: Probabilities, folder: Path
) -> None:
    """Write report.json, report.md, confusion.png, noise.png and predictions.csv.

    Args:
        report: what was evaluated, and the metrics.
        clips: the clips that were evaluated.
        probabilities: predictions for the clean clips, (clips, labels).
        folder: where to write; it exists.
    """
    from training.figures.accuracy_in_noise import plot_noise
    from training.figures.confusion_matrix import plot_confusion

    labels, conditions = report["confusion"]["labels"], report["conditions"]
    write_text(folder / "report.md", report_markdown(report))
    write_text(folder / "report.json", json.dumps(report, indent=1, ensure_ascii=False))
    write_text(folder / "predictions.csv", predictions_csv(labels, clips, probabilities))
    plot_confusion(report["confusion"]["counts"], labels, folder / "confusion.png")
    by_snr = {f"{snr} dB": conditions[noisy(snr)] for snr in SNRS}
    plot_noise({"no noise": conditions[CLEAN]} | by_snr, folder / "noise.png")


def report_markdown(report: Report) -> str:
    """Return the report as Markdown."""
    clean = report["conditions"][CLEAN]
    clips = "all clips" if report["split"] == "all" else describe_split(report["split"])
    parts = [
        f"# {Path(report['model']).name}: {percent(clean['accuracy'])} on {clips}",
        f"Measured by `training/evaluate.py`: {headline(report)}. {report['note']}",
        f"- model: `{report['model']}`, SHA-256 `{report['sha256']}`\n"
        f"- data: `{report['data']}`, {clips}, seed {report['seed']}\n"
        f"- noise: {report['noise']}",
        condition_table(report),
        "![Accuracy in noise](noise.png)",
        "## Labels, clean clips",
        f"The mean recall of the labels is {clean['mean_recall_of_labels']:.2%}.",
        label_table(report),
        "![Confusion matrix](confusion.png)",
        "## Speakers, clean clips",
        "Commands and unknown words only: silence has no speaker.",
        speaker_table(report),
        "## Method",
        METHOD,
    ]
    return "\n\n".join(parts) + "\n"


def headline(report: Report) -> str:
    """Return which model was evaluated, and on how many clips."""
    counts = dict(report["clips"])
    unknown, silence = counts.pop(UNKNOWN), counts.pop(SILENCE)
    commands = sum(counts.values())
    return (
        f"{report['model']} on {commands + unknown + silence:,} {describe_split(report['split'])} "
        f"of {report['data']}: {commands:,} of commands, {unknown:,} unknown, {silence:,} silence"
    )


def condition_table(report: Report) -> str:
    """Return a Markdown table with a row for each condition."""
    rows = [["clips", "accuracy", "command recall", "false alarms: unknown words", "silence"]]
    for name, metrics in report["conditions"].items():
        rows.append([name, *map(percent, _shown(metrics))])
    return markdown_table(rows)


def _shown(metrics: Metrics) -> list[Proportion]:
    return [
        metrics["accuracy"],
        metrics["command_recall"],
        metrics["false_alarms_on_unknown"],
        metrics["false_alarms_on_silence"],
    ]


def label_table(report: Report) -> str:
    """Return a Markdown table with a row for each label."""
    rows = [["label", "clips", "predictions", "recall", "precision"]]
    for label, metrics in report["labels"].items():
        recall, precision = metrics["recall"], metrics["precision"]
        counts = [str(recall["of"]), str(precision["of"])]
        rows.append([label, *counts, percent(recall), percent(precision)])
    return markdown_table(rows)


def speaker_table(report: Report) -> str:
    """Return a Markdown table with a row for each half of the speakers."""
    rows = [["", "speakers", "clips", "accuracy", "command recall"]]
    for name, metrics in report["speakers"].items():
        accuracy, recall = metrics["accuracy"], metrics["command_recall"]
        counts = [str(metrics["speakers"]), str(accuracy["of"])]
        rows.append([name, *counts, percent(accuracy), percent(recall)])
    return markdown_table(rows)


def percent(proportion: Proportion) -> str:
    """Return a proportion in per cent with its interval; "-" where there are no clips."""
    share, low, high = proportion["share"], proportion["low"], proportion["high"]
    if share is None or low is None or high is None:
        return "-"
    return f"{100 * share:.2f}% ({100 * low:.1f} to {100 * high:.1f})"


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
