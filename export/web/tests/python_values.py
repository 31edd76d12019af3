"""What Python's speechgru computes, for the tests of the browser's recogniser to compare with.

    python tests/python_values.py OUT.json FLOAT.tflite

Writes the values, and, where TensorFlow is installed, the bundled model with float32 weights:
without the rounding of int8, scores do not jump where a sample differs by 1e-6.
"""

import base64
import dataclasses
import io
import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[3]
sys.path.insert(0, str(ROOT))

import numpy as np  # noqa: E402
import numpy.typing as npt  # noqa: E402
import soundfile  # noqa: E402

from export.tflite.runner import ModelRunner  # noqa: E402
from export.verification.golden_vectors import golden_stream  # noqa: E402
from speechgru import Recognizer, audio, modelfile  # noqa: E402
from speechgru.audio.mixing import Mixer  # noqa: E402
from speechgru.audio.resampling import Resampler  # noqa: E402
from speechgru.detection import DetectionRule, Detector  # noqa: E402
from speechgru.recording import tail_hops  # noqa: E402

Samples = npt.NDArray[np.float32]


def main() -> None:
    """Write both files."""
    out, float_model = map(Path, sys.argv[1:])
    values: dict[str, Any] = {
        "bundled": recordings(None),
        "float": None,
        "golden": golden(),
        "rule": list(rule_cases()),
        "resampling": list(resampling_cases()),
        "ogg": compressed("left-espeak-female-16k-float64.wav"),
    }
    if write_float_model(float_model):
        values["float"] = recordings(str(float_model))
    out.write_text(json.dumps(values))


def recordings(model: str | None) -> dict[str, Any]:
    """Detections and scores of every sample, by the names of their files."""
    recognizer, file = Recognizer(model), modelfile.read(model)
    runner = ModelRunner(file.flatbuffer)
    found = {}
    for path in sorted((ROOT / "samples").glob("*.wav")):
        samples = resampled(path)
        hop = file.hop_samples
        tail = -len(samples) % hop + hop * tail_hops(file.hop_seconds)
        scores, _ = runner.stream(np.pad(samples, (0, tail)))
        found[path.name] = {
            "detections": [dataclasses.asdict(one) for one in recognizer.detect(path)],
            "scores": scores.ravel().astype(float).round(7).tolist(),
        }
    return found


def resampled(path: Path) -> Samples:
    """A recording at 16 kHz, as a stream processes it."""
    parts: list[Samples] = []
    mixer = resampler = None
    for rate, block in audio.read_blocks(path):
        if mixer is None or resampler is None:
            mixer, resampler = Mixer(block.shape[1], rate), Resampler(rate)
        parts.append(resampler.push(mixer.push(block)))
    assert resampler is not None
    return np.concatenate([*parts, resampler.finish()])


def write_float_model(path: Path) -> bool:
    """Write the bundled model with float32 weights; False without TensorFlow."""
    try:
        import speechgru
        from export.tflite.conversion import convert
        from export.tflite.streaming_model import StreamingModel

        keras_model = speechgru.load_model("medium")
    except ImportError:
        return False
    bundled = modelfile.read("medium")
    flatbuffer = convert(StreamingModel(keras_model), "none").flatbuffer
    modelfile.write(path, flatbuffer, bundled.labels, bundled.settings)
    return True


def golden() -> dict[str, Any]:
    """The stream of MODEL.golden.json, with the scores of each hop."""
    file = modelfile.read(None)
    return {"labels": file.labels, **golden_stream(ModelRunner(file.flatbuffer), file)}


def rule_cases() -> Iterator[dict[str, Any]]:
    """Random constants and scores of a stream, with the detections they give."""
    rng = np.random.default_rng(0)
    labels = ("yes", "no", "lights on", "unknown", "silence")
    for _ in range(40):
        rule = DetectionRule(
            labels,
            0.04,
            dict(zip(labels[:3], rng.uniform(0.1, 0.9, 3).round(3).tolist(), strict=True)),
            smoothing_hops=int(rng.integers(1, 15)),
            context_hops=int(rng.integers(1, 50)),
            context_weight=float(rng.choice([0, 0.5, 5, 50])),
            max_context=float(rng.choice([1, 0.6])),
            wait_hops=int(rng.integers(0, 8)),
            refractory_hops=int(rng.integers(0, 30)),
            word_end_hops=int(rng.integers(0, 8)),
        )
        logits = rng.normal(size=(120, len(labels)))
        for start in range(0, 120, 6):  # a label lasts some hops
            logits[start : start + 6, rng.integers(len(labels))] += 5
        exponentials = np.exp(logits)
        scores = (exponentials / exponentials.sum(1, keepdims=True)).round(6)
        detector = Detector(rule)
        found = [one for row in scores.tolist() if (one := detector.push(row))]
        if (awaited := detector.flush()) is not None:
            found.append(awaited)
        constants = dataclasses.asdict(rule)
        yield {
            "labels": labels,
            "rule": {name: constants[name] for name in list(constants)[2:]},
            "scores": scores.tolist(),
            "detections": [dataclasses.asdict(one) for one in found],
        }


def resampling_cases() -> Iterator[dict[str, Any]]:
    """Sweeps up to 0.9 of the lower Nyquist frequency at several rates, and soxr's results."""
    for rate in (8000, 11025, 22050, 44100, 47999, 48000, 96000, 192000):
        time = np.arange(rate // 5) / rate
        highest = 0.9 * min(rate, 16000) / 2
        phase = 2 * np.pi * highest * time**2 / (2 * time[-1])
        signal = (0.9 * np.hanning(time.size) ** 0.25 * np.sin(phase)).astype(np.float32)
        resampler = Resampler(rate)
        expected = np.concatenate([resampler.push(signal), resampler.finish()])
        yield {
            "rate": rate,
            "signal": signal.astype(float).round(9).tolist(),
            "expected": expected.astype(float).round(9).tolist(),
        }


def compressed(name: str) -> str:
    """A sample as Ogg Vorbis, in base64."""
    file = io.BytesIO()
    soundfile.write(file, audio.load(ROOT / "samples" / name), 16000, format="OGG")
    return base64.b64encode(file.getvalue()).decode()


if __name__ == "__main__":
    main()
