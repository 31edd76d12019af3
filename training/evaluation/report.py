"""TODO: report."""

import csv
import io
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from training.clips.words import SILENCE, UNKNOWN
from training.data.evaluation_set import EvaluationSet
from training.evaluation.clips import of_split
from training.evaluation.conditions import CLEAN, SNRS
from training.evaluation.model import Scores
from training.output.atomic_files import write_text

METHOD = """\
Intervals are those of Wilson, 95 %, and take clips for independent: clips of one speaker are alike,
so that true intervals are wider. False commands are the clips of unknown words and of silence that
are taken for a command.

Noise: each clip has one second of noise, the same at every SNR and for every model. SNR is the
ratio of mean powers over the whole second. A clip of silence is replaced by its noise, at the level
that the noise has in a speech clip of median level. The sum is clipped to [-1, 1].
Shifts: + is later; what is moved in is zeros.

Speakers are divided by the SHA-1 of their names, which is the same for every model. The held-out
half can check choices that were made on the other alone. One half may be easier than the other:
compare models on one half, not the halves with each other.
"""


def heading(report: dict[str, Any]) -> str:
    count = dict(report["clips"])
    unknown, silence = count.pop(UNKNOWN), count.pop(SILENCE)
    commands = sum(count.values())
    split = of_split(report["split"])
    return (
        f"{report['model']} on {commands + unknown + silence:,} {split}clips of "
        f"{report['data']}: {commands:,} of commands, {unknown:,} unknown, {silence:,} silence"
    )


def condition_rows(report: dict[str, Any]) -> list[list[str]]:
    """A table, its head first."""
    head = ["clips", "accuracy", "recall of commands", "false commands: unknown", "silence"]
    keys = ("accuracy", "command_recall", "false_commands_of_unknown", "false_commands_of_silence")
    rows = [[name, *(text(found[k]) for k in keys)] for name, found in report["conditions"].items()]
    return [head, *rows]


def text(found: dict[str, Any]) -> str:
    """A share in per cent with its interval."""
    if not found["of"]:
        return "-"
    value, low, high = (100 * found[key] for key in ("share", "low", "high"))
    return f"{value:.2f}% ({low:.1f} to {high:.1f})"


def table(rows: Sequence[Sequence[str]]) -> str:
    """Rows, the head first, as a Markdown table with aligned columns."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    lines = [rows[0], ["-" * width for width in widths], *rows[1:]]
    padded = ([c.ljust(w) for c, w in zip(line, widths, strict=True)] for line in lines)
    return "".join(f"| {' | '.join(line)} |\n" for line in padded)


def write(report: dict[str, Any], clips: EvaluationSet, scores: Scores, folder: Path) -> None:
    """report.json, report.md, confusion.png, noise.png and answers.csv in a folder."""
    from training.figures.confusion_matrix import plot_confusion
    from training.figures.noise import plot_noise

    labels, conditions = report["confusion"]["labels"], report["conditions"]
    clean = conditions[CLEAN]
    by_label = [["label", "clips", "answers", "recall", "precision"]]
    for label, found in report["labels"].items():
        recall, precision = found["recall"], found["precision"]
        counts = [str(recall["of"]), str(precision["of"])]
        by_label.append([label, *counts, text(recall), text(precision)])
    by_speaker = [["", "speakers", "clips", "accuracy", "recall of commands"]]
    for part, found in report["speakers"].items():
        counts = [str(found["speakers"]), str(found["accuracy"]["of"])]
        by_speaker.append([part, *counts, text(found["accuracy"]), text(found["command_recall"])])
    lines = [
        f"# {Path(report['model']).name}: {text(clean['accuracy'])} on {report['split']} clips\n",
        f"Measured by `training/evaluate.py`: {heading(report)}. {report['what']}\n",
        f"- model: `{report['model']}`, SHA-256 `{report['sha256']}`",
        f"- data: `{report['data']}`, {report['split']} clips, seed {report['seed']}",
        f"- noise: {report['noise']}\n",
        table(condition_rows(report)),
        "![Accuracy in noise](noise.png)\n",
        f"## Labels, clips {CLEAN}\n",
        f"The mean of the labels' recalls is {clean['mean_recall_of_labels']:.2%}.\n",
        table(by_label),
        "![Confusion matrix](confusion.png)\n",
        f"## Speakers, clips {CLEAN}\n",
        "Commands and unknown words; silence has no speaker.\n",
        table(by_speaker),
        f"## How it was measured\n\n{METHOD}",
    ]
    write_text(folder / "report.md", "\n".join(lines))
    write_text(folder / "report.json", json.dumps(report, indent=1, ensure_ascii=False))
    write_text(folder / "answers.csv", answers_csv(labels, clips, scores))
    plot_confusion(report["confusion"]["counts"], labels, folder / "confusion.png")
    in_noise = {f"{snr} dB": conditions[f"noise at {snr} dB"] for snr in SNRS}
    plot_noise({"no noise": clean} | in_noise, folder / "noise.png")


def answers_csv(labels: Sequence[str], clips: EvaluationSet, scores: Scores) -> str:
    """A line for each clip: its name, its label, the answer and the answer's probability."""
    content = io.StringIO()
    writer = csv.writer(content, lineterminator="\n")
    writer.writerow(["clip", "label", "answer", "probability"])
    for name, word, row in zip(clips.names, clips.words, scores, strict=True):
        best = int(row.argmax())
        label = word if word in labels else UNKNOWN
        writer.writerow([name, label, labels[best], f"{row[best]:.4f}"])
    return content.getvalue()
