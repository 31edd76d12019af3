"""Size and speed of exported models on one thread, beside other keyword models.

    python benchmarks/inference.py [OTHER.tflite ...] [--rounds N]

Every preset is exported in every form with untrained weights: size and time do not depend on their
values. OTHER is any .tflite file that LiteRT runs. Its main graph is timed on zeros. The models are
timed twice: in turn, where each finds its cache filled by the others and a change of the machine's
speed affects all, and each by itself, as on a device that does nothing else.
"""

import argparse
import statistics
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

if __name__ == "__main__":  # the repository instead of this folder, whose names could hide packages
    sys.path[0] = str(Path(__file__).resolve().parents[1])

import numpy as np

from export.tflite.quantization import QUANTIZATIONS, Quantization
from training.comparison.timing import rounds
from training.output.script import script
from training.output.tables import markdown_table
from training.output.tensorflow_start import start_tensorflow

LABELS = [f"word{number}" for number in range(12)]
PRESETS = ("small", "medium", "large")
HEADER = ["model", "bytes", "parameters", "ms/clip", "front end of it", "us/hop"]
SIGNATURES = {"clip": "recognize", "front end": "features", "hop": "stream"}

Run = Callable[[], Any]


def parse_arguments(arguments: Sequence[str] | None) -> argparse.Namespace:
    assert __doc__
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("others", nargs="*", type=Path, metavar="OTHER.tflite")
    parser.add_argument("--rounds", type=int, default=300, help="default: %(default)s")
    return parser.parse_args(arguments)


@script
def main(arguments: Sequence[str] | None = None) -> None:
    options = parse_arguments(arguments)
    others = {path.name: path.read_bytes() for path in options.others}
    start_tensorflow()
    presets = {f"{p} {form}": exported(p, form) for p in PRESETS for form in QUANTIZATIONS}
    flatbuffers = {**presets, **others}
    runs = {
        f"{name}: {part}": run
        for name, flatbuffer in flatbuffers.items()
        for part, run in runs_of(flatbuffer).items()
    }
    in_turn = rounds(runs, options.rounds)
    alone = {key: rounds({key: run}, options.rounds)[key] for key, run in runs.items()}
    for title, seconds in (("in turn", in_turn), ("each by itself", alone)):
        print(f"\n{title}, medians of {options.rounds} calls\n")
        rows = [row(name, flatbuffer, seconds) for name, flatbuffer in flatbuffers.items()]
        print(markdown_table([HEADER, *rows]))


def row(name: str, flatbuffer: bytes, seconds: dict[str, list[float]]) -> Sequence[str]:
    """Return a model's row of the table."""

    def median(part: str, factor: float, form: str) -> str:
        found = seconds.get(f"{name}: {part}")
        return format(factor * statistics.median(found), form) if found else ""

    size, parameters = f"{len(flatbuffer):,}", f"{count_parameters(flatbuffer):,}"
    times = [median("clip", 1e3, ".3f"), median("front end", 1e3, ".3f"), median("hop", 1e6, ".1f")]
    return [name, size, parameters, *times]


def exported(preset: Any, form: Quantization) -> bytes:
    """Return an untrained preset in a form, as export.py makes it but without metadata."""
    from export.tflite.conversion import convert
    from export.tflite.streaming_model import StreamingModel
    from speechgru import build_model

    noise = np.random.default_rng(0).normal(size=(20, 16000)) / 10
    return convert(
        StreamingModel(build_model(preset, LABELS)), form, noise.astype(np.float32)
    ).flatbuffer


def runs_of(flatbuffer: bytes) -> dict[str, Run]:
    """Return what is timed of a model: a clip, and of our models its front end and a hop, too."""
    from ai_edge_litert.interpreter import Interpreter

    interpreter = Interpreter(model_content=flatbuffer, num_threads=1)
    if set(SIGNATURES.values()) <= interpreter.get_signature_list().keys():
        return {
            part: run_on_noise(interpreter.get_signature_runner(key))
            for part, key in SIGNATURES.items()
        }
    interpreter.allocate_tensors()
    for detail in interpreter.get_input_details():
        interpreter.set_tensor(detail["index"], np.zeros(detail["shape"], detail["dtype"]))
    return {"clip": interpreter.invoke}


def run_on_noise(runner: Any) -> Run:
    """Return a call of a signature on noise."""
    rng = np.random.default_rng(0)
    inputs = {
        name: (rng.normal(size=detail["shape"]) / 10).astype(np.float32)
        for name, detail in runner.get_input_details().items()
    }
    return lambda: runner(**inputs)


def count_parameters(flatbuffer: bytes) -> int:
    """Return the number of elements of all constant matrices, those of the front end included."""
    from speechgru.conversion.flatbuffer import load

    model = load(flatbuffer)
    shapes = {
        tensor.buffer: tuple(tensor.shape)  # a buffer that several tensors share counts once
        for graph in model.subgraphs
        for tensor in graph.tensors
        if model.buffers[tensor.buffer].data is not None and len(tensor.shape) > 1
    }
    return sum(int(np.prod(shape)) for shape in shapes.values())


if __name__ == "__main__":
    sys.exit(main())
