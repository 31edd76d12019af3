"""Average the weights of runs that continue from one another.

    python training/average.py RUN RUN... --data FOLDER --out OUT

The mean of such models is often better than each of them (Wortsman 2022, arXiv:2203.05482). OUT is
the folder of a run: its `model.keras`, with `metrics.json` from the validation clips of FOLDER.
"""

import argparse
import shlex
import sys
from collections.abc import Sequence
from pathlib import Path

if __name__ == "__main__":  # the repository instead of this folder, whose names could hide packages
    sys.path[0] = str(Path(__file__).resolve().parents[1])

from training.output.script import script
from training.output.tensorflow_start import start_tensorflow


def parse_arguments(arguments: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    add = parser.add_argument
    add("runs", metavar="RUN", type=Path, nargs="+", help="folder of a run")
    add("--data", type=Path, required=True, metavar="FOLDER", help="folder of <word>/*.wav")
    add("--out", type=Path, required=True, metavar="OUT", help="folder that does not exist yet")
    return parser.parse_args(arguments)


@script
def main(arguments: Sequence[str] | None = None) -> None:
    """Average, validate and write."""
    arguments = sys.argv[1:] if arguments is None else arguments
    options = parse_arguments(arguments)
    start_tensorflow()
    from training.run_files.averaged_run import average_runs

    command = "python training/average.py " + shlex.join(arguments)
    accuracy = average_runs(options.runs, options.data, options.out, command)
    print(f"validation accuracy {accuracy}")
    print(options.out)


if __name__ == "__main__":
    sys.exit(main())
