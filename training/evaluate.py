"""Measure a model on clips that it has not learnt from: as they are, in noise and shifted.

    python training/evaluate.py runs/medium --data speech_commands --report runs/medium/report

MODEL is a run's folder, a Keras model with its run's metrics.json beside it, or an exported
.tflite file. The same data, seed and labels give the same clips and the same noise, whatever the
model. The report's folder gets `report.md`, `report.json`, two pictures, and `answers.csv` with
the answer to every clip as it is.
"""

import argparse
import csv
import hashlib
import io
import json
import math
import os
import sys
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import numpy as np
import numpy.typing as npt
import scipy.special
from tqdm import tqdm

from speechgru import audio
from speechgru.audio import AudioError
from speechgru.modelfile import ModelError
from speechgru.recognizer import NOT_COMMANDS, Recognizer
from training.clips import (
    SPEAKER_MARK,
    Reading,
    find_recordings,
    one_second,
    printable,
    to_int16,
    warn,
)
from training.data import (
    RATE,
    SILENCE,
    UNKNOWN,
    WINDOW,
    Clip,
    DataError,
    EvaluationSet,
    Samples,
    evaluation_set,
    find_clips,
    held_out_noises,
    synthetic_noise,
)
from training.download import DownloadError, speech_commands
from training.files import write_text
from training.trained import load_trained

SNRS = (20, 10, 5, 0)  # dB
SHIFTS = (-100, -50, 50, 100)  # ms
CLEAN = "as they are"
BATCH = 256
NORMAL_95 = 1.959963984540054  # a normal variable is within this with a probability of 95 %
PARTS = ("development speakers", "held-out speakers")

Audio = npt.NDArray[np.float32]
Scores = npt.NDArray[np.float64]

NOT_OFFICIAL = {
    "validation": "Validation clips, on which recipes are compared: their accuracy is not official "
    "test accuracy.",
    "testing": "Testing clips, with unknown words and silence drawn by the seed: their accuracy "
    "is not quite that on the official test set, which has its own.",
    "test set": "Clips of a folder in the layout of the official test set, each as it is.",
    "all": "Every clip of the folder, as it is: whether training heard some of them is not known.",
}
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


class Model(NamedTuple):
    """A model: its file, its labels, and clips (n, WINDOW) -> probabilities (n, labels)."""

    path: Path
    labels: tuple[str, ...]
    score: Callable[[Audio], Scores]


def parse_arguments(arguments: list[str] | None = None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    add = parser.add_argument
    add("model", type=Path, metavar="MODEL", help="run folder, .keras or .tflite file")
    add(
        "--data",
        type=Path,
        metavar="DIR",
        help="folder of <word>/*.wav, or a test set with _unknown_ or _silence_ beside the words "
        "(default: Speech Commands v0.02, downloaded)",
    )
    add(
        "--split",
        choices=("validation", "testing", "all"),
        default="validation",
        help="all: every clip of the folder, none made; default: %(default)s",
    )
    add(
        "--noise",
        type=Path,
        metavar="DIR",
        help="noises that the model was not trained on (default: the last fifth of those in DATA)",
    )
    add("--seed", type=int, default=0, help="decides the draws, as in a recipe; default: 0")
    add("--report", type=Path, metavar="DIR", help="folder to write to (default: only a table)")
    parsed = parser.parse_args(arguments)
    if parsed.seed < 0:
        parser.error(f"--seed: expected 0 or more, found {parsed.seed}")
    return parsed


def main(arguments: list[str] | None = None) -> int:
    try:
        run(parse_arguments(arguments))
    except KeyboardInterrupt:
        return 130
    except (AudioError, DataError, DownloadError, ModelError, OSError, MemoryError) as error:
        print(f"evaluate.py: {' '.join(str(error).split())}", file=sys.stderr)
        return 2
    return 0


def run(parsed: argparse.Namespace) -> None:
    """Read, measure, report."""
    model = load_model(parsed.model)
    data = parsed.data or speech_commands()
    clips, kind = read_set(data, model.labels, parsed.split, parsed.seed)
    rng = np.random.default_rng((parsed.seed, 1))
    noises, source = find_noises(clips, parsed.noise, rng)
    if parsed.report:
        parsed.report.mkdir(parents=True, exist_ok=True)
    scores = listen(model, clips, noise_windows(noises, len(clips.words), rng))
    settings = {
        "model": printable(model.path),
        "sha256": hashlib.sha256(model.path.read_bytes()).hexdigest(),
        "data": printable(data),
        "split": parsed.split,
        "what": NOT_OFFICIAL[kind],
        "seed": parsed.seed,
        "noise": source,
    }
    report = settings | summarise(model.labels, clips, scores)
    print(f"{heading(report)}\n\n{table(condition_rows(report))}")
    if parsed.report:
        write(report, clips, scores[CLEAN], parsed.report)
        print(parsed.report / "report.md")


# The model


def load_model(path: Path) -> Model:
    """A run's folder, its model.keras, or an exported file.

    Raises:
        ModelError: there is no model, or none with labels, unknown and silence among them.
    """
    path = path / "model.keras" if path.is_dir() else path
    if not path.is_file():
        raise ModelError(f"{path}: expected a trained model, found nothing")
    labels, score = (_keras if path.suffix == ".keras" else _tflite)(path)
    missing = [label for label in NOT_COMMANDS if label not in labels]
    if missing:
        raise ModelError(f"{path}: expected a label {missing[0]}, found {' '.join(labels)}")
    return Model(path, labels, score)


def _tflite(path: Path) -> tuple[tuple[str, ...], Callable[[Audio], Scores]]:
    recognizer = Recognizer(path)

    def score(clips: Audio) -> Scores:
        found = [answer.scores for answer in recognizer.recognize(list(clips), RATE)]
        return np.array([[scores[label] for label in recognizer.labels] for scores in found])

    return recognizer.labels, score


def _keras(path: Path) -> tuple[tuple[str, ...], Callable[[Audio], Scores]]:
    model, metrics = load_trained(path)

    def score(clips: Audio) -> Scores:
        logits = np.asarray(model.predict_on_batch(clips), np.float64)
        return scipy.special.softmax(logits, axis=1)

    return tuple(metrics["labels"]), score


# The clips and the noise


def read_set(data: Path, labels: Sequence[str], split: str, seed: int) -> tuple[EvaluationSet, str]:
    """The clips to measure on, and which key of NOT_OFFICIAL they are.

    Raises:
        DataError: no command has a folder, or the folder no clips of the split.
    """
    commands = [label for label in labels if label not in NOT_COMMANDS]
    found = find_clips(data)
    words = {clip.word for clip in found}
    present = [word for word in commands if word in words]
    if not present:
        some = ", ".join(sorted(words)[:20])
        raise DataError(f"{data}: no clips of {', '.join(commands)}; there are clips of {some}")
    official = [label for label in NOT_COMMANDS if (data / f"_{label}_").is_dir()]
    if split == "validation" and len(official) == len(NOT_COMMANDS):
        raise DataError(f"{data}: expected validation clips, found a test set: --split testing")
    if split == "all" or (split == "testing" and official):
        clips, kind = every_clip(data, found), "all" if split == "all" else "test set"
    else:
        clips, kind = evaluation_set(data, words=present, split=split, seed=seed), split
    missing = [word for word in commands if word not in clips.words]
    if missing:
        warn(f"{data}: no {of_split(split)}clips of {', '.join(missing)}")
    return clips, kind


def of_split(split: str) -> str:
    return "" if split == "all" else f"{split} "


def every_clip(data: Path, found: Sequence[Clip]) -> EvaluationSet:
    """All `found` clips of a folder, and those in `_unknown_` and `_silence_`, each as it is."""
    rows = [(clip.path, clip.word, clip.speaker) for clip in found]
    for path in find_recordings(data / "_unknown_"):  # <word>_<speaker>_nohash_<take>.wav
        rows.append((path, UNKNOWN, path.stem.partition(SPEAKER_MARK)[0].rpartition("_")[2]))
    rows += [(path, SILENCE, "") for path in find_recordings(data / "_silence_")]
    samples = np.empty((len(rows), WINDOW), np.int16)
    bar = tqdm(rows, desc="test clips", disable=None, leave=False, unit="file")
    for number, (path, _, _) in enumerate(bar):
        samples[number] = to_int16(one_second(audio.load(path)))
    paths, words, speakers = zip(*rows, strict=True)
    names = [printable(path.relative_to(data).as_posix()) for path in paths]
    noises = held_out_noises(data)
    return EvaluationSet(samples, list(words), names, list(speakers), noises)


def find_noises(
    clips: EvaluationSet, folder: Path | None, rng: np.random.Generator
) -> tuple[list[Samples], str]:
    """Noises at 16 kHz, each with some sound in it, and where they come from.

    Raises:
        DataError: no noise in the folder.
    """
    if folder is not None:
        reading = Reading()
        files = {path.resolve(): path for path in find_recordings(folder)}  # each file once
        read = reading.each([*files.values()], to_int16, folder.name, folder)
        noises = [noise for _, noise in read if noise.any()]
        reading.check()
        reading.show()
        if not noises:
            raise DataError(f"{folder}: expected noise recordings with sound, found none")
        return noises, f"{len(noises)} recordings of {printable(folder)}"
    noises = [noise for noise in clips.noises if noise.any()]
    if noises:
        which = f"the last fifth of {len(noises)} recordings in _background_noise_"
        return noises, f"{which}; training may have heard the rest of them"
    made = synthetic_noise(clips.samples, rng, seconds=2)
    noises = [to_int16(0.05 * noise / noise.std()) for noise in made]
    return noises, f"{len(noises)} made noises, for want of recordings"


def noise_windows(noises: Sequence[Samples], count: int, rng: np.random.Generator) -> Samples:
    """Random seconds of random noises, none of them zero, int16 (count, WINDOW).

    A noise that is shorter is repeated.
    """
    windows = np.zeros((count, WINDOW), np.int16)
    for window in windows:
        while not window.any():
            noise = noises[rng.integers(len(noises))]
            start = rng.integers(max(0, noise.size - WINDOW) + 1)
            window[:] = np.resize(noise[start : start + WINDOW], WINDOW)
    return windows


# Measuring


def listen(model: Model, clips: EvaluationSet, noise: Samples) -> dict[str, Scores]:
    """For each condition the probabilities of the model's labels, (clips, labels).

    Raises:
        ModelError: one of them is no finite number.
    """
    silent = np.array([word == SILENCE for word in clips.words])
    level = np.array([rms(as_float(clip[None]))[0] for clip in clips.samples])
    level[silent] = np.median(level[~silent])
    scores: dict[str, list[Scores]] = {}
    total = len(silent) * (1 + len(SNRS) + len(SHIFTS))
    with tqdm(total=total, desc="listening", disable=None, leave=False, unit="clip") as bar:
        for start in range(0, len(silent), BATCH):
            rows = slice(start, start + BATCH)
            batch = as_float(clips.samples[rows]), as_float(noise[rows]), level[rows], silent[rows]
            for name, heard in conditions(*batch):
                scores.setdefault(name, []).append(model.score(heard))
                bar.update(len(heard))
    joined = {name: np.concatenate(parts) for name, parts in scores.items()}
    if not all(np.isfinite(found).all() for found in joined.values()):
        raise ModelError(f"{model.path}: expected probabilities, found some that are no numbers")
    return joined


def conditions(
    clips: Audio, noise: Audio, level: npt.NDArray[np.float64], silent: npt.NDArray[np.bool_]
) -> Iterator[tuple[str, Audio]]:
    """What is heard of clips (n, WINDOW), under the name of each condition.

    In noise a silent clip is its noise alone. `level` is what the SNR refers to: RMS, (n,).
    """
    yield CLEAN, clips
    speech = np.where(silent[:, None], np.float32(0), clips)
    for snr in SNRS:
        yield f"noise at {snr} dB", add_noise(speech, noise, level, snr)
    for shift in SHIFTS:
        yield f"shift of {shift:+d} ms", shifted(clips, shift * RATE // 1000)


def add_noise(clips: Audio, noise: Audio, level: npt.NDArray[np.float64], snr: float) -> Audio:
    """Clips with noise that is `snr` dB below `level`, clipped to [-1, 1]."""
    gain = level / 10 ** (snr / 20) / rms(noise)
    return np.clip(clips + gain[:, None] * noise, -1, 1).astype(np.float32)


def shifted(clips: Audio, samples: int) -> Audio:
    """Clips `samples` later, or earlier where that is negative, with zeros moved in."""
    later, earlier = max(samples, 0), max(-samples, 0)
    return np.pad(clips, ((0, 0), (later, earlier)))[:, earlier : earlier + clips.shape[1]]


def rms(clips: Audio) -> npt.NDArray[np.float64]:
    """Root mean square of each clip, (n,)."""
    return np.sqrt(np.square(clips, dtype=np.float64).mean(axis=1))


def as_float(clips: Samples) -> Audio:
    return clips.astype(np.float32) / 32768


def held_out(speaker: str) -> bool:
    """Whether a speaker is of the half that no choice is to be made on: an odd SHA-1."""
    return hashlib.sha1(os.fsencode(speaker)).digest()[-1] % 2 == 1


# What it comes to


def summarise(
    labels: Sequence[str], clips: EvaluationSet, scores: dict[str, Scores]
) -> dict[str, Any]:
    """Every figure of the report, from the probabilities that the model gave."""
    numbers = {label: number for number, label in enumerate(labels)}
    truth = np.array([numbers.get(word, numbers[UNKNOWN]) for word in clips.words])
    answers = {name: found.argmax(axis=1) for name, found in scores.items()}

    def matrix(name: str, rows: Any = slice(None)) -> npt.NDArray[np.int64]:
        counts = np.zeros((len(labels), len(labels)), np.int64)
        np.add.at(counts, (truth[rows], answers[name][rows]), 1)
        return counts

    whole = matrix(CLEAN)
    parts = {}
    for part in PARTS:
        rows = np.array([bool(s) and held_out(s) == (part == PARTS[1]) for s in clips.speakers])
        of = {speaker for speaker, inside in zip(clips.speakers, rows, strict=True) if inside}
        parts[part] = {"speakers": len(of)} | outcome(matrix(CLEAN, rows), labels)
    return {
        "clips": dict(zip(labels, whole.sum(axis=1).tolist(), strict=True)),
        "conditions": {name: outcome(matrix(name), labels) for name in scores},
        "labels": {
            label: {
                "recall": share(whole[number, number], whole[number].sum()),
                "precision": share(whole[number, number], whole[:, number].sum()),
            }
            for number, label in enumerate(labels)
        },
        "confusion": {"rows": "spoken", "labels": list(labels), "counts": whole.tolist()},
        "speakers": parts,
    }


def outcome(matrix: npt.NDArray[np.int64], labels: Sequence[str]) -> dict[str, Any]:
    """What a confusion matrix (rows are the true labels) comes to."""
    right, clips = np.diag(matrix), matrix.sum(axis=1)
    commands = np.array([label not in NOT_COMMANDS for label in labels])
    unknown, silence = labels.index(UNKNOWN), labels.index(SILENCE)
    recalls = right[clips > 0] / clips[clips > 0]
    return {
        "accuracy": share(right.sum(), clips.sum()),
        "command_recall": share(right[commands].sum(), clips[commands].sum()),
        "unknown_recall": share(right[unknown], clips[unknown]),
        "silence_recall": share(right[silence], clips[silence]),
        "mean_recall_of_labels": float(recalls.mean()) if recalls.size else None,
        "false_commands_of_unknown": share(matrix[unknown, commands].sum(), clips[unknown]),
        "false_commands_of_silence": share(matrix[silence, commands].sum(), clips[silence]),
    }


def share(count: int, of: int) -> dict[str, Any]:
    """A count as a share, with its 95 % interval; no numbers for a share of nothing."""
    low, high = wilson(int(count), int(of)) if of else (None, None)
    value = int(count) / int(of) if of else None
    return {"share": value, "low": low, "high": high, "count": int(count), "of": int(of)}


def wilson(count: int, of: int) -> tuple[float, float]:
    """The 95 % score interval of a share (Wilson 1927), which stays in [0, 1]."""
    square = NORMAL_95**2
    centre = (count + square / 2) / (of + square)
    half = NORMAL_95 / (of + square) * math.sqrt(count * (of - count) / of + square / 4)
    # Where nothing or everything is counted, the end is exact, however the sum is rounded.
    return centre - half if count else 0.0, centre + half if count < of else 1.0


# The report


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
    from training import plots  # loads TensorFlow

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
    plots.confusion(report["confusion"]["counts"], labels, folder / "confusion.png")
    in_noise = {f"{snr} dB": conditions[f"noise at {snr} dB"] for snr in SNRS}
    plots.noise({"no noise": clean} | in_noise, folder / "noise.png")


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


if __name__ == "__main__":
    sys.exit(main())
