"""Compare recurrent cells: plain RNN, LSTM, and the GRU in both conventions of both gates.

    python training/compare.py --data speech_commands --out build/compare
    python training/compare.py --quick --out build/compare

Every cell learns the same task from the same batches, with the same optimizer and three seeds, once
at equal units and once at equal parameters. The task is speech commands, in a network with one
convolution before the cell; with --quick it is to recall which of four symbols a sequence began
with. This writes compare.md, accuracy.png and gradients.png (how much of the loss's gradient
reaches the states of earlier steps).

Then the cells learn to recall the first symbol at lags of 10 to 500 steps: lags.md and lags.png.
Three more cells show that the initialization decides: a plain RNN whose U is not orthogonal, and
an LSTM and a GRU whose gates start nearly closed.
"""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

if __name__ == "__main__":  # the repository instead of this folder, whose names could hide packages
    sys.path[0] = str(Path(__file__).resolve().parents[1])

from training.output.script import script
from training.output.tensorflow_start import start_tensorflow


def parse_arguments(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    add = parser.add_argument
    add("--data", type=Path, metavar="DIR", help="folder of <word>/*.wav (default: downloaded)")
    add("--quick", action="store_true", help="symbols instead of speech, and only short lags")
    add("--out", type=Path, default=Path("build/compare"), metavar="DIR", help="for the results")
    add("--seeds", type=int, default=3, metavar="N", help="repetitions (default: %(default)s)")
    add("--epochs", type=int, default=15, metavar="N", help="default: %(default)s")
    add("--steps", type=int, default=200, metavar="N", help="batches an epoch (default: 200)")
    add("--lag-steps", type=int, default=1000, metavar="N", help="batches a lag (default: 1000)")
    add("--only", choices=("cells", "lags"), help="one of the two parts (default: both)")
    options = parser.parse_args(arguments)
    if min(options.seeds, options.epochs, options.steps, options.lag_steps) < 1:
        parser.error("--seeds, --epochs, --steps and --lag-steps: expected at least 1")
    return options


@script
def main(arguments: Sequence[str] | None = None) -> None:
    options = parse_arguments(arguments)
    start_tensorflow()
    import tensorflow as tf

    tf.get_logger().setLevel("ERROR")  # it warns of retracing, as each learner has its own graph
    from training.comparison.experiments import LAGS
    from training.comparison.report import report_cells, report_lags
    from training.comparison.tasks import RecallTask, SpeechTask, Task
    from training.data.official_release import speech_commands

    options.out.mkdir(parents=True, exist_ok=True)
    if options.only != "lags":
        task: Task = RecallTask(20)
        if not options.quick:
            task = SpeechTask(options.data or speech_commands())
        report_cells(task, options.out, options.seeds, options.epochs, options.steps)
    if options.only != "cells":
        lags = LAGS[:3] if options.quick else LAGS
        report_lags(lags, options.out, options.seeds, options.lag_steps)
    print(options.out)


if __name__ == "__main__":
    sys.exit(main())
