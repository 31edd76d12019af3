"""Export a trained model to one .tflite file that holds its front end, labels and settings.

    python export/export.py runs/medium --out medium.tflite

The file is checked before it is written: it has builtin operators only, and it agrees with the
Keras model on real clips, at once and hop by hop. Beside it are written the model card,
medium.card.md, and of an int8 model medium.step.tflite, the network's step alone. Only files that
this script wrote are replaced.
"""

import argparse
import shlex
import sys
from collections.abc import Sequence
from pathlib import Path

if __name__ == "__main__":  # the repository instead of this folder, whose names could hide packages
    sys.path[0] = str(Path(__file__).resolve().parents[1])

from export.tflite.quantization import DEFAULT, QUANTIZATIONS
from training.output.script import script
from training.output.tensorflow_start import start_tensorflow


def parse_arguments(arguments: Sequence[str]) -> argparse.Namespace:
    assert __doc__
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    add = parser.add_argument
    add("model", type=Path, metavar="RUN_DIR|MODEL.keras", help="what training/train.py made")
    add(
        "--quantize",
        choices=QUANTIZATIONS,
        default=DEFAULT,
        help="none: float32; float16, dynamic (int8): weights; int8: the whole network "
        "(default: %(default)s)",
    )
    add("--out", type=Path, help="the file to write (default: model.tflite in the run's folder)")
    add(
        "--data",
        type=Path,
        metavar="DIR",
        help="folder of clips that check the file and calibrate int8 (default: the run's data)",
    )
    add("--notes", type=Path, help="Markdown file to end the model card with")
    return parser.parse_args(arguments)


@script
def main(arguments: Sequence[str] | None = None) -> None:
    arguments = sys.argv[1:] if arguments is None else arguments
    options = parse_arguments(arguments)
    from export.model_package.output_files import files_of_export

    files = files_of_export(options.model, options.out, options.quantize, options.notes)
    start_tensorflow()
    import tensorflow as tf

    from export.model_package.export_run import export_run

    with tf.device("/CPU:0"):  # a GPU computes in TF32, and the file would seem to differ
        exported = export_run(
            options.model,
            files,
            options.quantize,
            options.data,
            options.notes,
            command=f"python export/export.py {shlex.join(arguments)}",
        )
    print(exported.check)
    print(f"validation accuracy {exported.accuracy}")
    for path in exported.removed:
        print(f"removed {path}, which belonged to an earlier model")
    print(f"{exported.path}: {exported.size:,} bytes, {options.quantize} quantisation")


if __name__ == "__main__":
    sys.exit(main())
