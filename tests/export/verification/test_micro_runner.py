"""The int8 step under TensorFlow Lite Micro is the int8 form under LiteRT."""

import re
import sys
from pathlib import Path

import keras
import numpy as np
import pytest

from export.model_package.reference_clips import calibration_clips
from export.tflite.int8 import to_int8
from export.tflite.runner import ModelRunner
from export.tflite.streaming_model import StreamingModel
from export.verification.micro_runner import ARENA_ALIGNMENT, MicroRunner, interpreter
from export.verification.stream_forms import UnavailableError
from speechgru.conversion.flatbuffer import operators
from speechgru.errors import ConversionError

LABELS = ("yes", "no", "unknown", "silence")
DEPLOY = Path(__file__).resolve().parents[3] / "docs" / "deploy.md"


@pytest.fixture(scope="module")
def clips(word_folder):
    return calibration_clips(word_folder, LABELS, 16000).samples


@pytest.fixture(scope="module")
def int8(run_folder, clips):
    return to_int8(StreamingModel(keras.saving.load_model(run_folder / "model.keras")), clips)


@pytest.fixture(scope="module")
def runner(int8):
    pytest.importorskip("tflite_micro", reason="needs the package tflite-micro")
    return MicroRunner(*int8)


def test_the_scores_are_those_of_litert(runner, int8, clips):
    litert = ModelRunner(int8[0])
    for clip in clips[:10]:
        expected, _ = litert.stream(clip)
        runner.reset()
        scores = runner.feed(clip)
        assert scores[-1].argmax() == expected[-1].argmax()
        np.testing.assert_allclose(scores, expected, atol=0.1)


def test_a_stream_goes_on_until_it_is_reset(runner, clips):
    runner.reset()
    scores = runner.feed(clips[0])
    assert not np.array_equal(runner.feed(clips[0]), scores)
    runner.reset()
    parts = [runner.feed(part) for part in np.split(clips[0], [640, 6400])]
    np.testing.assert_array_equal(np.concatenate(parts), scores)


def test_the_arena_is_the_smallest_with_which_the_interpreter_starts(runner, int8, capfd):
    arena = runner.memory["stream"]
    assert runner.memory["arena_used"] <= arena
    interpreter(int8[1], arena).invoke()
    with pytest.raises(ConversionError, match=r"arena of [\d,]+ bytes: TFLM failed to allocate"):
        interpreter(int8[1], arena - ARENA_ALIGNMENT)


def test_looking_for_the_arena_prints_nothing(runner, int8, capfd):
    MicroRunner(*int8)
    assert "TensorFlow Lite Micro" not in (error := capfd.readouterr().err)
    assert "Arena" not in error
    assert "allocate" not in error


def test_the_guide_lists_the_operators_of_the_step(int8):
    text = DEPLOY.read_text(encoding="utf-8")
    listed = [name.lower() for name in re.findall(r"operators\.Add(\w+)\(\)", text)]
    assert listed == sorted(name.replace("_", "").lower() for name in operators(int8[1]))
    assert f"MicroMutableOpResolver<{len(listed)}>" in text


def test_without_the_package_the_form_is_unavailable(int8, monkeypatch):
    monkeypatch.setitem(sys.modules, "tflite_micro", None)
    with pytest.raises(
        UnavailableError, match=r"expected the package tflite-micro .*, found: import of"
    ):
        MicroRunner(*int8)
