"""Export a trained model to one .tflite file that holds its front end, labels and settings.

    python export/export.py runs/medium --quantize dynamic --out medium.tflite

The file is checked before it gets its name: builtin operators alone, the same answers as the Keras
model on real clips (validation clips of the run's data, or the repository's samples), and the same
answers when the clips are streamed. A model card, medium.md, is written beside it, and of an int8
model medium.step.tflite, the step alone with integer inputs and outputs.
"""

import argparse
import dataclasses
import math
import os
import platform
import shlex
import sys
from collections.abc import Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Any

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

QUANTIZATIONS = ("none", "float16", "dynamic", "int8")
THRESHOLD = 0.5  # a command is taken where it is likelier than all else together
CALIBRATION = ROOT / "export" / "calibration.txt"
CHECK_CLIPS = 1000
# Greatest difference of a score from the Keras model's, and share of clips whose label may change
# (see `changed_labels_limit`).
TOLERANCE = {
    "none": (1e-4, 0.0),
    "float16": (0.02, 0.002),
    "dynamic": (0.3, 0.01),
    "int8": (0.5, 0.02),
}
MFCC_TOLERANCE = 1e-3
STREAM_TOLERANCE = 1e-4


def parse_arguments(arguments: list[str] | None = None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    add = parser.add_argument
    add("model", type=Path, metavar="RUN_DIR|MODEL.keras", help="what training/train.py made")
    add(
        "--quantize",
        choices=QUANTIZATIONS,
        default="none",
        help="float16 or dynamic (int8): weights; int8: all of the network (default: %(default)s)",
    )
    add("--out", type=Path, help="the file to write (default: MODEL.tflite in the run's folder)")
    add(
        "--data",
        type=Path,
        help="folder whose clips check the result and calibrate int8 (default: the run's data)",
    )
    add("--notes", type=Path, help="Markdown to end the model card with (sources, known limits)")
    return parser.parse_args(arguments)


def settings(
    model: Any, metrics: dict[str, Any], quantize: str, state: dict[str, Any]
) -> dict[str, Any]:
    """What `speechgru.json` says of a model with these state tensors, from the run's metrics."""
    front_end = model.get_layer("mfcc").config
    return {
        "front_end": dataclasses.asdict(front_end),
        "window_samples": model.input_shape[1],
        "hop_samples": front_end.hop_length * model.get_layer("conv").strides[0],
        "state": {name: list(shape) for name, shape in state.items()},
        "threshold": THRESHOLD,
        "quantization": quantize,
        "parameters": metrics.get("parameters"),
        "training_data": metrics.get("training_data"),
        "validation_accuracy": metrics.get("validation_accuracy"),
        "validation_clips": metrics.get("validation_clips"),
        "licence": metrics.get("licence"),
        "versions": {
            "python": platform.python_version(),
            **{name: version(name) for name in ("tensorflow", "keras", "librosa")},
        },
    }


def check(path: Path, model: Any, clips: Any, quantize: str) -> str:
    """Compare a written file with the Keras model on clips, float32 (n, samples).

    Returns:
        One line with the differences found.

    Raises:
        ConversionError: a difference is over its limit.
    """
    import numpy as np
    import tensorflow as tf
    from ai_edge_litert.interpreter import Interpreter

    from export.stream import streamed
    from speechgru import modelfile
    from speechgru.conversion.converter import ConversionError

    interpreter = Interpreter(model_content=modelfile.read(path).flatbuffer)
    recognize = interpreter.get_signature_runner("recognize")
    features = interpreter.get_signature_runner("features")
    stream = interpreter.get_signature_runner("stream")
    front_end = model.get_layer("mfcc")
    expected = tf.nn.softmax(model.predict(clips, batch_size=64, verbose=0)).numpy()
    scores = np.concatenate([recognize(audio=clip[None])["scores"].copy() for clip in clips])
    mfcc_error = max(
        float(np.abs(features(audio=clip[None])["mfcc"] - front_end(clip[None])).max())
        for clip in clips
    )
    stream_error = max(
        float(np.abs(streamed(stream, clip)[0][-1] - own).max())
        for clip, own in zip(clips, scores, strict=True)
    )
    # NaN must not pass: `not <=` is true for it.
    error = float(np.abs(scores - expected).max())
    changed = float(np.mean(scores.argmax(axis=1) != expected.argmax(axis=1)))
    line = (
        f"{len(clips)} clips: greatest difference {error:.1e} in a score, {mfcc_error:.1e} in an "
        f"MFCC; {changed:.1%} of the labels changed; streamed, {stream_error:.1e} in a score"
    )
    if (
        not error <= TOLERANCE[quantize][0]
        or not changed <= changed_labels_limit(quantize, len(clips))
        or not mfcc_error <= MFCC_TOLERANCE
        or not stream_error <= STREAM_TOLERANCE
    ):
        raise ConversionError(f"the exported file does not answer like the Keras model on {line}")
    return line


def changed_labels_limit(quantize: str, clips: int) -> float:
    """The share of so many clips whose label may change: that of TOLERANCE in whole clips, up."""
    return math.ceil(TOLERANCE[quantize][1] * clips) / clips


def calibration_clips(data: Path | None, labels: Sequence[str]) -> tuple[Any, str]:
    """Clips by which int8 ranges are chosen, float32 (n, samples), and where they come from.

    Those that calibration.txt names, if the data has them; else training clips, drawn with a fixed
    seed; without data the repository's samples. A second of digital silence is the first.
    """
    import numpy as np

    from training.clips.finding import find_clips
    from training.clips.reading import read_clips
    from training.clips.splitting import split_clips

    if data is None:
        found, source = sample_clips()
    else:
        names = CALIBRATION.read_text(encoding="utf-8").split()
        clips = split_clips(data, find_clips(data), commands=commands(labels)).training
        by_key = {clip.key: clip for clip in clips}
        source = f"the clips of {CALIBRATION.name}"
        if not by_key.keys() >= set(names):
            rng = np.random.default_rng(0)
            names = [clips[i].key for i in rng.permutation(len(clips))[: len(names)]]
            source = f"{len(names)} training clips of {data.name}"
        found, _ = read_clips([by_key[name] for name in names], "clips")
    silence = np.zeros((1, found.shape[1]), np.int16)
    return np.concatenate([silence, found]).astype(np.float32) / 32768, source


def commands(labels: Sequence[str]) -> list[str]:
    """The labels that are words: training divides the speakers by them."""
    from speechgru.recognizer import NOT_COMMANDS

    return [label for label in labels if label not in NOT_COMMANDS]


def sample_clips() -> tuple[Any, str]:
    """The repository's samples, int16 (n, samples)."""
    from training.clips.finding import Clip
    from training.clips.reading import read_clips

    paths = sorted((ROOT / "samples").glob("*.wav"))
    read, _ = read_clips([Clip(p, p.stem.split("-")[0], p.stem) for p in paths], "samples")
    return read, "the repository's samples"


def check_clips(data: Path | None, labels: Sequence[str]) -> tuple[Any, str]:
    """Clips of one second to check with, float32 (n, samples), and where they come from."""
    import numpy as np

    from training.clips.finding import find_clips
    from training.clips.reading import read_clips
    from training.clips.splitting import split_clips

    if data is not None:
        clips = split_clips(data, find_clips(data), commands=commands(labels)).validation
        picks = np.random.default_rng(0).permutation(len(clips))[:CHECK_CLIPS]
        read, _ = read_clips([clips[i] for i in picks], "clips")
        source = f"validation clips of {data.name}"
    else:
        read, source = sample_clips()
    return read.astype(np.float32) / 32768, source


def main(arguments: list[str] | None = None) -> int:
    given = sys.argv[1:] if arguments is None else arguments
    parsed = parse_arguments(given)
    run = parsed.model if parsed.model.is_dir() else parsed.model.parent
    out = parsed.out or run / "model.tflite"
    if out.suffix != ".tflite":
        print(f"export.py: {out}: expected a name that ends in .tflite", file=sys.stderr)
        return 2
    try:
        checked, size = export(parsed, out, "python export/export.py " + shlex.join(given))
    except KeyboardInterrupt:
        return 130
    except KeyError as error:
        print(f"export.py: {run / 'metrics.json'}: expected {error} in it", file=sys.stderr)
        return 2
    except (OSError, ValueError) as error:  # ConversionError, DataError and ModelError among them
        print(f"export.py: {' '.join(str(error).split())}", file=sys.stderr)
        return 2
    print(checked)
    print(f"{out}: {size:,} bytes, {parsed.quantize} quantisation")
    return 0


def export(parsed: argparse.Namespace, out: Path, command: str) -> tuple[str, int]:
    """Write model and card; returns what the check found, and the model's size."""
    from export.card import model_card
    from export.convert import StreamingModel, convert
    from export.integer import convert_integer
    from speechgru import modelfile
    from training.loop.trained_model import load_trained
    from training.output.atomic_files import replacing, write_text

    notes = parsed.notes.read_text(encoding="utf-8") if parsed.notes else ""
    model, metrics = load_trained(parsed.model, streams=True)
    labels, data = tuple(metrics["labels"]), parsed.data or Path(metrics["data"])
    data = data if parsed.data or data.is_dir() else None
    device = StreamingModel(model)
    described = settings(model, metrics, parsed.quantize, device.state)
    calibrated, step = "", b""
    if parsed.quantize == "int8":
        clips, source = calibration_clips(data, labels)
        calibrated = f"Calibrated on {source}. "
        flatbuffer, step = convert_integer(device, clips)
    else:
        flatbuffer = convert(device, parsed.quantize)
    clips, source = check_clips(data, labels)
    out.parent.mkdir(parents=True, exist_ok=True)
    with replacing(out) as unchecked:
        modelfile.write(unchecked, flatbuffer, labels, described)
        line = check(unchecked, model, clips, parsed.quantize)
        size = unchecked.stat().st_size
        checked = f"{calibrated}Checked against the Keras model on {source}, {line}."
        card = model_card(out.name, size, described, metrics, command, checked, notes)
    write_text(out.with_suffix(".md"), card)
    if step:
        with replacing(out.with_suffix(".step.tflite")) as unfinished:
            unfinished.write_bytes(step)
    return checked, size


if __name__ == "__main__":
    sys.exit(main())
