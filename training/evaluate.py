"""Evaluate a model on clips that it was not trained on: clean, in noise and shifted in time.

    python training/evaluate.py runs/medium --data speech_commands --report runs/medium/report

MODEL is a run's folder, a Keras model with its run's metrics.json beside it, or an exported .tflite
file. The same data, seed and labels give the same clips and the same noise for every model. The
report is report.md, report.json, two figures, and predictions.csv with the prediction for every
clean clip.
"""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

if __name__ == "__main__":  # the repository instead of this folder, whose names could hide packages
    sys.path[0] = str(Path(__file__).resolve().parents[1])

from training.output.script import script


def parse_arguments(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
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
        help="all: every clip of the folder, and nothing else (default: %(default)s)",
    )
    add(
        "--noise",
        type=Path,
        metavar="DIR",
        help="noise recordings that the model was not trained on (default: the last fifth of each "
        "recording in DATA/_background_noise_)",
    )
    add("--seed", type=int, default=0, help="seed of all random choices (default: %(default)s)")
    add("--report", type=Path, metavar="DIR", help="folder of the report (default: only a table)")
    options = parser.parse_args(arguments)
    if options.seed < 0:
        parser.error(f"--seed: expected 0 or more, found {options.seed}")
    return options


@script
def main(arguments: Sequence[str] | None = None) -> None:
    options = parse_arguments(arguments)
    from training.data.official_release import speech_commands
    from training.evaluation.evaluated_model import load_model
    from training.evaluation.evaluation import evaluate
    from training.evaluation.report import condition_table, headline

    model = load_model(options.model)
    report = evaluate(
        model,
        options.data or speech_commands(),
        split=options.split,
        noise=options.noise,
        seed=options.seed,
        report_folder=options.report,
    )
    print(f"{headline(report)}\n\n{condition_table(report)}\n")
    if options.report:
        print(options.report / "report.md")


if __name__ == "__main__":
    sys.exit(main())
