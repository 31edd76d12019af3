"""Evaluate a model on clips and streams that it was not trained on.

    python training/evaluate.py runs/medium --data speech_commands --report runs/medium/report
    python training/evaluate.py MODEL.tflite --negatives negative_validation --report report
    python training/evaluate.py MODEL.tflite --negatives negative_validation --choose-thresholds 1
    python training/evaluate.py --compare reports/a reports/b

MODEL is a run's folder, a Keras model with its run's metrics.json beside it, or an exported .tflite
file. Only a .tflite file is evaluated in streams and on whole recordings. The same data, seed and
labels give the same clips, noise, streams and recordings for every model. The report is
report.html, report.md and report.json, figures, and tables with each prediction, word, false accept
and answer.
"""

import argparse
import dataclasses
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

if __name__ == "__main__":  # the repository instead of this folder, whose names could hide packages
    sys.path[0] = str(Path(__file__).resolve().parents[1])

from training.output.script import script

if TYPE_CHECKING:
    from training.evaluation.streams.options import StreamOptions

DEFAULT_STREAMS = Path(__file__).parent / "evaluation" / "streams" / "streams.toml"


def parse_arguments(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    add = parser.add_argument
    add("model", type=Path, metavar="MODEL", nargs="?", help="run folder, .keras or .tflite file")
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
    add("--seed", type=int, help="seed of all random choices (default: 0)")
    add("--report", type=Path, metavar="DIR", help="folder of the report (default: only a table)")
    streams = parser.add_argument_group("streams and whole recordings, for a .tflite file")
    add = streams.add_argument
    add(
        "--negatives",
        type=Path,
        metavar="DIR",
        nargs="+",
        default=[],
        help="recordings without a command, to count false accepts and wrong answers in",
    )
    add(
        "--streams",
        type=Path,
        metavar="FILE",
        nargs="?",
        const=DEFAULT_STREAMS,
        help="evaluate in streams also without --negatives; FILE is the recipe of the streams "
        "(default: training/evaluation/streams/streams.toml)",
    )
    add(
        "--choose-thresholds",
        type=float,
        metavar="N",
        help="choose thresholds for at most N false accepts an hour on one half of the speakers of "
        "--negatives, and the constants for whole recordings, check them on the other half, and "
        "write them into MODEL",
    )
    add(
        "--reserved",
        action="store_true",
        help="use the third of the speakers that is left out otherwise, for a last check",
    )
    parser.add_argument(
        "--compare", type=Path, nargs=2, metavar=("A", "B"), help="compare two reports, by clip"
    )
    options = parser.parse_args(arguments)
    _check(parser, options)
    return options


def _check(parser: argparse.ArgumentParser, options: argparse.Namespace) -> None:
    if (options.model is None) == (options.compare is None):
        parser.error("expected either MODEL or --compare A B")
    if options.seed is not None and not 0 <= options.seed < 2**31 - 1:
        parser.error(f"--seed: expected 0 or more, found {options.seed}")
    rate = options.choose_thresholds
    if rate is not None and not 0 < rate <= 10_000:
        parser.error(f"--choose-thresholds: expected more than 0, up to 10,000, found {rate}")
    if rate is not None and not options.negatives:
        parser.error("--choose-thresholds: expected --negatives, too")
    if rate is not None and options.reserved:
        parser.error("--reserved: these speakers are not to choose thresholds on")


def _streams(options: argparse.Namespace) -> "StreamOptions | None":
    if not options.negatives and options.streams is None:
        return None
    from training.evaluation.speakers import RESERVED, UNRESERVED
    from training.evaluation.streams.options import StreamOptions
    from training.evaluation.streams.recipe import load_stream_recipe

    recipe = load_stream_recipe(options.streams or DEFAULT_STREAMS)
    if options.seed is not None:
        recipe = dataclasses.replace(recipe, seed=options.seed)
    speakers = RESERVED if options.reserved else UNRESERVED
    return StreamOptions(recipe, options.negatives, speakers, options.choose_thresholds)


@script
def main(arguments: Sequence[str] | None = None) -> None:
    options = parse_arguments(arguments)
    if options.compare:
        from training.evaluation.paired_comparison import compare_reports

        print(compare_reports(*options.compare))
        return
    from training.data.official_release import speech_commands
    from training.evaluation.evaluated_model import load_model
    from training.evaluation.evaluation import evaluate
    from training.evaluation.report import headline, tables

    streams = _streams(options)
    report = evaluate(
        load_model(options.model),
        options.data or speech_commands(),
        split=options.split,
        noise=options.noise,
        seed=options.seed or 0,
        report_folder=options.report,
        streams=streams,
    )
    print(f"{headline(report)}\n\n{tables(report)}\n")
    if options.report:
        print(options.report / "report.md")


if __name__ == "__main__":
    sys.exit(main())
