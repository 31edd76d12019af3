"""What is shown of the gates is what the model computes."""

import keras
import numpy as np
import pytest
import soundfile

from speechgru import build_model
from training.figures.gate_trace import trace
from training.gates import main

LABELS = ("yes", "no", "unknown", "silence")


@pytest.fixture(scope="module")
def heard():
    model = build_model("medium", LABELS)
    samples = np.random.default_rng(0).normal(size=16000).astype(np.float32) / 10
    return model, samples, trace(model, samples)


def test_the_last_probabilities_are_the_models(heard):
    model, samples, found = heard
    expected = keras.ops.softmax(model(samples[None]))[0]
    np.testing.assert_allclose(found.scores[-1], expected, atol=1e-5)
    assert found.scores.shape == (25, len(LABELS))
    assert found.seconds == pytest.approx(0.04)


def test_a_gate_near_one_writes_the_candidate(heard):
    for layer in heard[2].layers:
        before = np.concatenate([np.zeros((1, layer.h.shape[1])), layer.h[:-1]])
        expected = (1 - layer.z) * before + layer.z * layer.candidate
        np.testing.assert_allclose(layer.h, expected, atol=1e-5)


def test_a_picture_and_a_table_are_made(run_folder, samples, tmp_path, capsys):
    path = tmp_path / "gates.png"
    sound = str(samples / "yes-festival-kal-32k-pcm16.wav")
    assert main([str(run_folder), sound, "-o", str(path)]) == 0
    assert path.read_bytes().startswith(b"\x89PNG")
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].split()[:3] == ["seconds", "level,", "dB"]
    assert len(lines) == 7


@pytest.mark.parametrize("wrong", ["model", "suffix", "sound"])
def test_wrong_input_is_one_line(wrong, run_folder, tmp_path, capsys):
    sound = tmp_path / "silence.wav"
    soundfile.write(sound, np.zeros(16000), 16000)
    if wrong == "sound":
        sound.write_bytes(b"nothing")
    model = {"model": tmp_path, "suffix": tmp_path / "m.tflite"}.get(wrong, run_folder)
    assert main([str(model), str(sound), "-o", str(tmp_path / "gates.png")]) == 2
    errors = capsys.readouterr().err
    assert errors.startswith("gates.py: ")
    assert errors.count("\n") == 1
    assert not (tmp_path / "gates.png").exists()
