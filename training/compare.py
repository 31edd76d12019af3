"""Compare recurrent cells: plain RNN, LSTM, and the GRU in both conventions of both gates.

    python training/compare.py --data speech_commands --out build/compare
    python training/compare.py --quick --out build/compare

Every cell learns the same task from the same batches, with the same optimizer and three seeds, once
at equal units and once at equal parameters. The task is the shared speech, in the network of the
preset `small` with the cell in place of its GRU; with --quick it is to say at the end of a sequence
which of four symbols began it. `compare.md` in the folder has the table, beside `accuracy.png` and
`gradients.png` (how much of the gradient of the loss reaches a state so many steps back).

Then the cells learn to name the first symbol at lags from 10 to 500 steps: `lags.md`, `lags.png`.
There are more of them there, as it is their start that decides: a plain RNN whose U is orthogonal,
as Keras has it, or not; and gates that begin nearly closed, in the time of the lag.
"""

import argparse
import os
import sys
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
import tensorflow as tf

from training.clips.errors import DataError
from training.comparison.experiments import LAGS
from training.comparison.report import report_cells, report_lags
from training.comparison.tasks import Recall, Speech


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    add = parser.add_argument
    add("--data", type=Path, metavar="DIR", help="folder of <word>/*.wav (default: downloaded)")
    add("--quick", action="store_true", help="symbols in place of speech, and short lags")
    add("--out", type=Path, default=Path("build/compare"), metavar="DIR", help="for the results")
    add("--seeds", type=int, default=3)
    add("--epochs", type=int, default=15)
    add("--steps", type=int, default=200, help="batches of an epoch")
    add("--lag-steps", type=int, default=1000, help="batches at each lag")
    add("--only", choices=("cells", "lags"), help="one of the two parts (default: both)")
    parsed = parser.parse_args(arguments)
    if min(parsed.seeds, parsed.epochs, parsed.steps, parsed.lag_steps) < 1:
        parser.error("--seeds, --epochs, --steps and --lag-steps: expected at least 1")
    tf.get_logger().setLevel("ERROR")  # it warns that every learner has a graph of its own
    from speechgru.conversion.errors import ConversionError
    from training.data.errors import DownloadError
    from training.data.official_release import speech_commands

    try:
        parsed.out.mkdir(parents=True, exist_ok=True)
        if parsed.only != "lags":
            task = Recall(20) if parsed.quick else Speech(parsed.data or speech_commands())
            report_cells(task, parsed.out, parsed.seeds, parsed.epochs, parsed.steps)
        if parsed.only != "cells":
            lags = LAGS[:3] if parsed.quick else LAGS
            report_lags(lags, parsed.out, parsed.seeds, parsed.lag_steps)
    except KeyboardInterrupt:
        return 130
    except (DataError, DownloadError, ConversionError, OSError, MemoryError) as error:
        print(f"compare.py: {' '.join(str(error).split())}", file=sys.stderr)
        return 2
    print(parsed.out)
    return 0


if __name__ == "__main__":
    sys.exit(main())
