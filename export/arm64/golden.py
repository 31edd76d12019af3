"""Check on any machine that a model file gives the scores and detections of its golden file.

    python3 golden.py model.tflite model.golden.json

This file needs only numpy and ai-edge-litert, so it can be copied to a board with the two files.
The exit code is 1 if the results differ and 2 if they could not be compared.
"""

import argparse
import base64
import hashlib
import json
import platform
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
from ai_edge_litert.interpreter import Interpreter

SCORE_TOLERANCE = 0.05
MFCC_TOLERANCE = 1e-2


def parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("model", type=Path, metavar="MODEL.tflite")
    parser.add_argument("golden", type=Path, metavar="MODEL.golden.json")
    return parser.parse_args()


def main() -> int:
    parsed = parse_arguments()
    try:
        return run(parsed.model, parsed.golden)
    except (OSError, ValueError, LookupError) as error:
        print(f"golden.py: {type(error).__name__}: {error}", file=sys.stderr)
        return 2


def run(model: Path, golden_path: Path) -> int:
    """Run the model on the golden samples and return the exit code."""
    golden = json.loads(golden_path.read_text())
    if hashlib.sha256(model.read_bytes()).hexdigest() != golden["sha256"]:
        raise ValueError(
            f"{golden_path}: expected the golden vectors of {model}, found another SHA-256"
        )

    interpreter = Interpreter(model_path=str(model), num_threads=1)
    recognize = interpreter.get_signature_runner("recognize")
    features = interpreter.get_signature_runner("features")
    stream = interpreter.get_signature_runner("stream")
    same = True
    for vector in golden["vectors"]:
        samples = np.array(vector["samples"], np.float32) / 32768
        # Outputs are views into memory that the next call overwrites: copy them.
        scores = recognize(audio=samples[None])["scores"][0].copy()
        mfcc = features(audio=samples[None])["mfcc"][0].copy()
        hops = stream_scores(stream, samples, golden["hop_samples"])
        same &= compare(vector, scores, hops, mfcc, golden["labels"])
    same &= compare_detections(golden, stream)
    verdict = "the same answers" if same else "NOT the same answers"
    print(f"{platform.machine()}: {model.name} gives {verdict}")
    return 0 if same else 1


def stream_scores(runner: Any, samples: Any, hop: int) -> Any:
    """Return the scores after every hop of a new stream, (hops, labels)."""
    state = {
        name: np.zeros(detail["shape"], detail["dtype"])
        for name, detail in runner.get_input_details().items()
        if name != "audio"
    }
    scores = []
    for start in range(0, samples.size - hop + 1, hop):
        outputs = runner(audio=samples[None, start : start + hop], **state)
        scores.append(outputs["scores"][0].copy())
        state = {name: outputs[f"next_{name}"].copy() for name in state}
    return np.array(scores)


def detect(
    scores: Iterable[Any], labels: list[str], rule: dict[str, Any], hop_seconds: float
) -> Iterator[tuple[str, float, float]]:
    """Yield label, time and confidence of each command in a stream; docs/deploy.md has the rule."""
    recent = np.zeros((rule["smoothing_hops"], len(labels)))  # a ring
    unknown = np.zeros(rule["context_hops"])  # a ring
    unknown_label = np.array(labels) == "unknown"
    label, confidence, smoothed, context, after = "", 0.0, 0.0, 0.0, 0.0  # of the candidate
    end = last_end = decision = quiet_until = 0  # hops
    for hop, row in enumerate(scores, 1):
        recent[hop % len(recent)] = row
        unknown[hop % len(unknown)] = row @ unknown_label
        after += row @ unknown_label
        for command, threshold in rule["thresholds"].items() if hop > quiet_until else ():
            column = recent[:, labels.index(command)]
            u = unknown.mean()
            found = confidence_of(column.mean(), u, rule)
            if found < threshold or found <= confidence:
                continue
            if not label:
                decision = hop + rule["wait_hops"]
            if command != label:
                ages = (hop - np.flatnonzero(column >= 0.5)) % len(column)
                end = hop - int(ages.max(initial=0)) + rule["word_end_hops"]
            label, confidence, smoothed, context, after = command, found, column.mean(), u, 0.0
        if label and hop >= decision:
            context += after / len(unknown)
            confidence = confidence_of(smoothed, context, rule)
            if confidence >= rule["thresholds"][label] and context <= rule["max_context"]:
                quiet_until = hop + rule["refractory_hops"]
                last_end = max(last_end, min(end, hop))
                yield label, last_end * hop_seconds, confidence
            label, confidence = "", 0.0


def confidence_of(smoothed: float, context: float, rule: dict[str, Any]) -> float:
    """Return the confidence in a command: unknown speech near it lowers its odds."""
    weight = 1 + rule["context_weight"] * context
    return float(smoothed / (smoothed + (1 - smoothed) * weight)) if smoothed > 0 else 0.0


def compare_detections(golden: dict[str, Any], runner: Any) -> bool:
    """Print the detections in the golden stream, and return whether they are as expected."""
    stream = golden["stream"]
    samples = np.frombuffer(base64.b64decode(stream["samples"]), "<i2").astype(np.float32) / 32768
    scores = stream_scores(runner, samples, golden["hop_samples"])
    found = list(detect(scores, golden["labels"], stream["rule"], stream["hop_seconds"]))
    expected = [(d["label"], d["time"], d["confidence"]) for d in stream["detections"]]
    same = len(found) == len(expected) and all(
        label == expected_label
        and abs(time - expected_time) <= stream["hop_seconds"] + 1e-6
        and abs(confidence - expected_confidence) <= SCORE_TOLERANCE
        for (label, time, confidence), (expected_label, expected_time, expected_confidence) in zip(
            found, expected, strict=True
        )
    )
    words = ", ".join(f"{label} {time:.2f} s {share:.3f}" for label, time, share in found)
    print(
        f"{platform.machine()} {stream['name']}: detected {words or 'nothing'}"
        f"{'' if same else '  <- DIFFERS'}"
    )
    return same


def compare(vector: dict[str, Any], scores: Any, hops: Any, mfcc: Any, labels: list[str]) -> bool:
    """Print how far the results are from the golden ones, and return whether they agree."""
    expected, expected_hops = np.array(vector["scores"]), np.array(vector["stream_scores"])
    score_difference = np.abs(scores - expected).max()
    stream_difference = np.abs(hops - expected_hops).max()
    mfcc_difference = np.abs(mfcc - np.array(vector["mfcc"])).max()
    same_label = scores.argmax() == expected.argmax()
    same_labels = hops.argmax(axis=1) == expected_hops.argmax(axis=1)
    # Before the last hop, two labels may have about the same score, and either may be the top one.
    # "<=" and not "not >": NaN must not pass.
    same = (
        same_label
        and same_labels[-1]
        and score_difference <= SCORE_TOLERANCE
        and stream_difference <= SCORE_TOLERANCE
        and mfcc_difference <= MFCC_TOLERANCE
    )
    top = labels[scores.argmax()]
    if not same_label:
        top += f", not {labels[expected.argmax()]}"
    print(
        f"{platform.machine()} {vector['name']}: {top}; "
        f"same top label in the window: {'yes' if same_label else 'NO'}, "
        f"in {same_labels.sum()} of {same_labels.size} hops; "
        f"greatest difference of scores {score_difference:.1e}, "
        f"in the stream {stream_difference:.1e}, of MFCC {mfcc_difference:.1e}"
        f"{'' if same else '  <- DIFFERS'}"
    )
    return bool(same)


if __name__ == "__main__":
    sys.exit(main())
