"""The golden file on another machine: golden.py compares a model's results with it."""

import hashlib
import json
import subprocess
import sys
from pathlib import Path

import keras
import numpy as np
import pytest

from export.arm64.golden import detect
from export.verification.golden_vectors import golden_vectors
from speechgru import modelfile
from speechgru.detection import CONSTANTS, DetectionRule, Detector

ROOT = Path(__file__).resolve().parents[3]
SCRIPT = ROOT / "export" / "arm64" / "golden.py"


@pytest.fixture(scope="module")
def golden(model_file, run_folder):
    model = keras.saving.load_model(run_folder / "model.keras")
    sha256 = hashlib.sha256(model_file.read_bytes()).hexdigest()
    return golden_vectors(modelfile.read(model_file), sha256, model)


@pytest.fixture(scope="module")
def bundled_golden():
    path = modelfile.BUNDLED["medium"]
    model = keras.saving.load_model(path.with_suffix(".keras"))
    sha256 = hashlib.sha256(path.read_bytes()).hexdigest()
    return golden_vectors(modelfile.read(path), sha256, model)


@pytest.fixture
def compare(model_file, tmp_path):
    def run(content, model=model_file):
        path = tmp_path / "m.golden.json"
        path.write_text(json.dumps(content))
        command = [sys.executable, str(SCRIPT), str(model), str(path)]
        return subprocess.run(command, capture_output=True, text=True, timeout=60)

    return run


def test_the_files_own_vectors_agree(golden, compare):
    result = compare(golden)
    assert result.returncode == 0, result.stderr
    assert "quick.tflite gives the same answers" in result.stdout


def test_other_scores_differ(golden, compare):
    first, *rest = golden["vectors"]
    first = first | {"scores": [1 - score for score in first["scores"]]}
    result = compare(golden | {"vectors": [first, *rest]})
    assert result.returncode == 1
    assert "NOT the same answers" in result.stdout


def test_the_vectors_of_another_file_are_not_compared(golden, compare):
    result = compare(golden | {"sha256": "0" * 64})
    assert result.returncode == 2
    assert "found another SHA-256" in result.stderr


def test_the_detections_of_the_bundled_model_agree(bundled_golden, compare):
    labels = [detection["label"] for detection in bundled_golden["stream"]["detections"]]
    assert labels
    assert set(labels) <= {"yes", "stop"}
    result = compare(bundled_golden, modelfile.BUNDLED["medium"])
    assert result.returncode == 0, result.stdout + result.stderr
    assert f"over white noise: detected {labels[0]}" in result.stdout


@pytest.mark.parametrize(
    "change", [{"label": "window"}, {"time": 1.5}, {"confidence": 0.2}, None], ids=str
)
def test_other_detections_differ(change, bundled_golden, compare):
    stream = bundled_golden["stream"]
    first, *rest = stream["detections"]
    detections = rest if change is None else [first | change, *rest]
    changed = bundled_golden | {"stream": stream | {"detections": detections}}
    result = compare(changed, modelfile.BUNDLED["medium"])
    assert result.returncode == 1
    assert f"over white noise: detected {first['label']}" in result.stdout
    assert result.stdout.count("DIFFERS") == 1


@pytest.mark.parametrize("seed", range(8))
def test_the_rule_is_that_of_python(seed):
    rng = np.random.default_rng(seed)
    labels = ["up", "unknown", "down", "silence"]
    rule = DetectionRule(
        tuple(labels),
        0.04,
        {"up": 0.4, "down": 0.5},
        smoothing_hops=int(rng.integers(1, 8)),
        context_hops=int(rng.integers(1, 20)),
        context_weight=float(rng.choice([0, 2, 50])),
        max_context=float(rng.choice([0.3, 1])),
        wait_hops=int(rng.integers(0, 6)),
        refractory_hops=int(rng.integers(0, 10)),
        word_end_hops=int(rng.integers(0, 8)),
    )
    scores = np.repeat(rng.dirichlet([0.2] * 4, 400), 4, axis=0)
    detector = Detector(rule)
    expected = [found for row in scores.tolist() if (found := detector.push(row))]
    constants = {name: getattr(rule, name) for name in CONSTANTS}
    found = list(detect(scores, labels, constants, 0.04))
    assert len(expected) > 10
    assert [label for label, _, _ in found] == [one.label for one in expected]
    np.testing.assert_allclose([time for _, time, _ in found], [one.time for one in expected])
    np.testing.assert_allclose([share for *_, share in found], [one.confidence for one in expected])
