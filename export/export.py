"""Export a trained model to one .tflite file that holds its front end, labels and settings.

    python export/export.py runs/medium --quantize dynamic --out medium.tflite

The file is checked before it gets its name: builtin operators alone, and the same answers as the
Keras model on real clips (validation clips of the run's data, or the repository's samples). A model
card, medium.md, is written beside it.
"""

import argparse
import dataclasses
import json
import os
import platform
import shlex
import sys
import tempfile
from importlib.metadata import version
from pathlib import Path
from typing import Any

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

QUANTIZATIONS = ("none", "dynamic")
THRESHOLD = 0.5  # a command is taken where it is likelier than all else together
CHECK_CLIPS = 1000
# Greatest difference of a score from the Keras model's, and share of clips whose label may change.
TOLERANCE = {"none": (1e-4, 0.0), "dynamic": (0.2, 0.01)}
MFCC_TOLERANCE = 1e-3


class ExportError(ValueError):
    """A run that cannot be exported, or a result that is not the same model."""


def parse_arguments(arguments: list[str] | None = None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    add = parser.add_argument
    add("model", type=Path, metavar="RUN_DIR|MODEL.keras", help="what training/train.py made")
    add(
        "--quantize",
        choices=QUANTIZATIONS,
        default="none",
        help="dynamic: int8 weights (default: %(default)s)",
    )
    add("--out", type=Path, help="the file to write (default: MODEL.tflite in the run's folder)")
    add("--data", type=Path, help="folder whose clips check the result (default: the run's data)")
    add("--notes", type=Path, help="Markdown to end the model card with (sources, known limits)")
    return parser.parse_args(arguments)


def convert(model: Any, quantize: str) -> bytes:
    """A flatbuffer with the signatures `recognize` and `features`, in builtin operators alone.

    Args:
        model: Keras model of `speechgru.build_model`.
        quantize: "none" (float32) or "dynamic" (int8 weights; the front end stays float32).

    Raises:
        ExportError: the result holds other operators or has lost its weights.
    """
    import keras
    import tensorflow as tf

    from speechgru import MFCC

    audio = tf.TensorSpec((1, model.input_shape[1]), tf.float32, name="audio")
    trained_on = model.get_layer("mfcc")
    front_end = MFCC(
        trained_on.config, dtype="float32", name="mfcc"
    )  # LiteRT has no transform in float64
    classifier = keras.Model(trained_on.output, model.output, name="classifier")

    module = tf.Module()
    # Without this list the converter finds no variables and writes a file without weights.
    module.held = [weight.value for weight in model.weights]
    module.recognize = tf.function(
        lambda audio: {"scores": tf.nn.softmax(classifier(front_end(audio), training=False))},
        input_signature=[audio],
    )
    module.features = tf.function(lambda audio: {"mfcc": front_end(audio)}, input_signature=[audio])
    signatures = {"recognize": module.recognize, "features": module.features}
    with tempfile.TemporaryDirectory() as folder:
        tf.saved_model.save(module, folder, signatures=signatures)
        converter = tf.lite.TFLiteConverter.from_saved_model(
            folder, signature_keys=list(signatures)
        )
        converter.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS]
        if quantize == "dynamic":
            converter.optimizations = [tf.lite.Optimize.DEFAULT]
        try:
            flatbuffer: bytes = converter.convert()
        except Exception as error:  # the converter raises its own kind, and plain ones
            raise ExportError(f"the model cannot be converted: {error}") from error
    foreign = [name for name in operators(flatbuffer) if name.startswith("CUSTOM")]
    if foreign:
        raise ExportError(f"expected builtin operators alone, found {', '.join(foreign)}")
    bytes_per_weight = 4 if quantize == "none" else 1
    if len(flatbuffer) < bytes_per_weight * model.count_params():
        raise ExportError(
            f"expected the model's {model.count_params():,} weights in the file, "
            f"found {len(flatbuffer):,} bytes"
        )
    return flatbuffer


def operators(flatbuffer: bytes) -> list[str]:
    """Names of the operators that a flatbuffer uses, custom ones as "CUSTOM name"."""
    from tensorflow.lite.python import schema_py_generated as schema

    names = {
        number: name
        for name, number in vars(schema.BuiltinOperator).items()
        if not name.startswith("_")
    }
    model = schema.ModelT.InitFromObj(schema.Model.GetRootAs(flatbuffer))
    found = set()
    for code in model.operatorCodes:
        number = max(code.builtinCode, code.deprecatedBuiltinCode)
        name = names[number]
        found.add(f"CUSTOM {code.customCode!r}" if name == "CUSTOM" else name)
    return sorted(found)


def settings(model: Any, metrics: dict[str, Any], quantize: str) -> dict[str, Any]:
    """What `speechgru.json` says of a model, from the run's metrics where there are any."""
    front_end = model.get_layer("mfcc").config
    return {
        "front_end": dataclasses.asdict(front_end),
        "window_samples": model.input_shape[1],
        "hop_samples": front_end.hop_length * model.get_layer("conv").strides[0],
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
        ExportError: a difference is over its limit.
    """
    import numpy as np
    import tensorflow as tf
    from ai_edge_litert.interpreter import Interpreter

    from speechgru import modelfile

    interpreter = Interpreter(model_content=modelfile.read(path).flatbuffer)
    recognize = interpreter.get_signature_runner("recognize")
    features = interpreter.get_signature_runner("features")
    front_end = model.get_layer("mfcc")
    expected = tf.nn.softmax(model.predict(clips, batch_size=64, verbose=0)).numpy()
    scores = np.concatenate([recognize(audio=clip[None])["scores"].copy() for clip in clips])
    mfcc_error = max(
        float(np.abs(features(audio=clip[None])["mfcc"] - front_end(clip[None])).max())
        for clip in clips
    )
    # NaN must not pass: `not <=` is true for it.
    error = float(np.abs(scores - expected).max())
    changed = float(np.mean(scores.argmax(axis=1) != expected.argmax(axis=1)))
    line = (
        f"{len(clips)} clips: greatest difference {error:.1e} in a score, {mfcc_error:.1e} in an "
        f"MFCC; {changed:.1%} of the labels changed"
    )
    error_limit, changed_limit = TOLERANCE[quantize]
    if not error <= error_limit or not changed <= changed_limit or not mfcc_error <= MFCC_TOLERANCE:
        raise ExportError(f"the exported file does not answer like the Keras model on {line}")
    return line


def check_clips(data: Path | None) -> tuple[Any, str]:
    """Clips of one second to check with, float32 (n, samples), and where they come from."""
    import numpy as np

    from training.data import Clip, find_clips, read_clips, split_clips

    if data is not None:
        clips = split_clips(data, find_clips(data)).validation
        picks = np.random.default_rng(0).permutation(len(clips))[:CHECK_CLIPS]
        read, _ = read_clips([clips[i] for i in picks], "clips")
        source = f"validation clips of {data.name}"
    else:
        paths = sorted((ROOT / "samples").glob("*.wav"))
        read, _ = read_clips([Clip(p, p.stem.split("-")[0], p.stem) for p in paths], "samples")
        source = "the repository's samples"
    return read.astype(np.float32) / 32768, source


def main(arguments: list[str] | None = None) -> int:
    given = sys.argv[1:] if arguments is None else arguments
    parsed = parse_arguments(given)
    run = parsed.model if parsed.model.is_dir() else parsed.model.parent
    keras_path = run / "model.keras" if parsed.model.is_dir() else parsed.model
    if not keras_path.is_file():
        print(f"export.py: {keras_path}: expected a trained model, found nothing", file=sys.stderr)
        return 2
    out = parsed.out or keras_path.with_suffix(".tflite")

    import keras

    import speechgru.models  # noqa: F401  registers the layers that the file names
    from export.card import model_card
    from speechgru import modelfile
    from training.data import DataError
    from training.files import replacing, write_text

    try:
        notes = parsed.notes.read_text(encoding="utf-8") if parsed.notes else ""
        metrics = json.loads((run / "metrics.json").read_text(encoding="utf-8"))
        try:
            model = keras.saving.load_model(keras_path)
        except Exception as error:  # Keras raises many kinds for what is no model
            raise ExportError(f"{keras_path}: expected a Keras model: {error}") from error
        data = Path(metrics["data"])
        described = settings(model, metrics, parsed.quantize)
        flatbuffer = convert(model, parsed.quantize)
        clips, source = check_clips(parsed.data or (data if data.is_dir() else None))
        out.parent.mkdir(parents=True, exist_ok=True)
        with replacing(out) as unchecked:
            modelfile.write(unchecked, flatbuffer, tuple(metrics["labels"]), described)
            line = check(unchecked, model, clips, parsed.quantize)
            size = unchecked.stat().st_size
        command = "python export/export.py " + shlex.join(given)
        checked = f"Checked against the Keras model on {source}, {line}."
        card = model_card(out.name, size, described, metrics, command, checked, notes)
        write_text(out.with_suffix(".md"), card)
    except (ExportError, DataError, modelfile.ModelError, OSError, ValueError, KeyError) as error:
        print(f"export.py: {' '.join(str(error).split())}", file=sys.stderr)
        return 2
    print(checked)
    print(f"{out}: {size:,} bytes, {parsed.quantize} quantisation")
    return 0


if __name__ == "__main__":
    sys.exit(main())
