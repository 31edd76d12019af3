"""Measure a model on clips that it has not learnt from: as they are, in noise and shifted.

    python training/evaluate.py runs/medium --data speech_commands --report runs/medium/report

MODEL is a run's folder, a Keras model with its run's metrics.json beside it, or an exported
.tflite file. The same data, seed and labels give the same clips and the same noise, whatever the
model. The report's folder gets `report.md`, `report.json`, two pictures, and `answers.csv` with
the answer to every clip as it is.
"""

import argparse
import hashlib
import os
import sys
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
import numpy as np

from speechgru.audio import AudioError
from speechgru.modelfile import ModelError
from training.clips.errors import DataError
from training.download import DownloadError, speech_commands
from training.evaluation.clips import NOT_OFFICIAL, read_set
from training.evaluation.conditions import CLEAN, listen
from training.evaluation.metrics import summarise
from training.evaluation.model import load_model
from training.evaluation.noises import find_noises, noise_windows
from training.evaluation.report import condition_rows, heading, table, write
from training.output.messages import printable


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


if __name__ == "__main__":
    sys.exit(main())
