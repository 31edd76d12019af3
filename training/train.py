"""Train a speech-command model.

    python training/train.py --data speech_commands --recipe medium --out runs/medium

The folder of the run holds the recipe, the model (`model.keras`), its state after the last epoch
(`last.npz`), `history.json`, `metrics.json`, learning curves, the confusion matrix and TensorBoard
logs; each student has a folder of its own in it. The folder's path is the last line of the output.

After an interruption (Ctrl-C, power cut, full disk), run the script with `--resume --out` and that
folder. Training continues from the last complete epoch.
"""

import sys
from collections.abc import Sequence
from pathlib import Path

if __name__ == "__main__":  # the repository instead of this folder, whose names could hide packages
    sys.path[0] = str(Path(__file__).resolve().parents[1])

from training.loop.arguments import parse_arguments
from training.output.script import INTERRUPTED, OK, script
from training.output.tensorflow_start import start_tensorflow


@script
def main(arguments: Sequence[str] | None = None) -> int:
    """Check the options, train, and print the folder of the run."""
    options = parse_arguments(sys.argv[1:] if arguments is None else arguments)
    from training.loop.checks import check_options  # after --help: it imports SciPy

    plan, speech = check_options(options), None
    if plan.options.phrases:
        from training.own_words.run import finish, prepare

        plan, speech = prepare(plan)
    start_tensorflow()
    from training.loop.run import run

    interrupted = run(plan)
    if speech and not interrupted:
        finish(plan, speech)
    print(plan.options.out)
    return INTERRUPTED if interrupted else OK


if __name__ == "__main__":
    sys.exit(main())
