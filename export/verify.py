"""Check that every form of a model is the same model, and show what each costs.

    python export/verify.py runs/medium/model.tflite --data speech_commands

The Keras model of the file's run is exported in every form. The Keras model, each form and the
file itself then recognise the same validation clips: at once, hop by hop, and as one stream without
reset, with as much noise before each clip. The results are written beside the file or to
--out: MODEL.parity.json, MODEL.parity.png, and MODEL.golden.json with samples and the scores that
a port of the model must give. The exit code is 1 where a figure is over its limit.
"""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

if __name__ == "__main__":  # the repository instead of this folder, whose names could hide packages
    sys.path[0] = str(Path(__file__).resolve().parents[1])

from training.output.script import report, script
from training.output.tensorflow_start import start_tensorflow


def parse_arguments(arguments: Sequence[str] | None) -> argparse.Namespace:
    assert __doc__
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    add = parser.add_argument
    add("model", type=Path, metavar="MODEL.tflite", help="what export/export.py wrote")
    add(
        "--data",
        type=Path,
        metavar="DIR",
        help="folder of <word>/*.wav, whose validation clips are used "
        "(default: Speech Commands v0.02, downloaded)",
    )
    add(
        "--run",
        type=Path,
        metavar="RUN_DIR|MODEL.keras",
        help="the run that the file comes from (default: the file's folder)",
    )
    add("--out", type=Path, metavar="DIR", help="folder of the results (default: the file's)")
    return parser.parse_args(arguments)


@script
def main(arguments: Sequence[str] | None = None) -> int:
    options = parse_arguments(arguments)
    from export.model_package.output_files import files_of_verification

    files = files_of_verification(options.model, options.out)
    start_tensorflow()
    import tensorflow as tf

    from export.verification.verify_model import verify_model
    from training.data.official_release import speech_commands

    run = options.run or options.model.parent
    data = options.data or speech_commands()
    with tf.device("/CPU:0"):  # a GPU computes in TF32, and the file would seem to differ
        found = verify_model(options.model, run, data, files)
    print(f"{found.clips} validation clips\n\n{found.table}\n")
    for line in found.unavailable:
        print(line)
    for failure in found.failures:
        report("verify.py", failure)
    return 1 if found.failures else 0


if __name__ == "__main__":
    sys.exit(main())
