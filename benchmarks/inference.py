"""Size and speed of exported models on one thread, beside other keyword models.

    python benchmarks/inference.py [OTHER.tflite ...] [--rounds N]

Exports every preset in every form, with weights of no training: time and size do not depend on
them. OTHER is any .tflite file that LiteRT runs; it is timed by its main graph, on zeros. All take
turns, once round by round (a drift of the machine's speed meets all, and each finds its cache
filled by others) and once by themselves (as a device that does nothing else would).
"""

import argparse
import os
import statistics
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import numpy as np
from ai_edge_litert.interpreter import Interpreter

from training.comparison.timing import rounds

LABELS = [f"word{number}" for number in range(12)]
PRESETS = ("small", "medium", "large")
FORMS = ("none", "float16", "dynamic", "int8")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("others", nargs="*", type=Path, metavar="OTHER.tflite")
    parser.add_argument("--rounds", type=int, default=300, help="default: %(default)s")
    options = parser.parse_args()
    flatbuffers = {
        f"{preset} {form}": exported(preset, form) for preset in PRESETS for form in FORMS
    }
    for other in options.others:
        flatbuffers[other.name] = other.read_bytes()
    runs: dict[str, Callable[[], Any]] = {}
    for name, flatbuffer in flatbuffers.items():
        runs |= {f"{name}|{what}": run for what, run in calls(flatbuffer).items()}
    together = rounds(runs, options.rounds)
    alone = {key: rounds({key: run}, options.rounds)[key] for key, run in runs.items()}
    for title, seconds in (("in turn", together), ("each by itself", alone)):
        print(f"\n{title}, medians of {options.rounds} calls\n")
        print(
            f"| {'model':16} | {'bytes':>9} | {'parameters':>10} | ms a clip | front end of it "
            "| us a hop |"
        )
        print(f"| {'-' * 16} | {'-' * 9} | {'-' * 10} | {'-' * 9} | {'-' * 15} | {'-' * 8} |")
        for name, flatbuffer in flatbuffers.items():
            own = {
                what: 1e3 * statistics.median(seconds[f"{name}|{what}"])
                for what in ("clip", "front end", "hop")
                if f"{name}|{what}" in seconds
            }
            hop = f"{1e3 * own['hop']:8.1f}" if "hop" in own else " " * 8
            front_end = f"{own['front end']:15.3f}" if "front end" in own else " " * 15
            print(
                f"| {name:16} | {len(flatbuffer):9,} | {parameters(flatbuffer):10,} "
                f"| {own['clip']:9.3f} | {front_end} | {hop} |"
            )


def exported(preset: Any, form: str) -> bytes:
    """A preset in a form, as export.py makes it but for the metadata."""
    from export.convert import StreamingModel, convert
    from export.integer import convert_integer
    from speechgru import build_model

    device = StreamingModel(build_model(preset, LABELS))
    if form != "int8":
        return convert(device, form)
    noise = np.random.default_rng(0).normal(size=(20, 16000)).astype(np.float32) / 10
    return convert_integer(device, noise)[0]


def calls(flatbuffer: bytes) -> dict[str, Callable[[], Any]]:
    """What is timed of a model: a clip, and of ours the front end of it and a hop."""
    interpreter = Interpreter(model_content=flatbuffer, num_threads=1)
    names = interpreter.get_signature_list()
    found = {"clip": "recognize", "front end": "features", "hop": "stream"}
    if set(found.values()) <= names.keys():
        return {what: call(interpreter.get_signature_runner(key)) for what, key in found.items()}
    interpreter.allocate_tensors()
    for detail in interpreter.get_input_details():
        interpreter.set_tensor(detail["index"], np.zeros(detail["shape"], detail["dtype"]))
    return {"clip": interpreter.invoke}


def call(runner: Any) -> Callable[[], Any]:
    rng = np.random.default_rng(0)
    given = {
        name: (rng.normal(size=detail["shape"]) / 10).astype(np.float32)
        for name, detail in runner.get_input_details().items()
    }
    return lambda: runner(**given)


def parameters(flatbuffer: bytes) -> int:
    """Numbers in the constants of two and more dimensions, the front end's among them."""
    from speechgru.conversion.flatbuffer import load

    model = load(flatbuffer)
    return sum(
        int(np.prod(shape))
        for shape in {
            tensor.buffer: tuple(tensor.shape)
            for graph in model.subgraphs
            for tensor in graph.tensors
            if model.buffers[tensor.buffer].data is not None and len(tensor.shape) > 1
        }.values()
    )


if __name__ == "__main__":
    main()
