"""Measure how many recordings a model of own words needs, with and without synthetic voices.

    python benchmarks/few_recordings.py --data speech_commands --negatives negative_validation \
        --out runs/few_recordings

It trains on 1, 5, 10 and 30 clips of each word, by as few people as possible: from scratch, from
`medium`, and from `medium` with speech of the installed synthetic voices, which are also tried
alone. Apart from the voices, nothing else is trained on. Every model is then measured on people who
took no part: on the validation clips of Speech Commands, and in streams, with thresholds chosen on
half of the speakers and measured on the other half. `medium` has learned clips of these words as
"unknown".

Run it again after an interruption: finished parts are not repeated.
"""

import argparse
import csv
import dataclasses
import json
import shlex
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

if __name__ == "__main__":  # the repository instead of this folder, whose names could hide packages
    sys.path[0] = str(Path(__file__).resolve().parents[1])

import numpy as np

from speechgru.atomic_files import write_text
from speechgru.detection import NOT_COMMANDS
from speechgru.errors import SpeechGRUError
from training.clips.clip import Clip
from training.clips.errors import DataError
from training.clips.finding import find_clips, find_recordings
from training.clips.splitting import Split, split_clips
from training.output.script import script
from training.output.tables import markdown_table
from training.own_words.run import link

ROOT = Path(__file__).resolve().parents[1]
WORDS = ("forward", "backward", "six")  # one person says each of them four or five times
COUNTS = (1, 5, 10, 30)
ENOUGH = 0.8  # of the clips of each word; one person with 4 or 5 of each is enough for 5
RECIPE = "few_recordings"
SNR = 10  # dB, of the words in streams
TRANSCRIPTS = "sentences.tsv"  # beside recordings of sentences

HEADER = (
    "clips a word",
    "people",
    "trained",
    "right (words)",
    "taken for a command (other words)",
    "found in streams at 10 dB",
    "false accepts an hour",
)


class RunError(SpeechGRUError, RuntimeError):
    """A command that failed. Its own message is on stderr."""


@dataclasses.dataclass(frozen=True)
class Run:
    """A model of the curve.

    Attributes:
        count: recordings of each word; 0: none.
        start: the bundled model that it continues from, or None.
        voices: whether speech of synthetic voices is trained on.
    """

    count: int
    start: str | None
    voices: bool

    @property
    def name(self) -> str:
        """The name of its folder."""
        return f"{self.count}-{self.start or 'scratch'}{'-voices' if self.voices else ''}"

    @property
    def description(self) -> str:
        """How it is trained, for the table."""
        start = f"from {self.start}" if self.start else "from scratch"
        return start + (" with voices" if self.voices else "")


@script
def main(arguments: Sequence[str] | None = None) -> None:
    """Speak, train, measure, and print the table."""
    options = _parse(arguments)
    clips = find_clips(options.data)
    split = split_clips(options.data, clips, commands=options.words)
    people = {}
    for count in options.counts:
        chosen = few_clips(split.training, options.words, count)
        people[count] = len({clip.speaker for clip in chosen})
        _link_clips(chosen, options.out / f"recordings-{count}")
        print(f"{count} clips a word: {len(chosen)} clips of {people[count]} people")
    link_negatives(options.negatives, options.words, options.out / "negatives")
    if options.voices:
        _speak(options.out / "speech", options.words)
    rows = [HEADER]
    for run in runs(options.counts, options.voices):
        command = _command(run, options)
        model = _train(command, options.out / run.name)
        measured = _measure(model, options, split)
        rows.append(row(run, people.get(run.count, 0), measured))
        print(markdown_table([HEADER, rows[-1]]), flush=True)
    table = markdown_table(rows)
    write_text(options.out / "few_recordings.md", f"{table}\n")
    print(f"\n{table}\n\n{options.out / 'few_recordings.md'}")


def _parse(arguments: Sequence[str] | None) -> argparse.Namespace:
    assert __doc__
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    add = parser.add_argument
    add("--data", type=Path, metavar="DIR", required=True, help="Speech Commands")
    add(
        "--negatives",
        type=Path,
        metavar="DIR",
        required=True,
        help="recordings of speech; where sentences.tsv has their text, those that hold a word of "
        "--words are left out",
    )
    add("--words", nargs="+", default=WORDS, metavar="W", help=f"default: {' '.join(WORDS)}")
    add(
        "--counts",
        type=int,
        nargs="+",
        default=COUNTS,
        metavar="N",
        help=f"clips of each word (default: {' '.join(map(str, COUNTS))})",
    )
    add("--recipe", default=RECIPE, help="default: %(default)s")
    add("--epochs", type=int, help="of each training (default: the recipe's)")
    add("--no-voices", dest="voices", action="store_false", help="leave the voices out")
    add("--out", type=Path, required=True, metavar="DIR", help="folder of everything that is made")
    return parser.parse_args(arguments)


def runs(counts: Sequence[int], voices: bool) -> list[Run]:
    """Return the models of the curve."""
    all_runs = [Run(0, "medium", True)]
    for count in counts:
        all_runs += [
            Run(count, None, False),
            Run(count, "medium", False),
            Run(count, "medium", True),
        ]
    return [run for run in all_runs if voices or not run.voices]


def few_clips(clips: Sequence[Clip], words: Sequence[str], count: int) -> list[Clip]:
    """Return clips of each word by as few people as possible, in the order of their choice.

    The next person is the one with the most clips of the word of which it has fewest, then with the
    most clips that are still missing. No more people are added when every word has `ENOUGH` of
    `count`.

    Args:
        clips: clips to choose from.
        words: the words.
        count: clips of each word.

    Raises:
        DataError: there are not so many clips.
    """
    takes: dict[str, dict[str, list[Clip]]] = {}
    for clip in sorted(clips, key=lambda clip: clip.key):
        if clip.word in words:
            takes.setdefault(clip.speaker, {word: [] for word in words})[clip.word].append(clip)
    missing = dict.fromkeys(words, count)
    chosen: list[Clip] = []

    def value(speaker: str) -> tuple[int, int, int]:
        own = {word: len(found) for word, found in takes[speaker].items()}
        added = {word: min(own[word], missing[word]) for word in words if missing[word]}
        return min(added.values()), sum(added.values()), sum(own.values())

    while any(count - left < ENOUGH * count for left in missing.values()):
        best = max(sorted(takes), key=value, default=None)
        if best is None or not value(best)[1]:
            found = ", ".join(f"{count - missing[word]} of {word}" for word in words)
            raise DataError(f"expected {count} clips of each word to train on, found {found}")
        for word, own in takes.pop(best).items():
            chosen += own[: missing[word]]
            missing[word] -= len(own[: missing[word]])
    return chosen


def _link_clips(clips: Sequence[Clip], folder: Path) -> None:
    for clip in clips:
        link(clip.path, folder / clip.word / clip.path.name)


def link_negatives(folder: Path, words: Sequence[str], out: Path) -> None:
    """Link the recordings that hold none of the words, as far as their transcripts tell."""
    texts: dict[str, list[str]] = {}
    if (folder / TRANSCRIPTS).is_file():
        with open(folder / TRANSCRIPTS, encoding="utf-8", newline="") as file:
            for line in csv.DictReader(file, delimiter="\t", quoting=csv.QUOTE_NONE):
                texts[line.get("file") or ""] = (line.get("transcript") or "").casefold().split()
    recordings = find_recordings(folder)
    ours = {word.casefold() for word in words}
    without = [path for path in recordings if not ours & {*texts.get(path.name, ())}]
    for path in without:
        link(path, out / path.relative_to(folder))
    print(
        f"{len(without)} of {len(recordings)} recordings of {folder} hold none of the words"
        + ("" if texts else " (without transcripts, all are taken)")
    )


def _speak(folder: Path, words: Sequence[str]) -> None:
    """Let the voices speak what they speak for `train.py --phrases`; what is there stays."""
    from training.own_words.speech import plan_speech, speak
    from training.voices.languages import find_language

    speech = plan_speech(folder, tuple(words), find_language("en"), seed=0)
    print("\n".join(speech.description), flush=True)
    speak(speech)


def _command(run: Run, options: argparse.Namespace) -> list[str]:
    """Return the arguments of train.py."""
    clips, sentences = options.out / "speech" / "clips", options.out / "speech" / "sentences"
    data = options.out / f"recordings-{run.count}" if run.count else clips
    command = ["--data", str(data), "--words", *options.words, "--recipe", options.recipe]
    if run.start:
        command += ["--start", run.start]
    if run.voices and run.count:
        command += ["--synthetic", str(clips)]
    if run.voices:
        command += ["--negative", str(sentences)]
    if options.epochs:
        command += ["--epochs", str(options.epochs)]
    return [*command, "--out", str(options.out / run.name)]


def _train(command: Sequence[str], folder: Path) -> Path:
    """Train and export a model, unless it is done.

    Returns:
        The exported model.
    """
    from training.run_files.run_folder import STARTED

    model = folder / "model.tflite"
    if not (folder / "metrics.json").exists():
        if (folder / STARTED).exists():
            command = ["--resume", "--out", str(folder)]
        _call("training/train.py", *command)
    if not model.exists():
        _call("export/export.py", str(folder))
    return model


def _call(path: str, *arguments: str) -> None:
    print(shlex.join(["python", path, *arguments]), flush=True)
    code = subprocess.run([sys.executable, str(ROOT / path), *arguments], check=False).returncode
    if code == 130:
        raise KeyboardInterrupt
    if code:
        raise RunError(f"{path}: expected exit code 0, found {code}")


def _measure(model: Path, options: argparse.Namespace, split: Split) -> dict[str, Any]:
    """Measure a model, or read what was measured before."""
    from training.evaluation.conditions import as_float
    from training.evaluation.evaluated_model import load_model
    from training.evaluation.evaluation_clips import read_every_clip
    from training.evaluation.streams.evaluation import evaluate_streams
    from training.evaluation.streams.options import StreamOptions
    from training.evaluation.streams.recipe import StreamRecipe
    from training.own_words.run import FALSE_ACCEPTS

    path = model.parent / "measured.json"
    if path.exists():
        measured: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        return measured
    print(f"measuring {model}", flush=True)
    evaluated = load_model(model)
    clips = read_every_clip(options.data, split.validation, options.words, evaluated.window)
    numbers = evaluated.predict(as_float(clips.samples)).argmax(axis=1)
    predicted = np.array(evaluated.labels)[numbers]
    spoken = np.array(clips.words)
    ours = np.isin(spoken, options.words)
    rows = np.flatnonzero(ours)
    commands = clips._replace(
        samples=clips.samples[rows],
        words=[clips.words[row] for row in rows],
        names=[clips.names[row] for row in rows],
        speakers=[clips.speakers[row] for row in rows],
    )
    recipe = StreamRecipe(snrs=(SNR,), noise_minutes=0)
    streams = StreamOptions(recipe, [options.out / "negatives"], choose=FALSE_ACCEPTS)
    noises = [noise for noise in clips.noises if noise.any()]
    report = evaluate_streams(model, commands, noises, streams).report
    measured = {
        "right": int(np.sum(predicted[ours] == spoken[ours])),
        "words": int(ours.sum()),
        "taken": int(np.sum(~np.isin(predicted[~ours], NOT_COMMANDS))),
        "others": int(np.sum(~ours)),
        "streams": report["words"],
        "negatives": report["negatives"],
    }
    write_text(path, json.dumps(measured, indent=1))
    return measured


def row(run: Run, people: int, measured: dict[str, Any]) -> tuple[str, ...]:
    """Return a row of the table."""
    found = measured["streams"][f"noise at {SNR} dB"]["recall_held_out"]
    accepts = measured["negatives"]["all folders"]["held_out"]
    return (
        str(run.count),
        str(people),
        run.description,
        f"{measured['right'] / measured['words']:.0%}",
        f"{measured['taken'] / measured['others']:.1%}",
        f"{found['count']} of {found['of']}",
        f"{accepts['per_hour']:.1f} ({accepts['count']} in {accepts['hours']:.2f} hours)",
    )


if __name__ == "__main__":
    sys.exit(main())
