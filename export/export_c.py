"""Write a trained model as one C99 file: samples in, detected commands out.

    python export/export_c.py runs/small --out build/c99

Writes kws.c and kws.h, which need nothing but the C library. The network has int8 weights. Labels
and detection rule are those of MODEL.tflite beside MODEL.keras, if it is there (export/export.py
writes it, training/evaluate.py chooses its thresholds); else the labels of metrics.json and the
rule's default constants. Only files that this script wrote are replaced.
"""

import argparse
import sys
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path

if __name__ == "__main__":  # the repository instead of this folder, whose names could hide packages
    sys.path[0] = str(Path(__file__).resolve().parents[1])

from training.output.script import script
from training.output.tensorflow_start import start_tensorflow


def parse_arguments(arguments: Sequence[str] | None) -> argparse.Namespace:
    assert __doc__
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    add = parser.add_argument
    add("model", type=Path, metavar="RUN_DIR|MODEL.keras", help="what training/train.py made")
    add("--out", type=Path, required=True, metavar="DIR", help="folder of the two files")
    add(
        "--prefix",
        default="kws",
        help="what the names of files, functions and types begin with (default: %(default)s)",
    )
    add(
        "--fixed",
        action="store_true",
        help="front end in fixed point, for processors without a floating-point unit",
    )
    add(
        "--data",
        type=Path,
        metavar="DIR",
        help="folder of clips that calibrate int8 (default: the run's data)",
    )
    return parser.parse_args(arguments)


@script
def main(arguments: Sequence[str] | None = None) -> None:
    options = parse_arguments(arguments)
    from export.c99.output_files import c_files
    from export.model_package.output_files import check_outputs
    from speechgru.atomic_files import replacing

    files = c_files(options.out, options.prefix)
    check_outputs(files, [options.model])
    start_tensorflow()
    import tensorflow as tf

    from export.c99.from_run import read_trained, recogniser
    from export.c99.generate import generate

    with tf.device("/CPU:0"):  # a GPU computes in TF32, and the ranges would differ
        found = recogniser(read_trained(options.model), options.data)
    text = generate(found, options.prefix, options.fixed)
    options.out.mkdir(parents=True, exist_ok=True)
    with ExitStack() as stack:  # both get their names after both were written
        for file, content in zip(files, (text.code, text.header), strict=True):
            path = stack.enter_context(replacing(file.path))
            path.write_text(content, encoding="utf-8", newline="\n")
    for line in found.origin:
        print(line)
    for file in files:
        print(f"{file.path}: {file.path.stat().st_size:,} bytes")


if __name__ == "__main__":
    sys.exit(main())
