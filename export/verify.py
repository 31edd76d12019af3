"""Check that every form of a model is the same model, and show what each costs.

    python export/verify.py runs/medium/model.tflite --data speech_commands

The Keras model that the file was exported from (in the file's folder, or --run) is exported in
every form. Keras, each form and the file itself then hear the same clips, as windows (`recognize`)
and as streams: every clip hop by hop from silence, and all clips as one stream without reset,
joined by seconds of noise 20 dB below the clip that follows. Beside the file, or in --out, this
leaves MODEL.parity.json, MODEL.parity.png and MODEL.golden.json: samples and the scores they must
give, for whoever ports the model. The exit code is 1 where a form is another model, or loses more
than a point in the stream.
"""

import argparse
import hashlib
import json
import os
import statistics
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import numpy as np
from ai_edge_litert.interpreter import Interpreter
from scipy.special import softmax
from tqdm import tqdm

from export.export import TOLERANCE, changed_labels_limit
from speechgru import audio, modelfile
from speechgru.audio import AudioError
from speechgru.modelfile import ModelError
from speechgru.recognizer import Recognizer
from training.clips.errors import DataError
from training.comparison.timing import rounds
from training.data.evaluation_set import EvaluationSet
from training.download import DownloadError, speech_commands
from training.evaluation.clips import read_set
from training.evaluation.conditions import as_float, rms
from training.evaluation.noises import find_noises, noise_windows
from training.evaluation.report import table
from training.figures.forms import plot_forms
from training.output.atomic_files import write_text

SAMPLES = Path(__file__).resolve().parents[1] / "samples"
FORMS = ("none", "float16", "dynamic", "int8")
LOST = {"none": 0.0, "float16": 0.002, "dynamic": 0.002, "int8": 0.01}  # of Keras's accuracy
LOST_IN_STREAM = 0.01  # between clips by themselves and one stream of them
SAME = 1e-4  # greatest difference of a score between a clip streamed and at once
SAME_MFCC = 1e-3
GAP_SNR = 20  # dB from the noise between two clips to the clip
TIMED = 300
GOLDEN = ("yes", "stop")  # samples of the repository
KERAS = "Keras"


def parse_arguments(arguments: list[str] | None = None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    add = parser.add_argument
    add("model", type=Path, metavar="MODEL.tflite", help="what export/export.py made")
    add(
        "--data",
        type=Path,
        metavar="DIR",
        help="folder of <word>/*.wav; its validation clips are heard "
        "(default: Speech Commands v0.02, downloaded)",
    )
    add("--run", type=Path, help="folder of the run that it comes from (default: its own folder)")
    add("--out", type=Path, metavar="DIR", help="where the results go (default: beside the model)")
    return parser.parse_args(arguments)


def main(arguments: list[str] | None = None) -> int:
    from speechgru.conversion.converter import ConversionError

    try:
        return run(parse_arguments(arguments))
    except KeyboardInterrupt:
        return 130
    except (
        AudioError,
        DataError,
        DownloadError,
        ConversionError,
        ModelError,
        OSError,
        MemoryError,
    ) as error:
        print(f"verify.py: {' '.join(str(error).split())}", file=sys.stderr)
        return 2


def run(parsed: argparse.Namespace) -> int:
    """Export every form, let all of them listen, report."""
    from export.convert import StreamingModel
    from training.loop.trained_model import load_trained

    Recognizer(parsed.model)  # it loads, with every signature
    file = modelfile.read(parsed.model)
    keras_path = (parsed.run or parsed.model.parent) / "model.keras"
    model, metrics = load_trained(keras_path, streams=True)
    if metrics["labels"] != list(file.labels) or "unknown" not in file.labels:
        raise ModelError(
            f"{parsed.model}: expected the labels of {keras_path}, unknown among them, "
            f"found {' '.join(file.labels)}"
        )
    out = parsed.out or parsed.model.parent
    out.mkdir(parents=True, exist_ok=True)
    data = parsed.data or speech_commands()
    clips, _ = read_set(data, file.labels, "validation", 0)
    rng = np.random.default_rng((0, 1))
    noises, _ = find_noises(clips, None, rng)
    heard = as_float(clips.samples)
    gaps = as_float(noise_windows(noises, len(heard), rng))
    gaps *= (rms(heard) / rms(gaps) / 10 ** (GAP_SNR / 20)).astype(np.float32)[:, None]
    answers = np.array([file.labels.index(word) for word in listed(clips, file.labels)])

    device = StreamingModel(model)
    forms = {name: exported(device, name, data, file.labels) for name in FORMS}
    forms[parsed.model.name] = file.flatbuffer
    window = softmax(model.predict(heard, batch_size=64, verbose=0), axis=1)
    rows = {KERAS: keras_row(model, keras_path, window, heard, gaps, answers)}
    expected_mfcc = librosa_mfcc(file, heard)
    for name, flatbuffer in forms.items():
        rows[name] = Heard(flatbuffer, heard, gaps, name).row(answers, window, expected_mfcc)
    add_latencies(rows, forms, heard[0])
    failures = failed(rows, file, parsed.model.name, len(answers))
    report = {
        "model": parsed.model.name,
        "sha256": hashlib.sha256(parsed.model.read_bytes()).hexdigest(),
        "clips": len(answers),
        "forms": rows,
        "failures": failures,
    }
    vectors = golden(file, report["sha256"], model)
    write_text(out / f"{parsed.model.stem}.parity.json", json.dumps(report, indent=1))
    write_text(out / f"{parsed.model.stem}.golden.json", json.dumps(vectors))
    plot_forms(rows, out / f"{parsed.model.stem}.parity.png")
    print(f"{len(answers)} validation clips\n\n{table(cells(rows))}")
    for failure in failures:
        print(f"verify.py: {failure}", file=sys.stderr)
    return 1 if failures else 0


def listed(clips: EvaluationSet, labels: Sequence[str]) -> list[str]:
    """The label of each clip: its word, or "unknown"."""
    return [word if word in labels else "unknown" for word in clips.words]


def exported(device: Any, form: str, data: Path, labels: Sequence[str]) -> bytes:
    """A flatbuffer of the model in a form."""
    from export.convert import convert
    from export.export import calibration_clips
    from export.integer import convert_integer

    if form != "int8":
        return convert(device, form)
    return convert_integer(device, calibration_clips(data, labels)[0])[0]


def keras_row(
    model: Any, path: Path, window: Any, heard: Any, gaps: Any, answers: Any
) -> dict[str, Any]:
    """The Keras model's figures: its hops are steps of `speechgru.models.streaming`."""
    import tensorflow as tf

    from speechgru.models import initial_state, streaming

    front_end, stride = model.get_layer("mfcc"), model.get_layer("conv").strides[0]
    config = front_end.config
    past = config.frame_length - config.hop_length
    by_hop, by_second = streaming(model, stride), streaming(model, config.frames(heard.shape[1]))

    def handed_on(outputs: dict[str, Any]) -> dict[str, Any]:
        return {k.removeprefix("next_"): v for k, v in outputs.items() if k.startswith("next_")}

    # Every clip by itself, many at a time.
    last = []
    for clips in np.array_split(heard, -(-len(heard) // 256)):
        mfcc, state = front_end(clips), initial_state(by_hop, len(clips))
        for start in range(0, mfcc.shape[1], stride):
            outputs = by_hop({"mfcc": mfcc[:, start : start + stride], **state})
            state = handed_on(outputs)
        last.append(softmax(outputs["logits"], axis=1))

    # One stream.
    second = tf.function(
        lambda samples, before, state: by_second(
            {"mfcc": front_end.dct(front_end.log_mel(samples, before)), **state}
        )
    )
    before, state, guesses = tf.zeros((1, past)), initial_state(by_second, 1), []
    for pair in tqdm(zip(gaps, heard, strict=True), "Keras", len(heard), leave=False, disable=None):
        for samples in pair:
            outputs = second(samples[None], before, state)
            before, state = tf.constant(samples[None, len(samples) - past :]), handed_on(outputs)
        guesses.append(int(np.argmax(outputs["logits"])))
    return {
        "bytes": path.stat().st_size,
        "accuracy": float(np.mean(window.argmax(axis=1) == answers)),
        "streamed_difference": float(np.abs(np.concatenate(last) - window).max()),
        "stream_accuracy": float(np.mean(np.array(guesses) == answers)),
    }


def librosa_mfcc(file: modelfile.ModelFile, heard: Any) -> Any:
    """librosa's features of every clip, float32 (clips, frames, n_mfcc)."""
    from speechgru.features import MFCCConfig, mfcc

    config = MFCCConfig(**file.settings["front_end"])
    bar = tqdm(heard, "librosa", leave=False, disable=None)
    return np.stack([mfcc(clip, config) for clip in bar])


class Heard:
    """What one form makes of the clips.

    Attributes:
        scores: of each clip at once, float32 (clips, labels).
        mfcc: its features, (clips, frames, n_mfcc).
        streamed: scores after the last hop of each clip by itself, (clips, labels).
        stream: scores at the end of each clip in one stream, (clips, labels).
    """

    def __init__(self, flatbuffer: bytes, heard: Any, gaps: Any, name: str) -> None:
        from export.stream import initial_state, streamed

        self.flatbuffer = flatbuffer
        interpreter = Interpreter(model_content=flatbuffer, num_threads=1)
        recognize = interpreter.get_signature_runner("recognize")
        features = interpreter.get_signature_runner("features")
        stream = interpreter.get_signature_runner("stream")
        found: dict[str, list[Any]] = {k: [] for k in ("scores", "mfcc", "streamed", "stream")}
        state = initial_state(stream)
        bar = tqdm(zip(gaps, heard, strict=True), name, len(heard), leave=False, disable=None)
        for gap, clip in bar:
            found["scores"].append(recognize(audio=clip[None])["scores"][0].copy())
            found["mfcc"].append(features(audio=clip[None])["mfcc"][0].copy())
            found["streamed"].append(streamed(stream, clip)[0][-1])
            scores, state = streamed(stream, np.concatenate([gap, clip]), state)
            found["stream"].append(scores[-1])
        self.scores, self.mfcc, self.streamed, self.stream = map(np.array, found.values())

    def row(self, answers: Any, window: Any, mfcc: Any) -> dict[str, Any]:
        """Figures, against the scores of Keras and the features of librosa."""
        from export.arena import arenas
        from speechgru.conversion.flatbuffer import operators

        guesses = self.scores.argmax(axis=1)
        return {
            "bytes": len(self.flatbuffer),
            "arena": arenas(self.flatbuffer),
            "operators": operators(self.flatbuffer),
            "accuracy": float(np.mean(guesses == answers)),
            "difference": float(np.abs(self.scores - window).max()),
            "changed": float(np.mean(guesses != window.argmax(axis=1))),
            "mfcc_difference": float(np.abs(self.mfcc - mfcc).max()),
            "streamed_difference": float(np.abs(self.streamed - self.scores).max()),
            "stream_accuracy": float(np.mean(self.stream.argmax(axis=1) == answers)),
        }


def add_latencies(rows: dict[str, Any], forms: dict[str, bytes], clip: Any) -> None:
    """Medians of a clip and of a hop, one thread, the forms in turn."""
    from export.stream import initial_state

    calls: dict[str, Any] = {}
    for name, flatbuffer in forms.items():
        interpreter = Interpreter(model_content=flatbuffer, num_threads=1)
        recognize = interpreter.get_signature_runner("recognize")
        stream = interpreter.get_signature_runner("stream")
        hop = clip[None, : stream.get_input_details()["audio"]["shape"][1]]
        given = {"audio": hop, **initial_state(stream)}
        calls[f"{name}\nms_per_clip"] = lambda run=recognize: run(audio=clip[None])
        calls[f"{name}\nus_per_hop"] = lambda run=stream, given=given: run(**given)
    for key, seconds in rounds(calls, TIMED).items():
        name, unit = key.split("\n")
        rows[name][unit] = statistics.median(seconds) * (1e3 if unit == "ms_per_clip" else 1e6)


def failed(rows: dict[str, Any], file: modelfile.ModelFile, own: str, clips: int) -> list[str]:
    """What shows that a form is another model, or no model for streams.

    Of accuracies one clip more or less does not count.
    """
    failures = []
    of_form = {name: name for name in FORMS} | {own: file.settings.get("quantization", "none")}
    for name, row in rows.items():
        form = of_form.get(name, "none")
        changed = changed_labels_limit(form, clips)
        lost = rows[KERAS]["accuracy"] - row["accuracy"]
        lost_in_stream = row["accuracy"] - row["stream_accuracy"]
        for what, found, limit in (
            ("difference of a score from Keras", row.get("difference", 0.0), TOLERANCE[form][0]),
            ("labels that are not Keras's", row.get("changed", 0.0), changed),
            ("accuracy lost against Keras", lost, LOST[form] + 1 / clips),
            ("difference of an MFCC from librosa", row.get("mfcc_difference", 0.0), SAME_MFCC),
            ("difference between streamed and at once", row["streamed_difference"], SAME),
            ("accuracy lost in one stream", lost_in_stream, LOST_IN_STREAM + 1 / clips),
        ):
            if not found <= limit:  # NaN must not pass
                failures.append(f"{name}: {what} is {found:.2g}, over {limit:.2g}")
    return failures


def golden(file: modelfile.ModelFile, sha256: str, model: Any) -> dict[str, Any]:
    """Samples, what the file answers to them, and what scales its MFCC."""
    from export.stream import streamed

    interpreter = Interpreter(model_content=file.flatbuffer, num_threads=1)
    recognize = interpreter.get_signature_runner("recognize")
    features = interpreter.get_signature_runner("features")
    stream = interpreter.get_signature_runner("stream")
    length = file.window_samples
    deviation = np.sqrt(np.ravel(model.get_layer("scale").variance))
    sounds = {"digital silence": np.zeros(length)}
    sounds["white noise"] = 0.1 * np.random.default_rng(0).normal(size=length)
    for word in GOLDEN:
        path = min(SAMPLES.glob(f"{word}-*.wav"))
        sounds[path.name] = np.resize(np.pad(audio.load(path), (0, length)), length)
    vectors = []
    for name, sound in sounds.items():
        samples = np.clip(np.round(32768 * sound), -32768, 32767).astype(np.int16)
        heard = samples.astype(np.float32) / 32768
        scores = recognize(audio=heard[None])["scores"][0].copy()
        vectors.append(
            {
                "name": name,
                "samples": samples.tolist(),
                "mfcc": features(audio=heard[None])["mfcc"][0].astype(float).round(4).tolist(),
                "scores": scores.astype(float).round(6).tolist(),
                "stream_scores": streamed(stream, heard)[0].astype(float).round(6).tolist(),
            }
        )
    return {
        "model": Path(file.name).name,
        "sha256": sha256,
        "labels": list(file.labels),
        "scale": "a sample of 32768 is 1.0",
        "hop_samples": file.settings["hop_samples"],
        "mfcc_mean": np.ravel(model.get_layer("scale").mean).astype(float).round(5).tolist(),
        "mfcc_deviation": deviation.astype(float).round(5).tolist(),
        "vectors": vectors,
    }


def cells(rows: dict[str, Any]) -> list[list[str]]:
    """The table that is printed."""

    def shown(value: Any, form: str) -> str:
        return "" if value is None else format(value, form)

    head = ["form", "bytes", "accuracy", "score diff.", "changed", "MFCC diff.", "streamed diff."]
    head += ["in a stream", "arena", "ms/clip", "us/hop"]
    found = [head]
    for name, row in rows.items():
        arena = row.get("arena")
        found.append(
            [
                name,
                f"{row['bytes']:,}",
                f"{row['accuracy']:.2%}",
                shown(row.get("difference"), ".1e"),
                shown(row.get("changed"), ".2%"),
                shown(row.get("mfcc_difference"), ".1e"),
                f"{row['streamed_difference']:.1e}",
                f"{row['stream_accuracy']:.2%}",
                f"{arena['recognize']:,} / {arena['stream']:,}" if arena else "",
                shown(row.get("ms_per_clip"), ".3f"),
                shown(row.get("us_per_hop"), ".1f"),
            ]
        )
    return found


if __name__ == "__main__":
    sys.exit(main())
