"""A run of phrases that last longer than a second, from training to recognition."""

import json
import re

import numpy as np
import pytest
import soundfile
from scipy.special import softmax

from export.export import main as export
from export.tflite.runner import ModelRunner
from speechgru import Recognizer, modelfile
from speechgru.cli.__main__ import main as speechgru
from training.clips.window import fit_window
from training.loop.arguments import parse_arguments
from training.loop.checks import check_options
from training.run_files.trained_model import load_trained
from training.train import main as train

PHRASES = {"lights on": 1.0, "lights off": -1.0, "bird": 0.0}
WINDOW = 25_600  # 1.6 s


def phrase(slope, seconds, pitch, rng):
    """A sound of these seconds whose pitch rises or falls, in a file of two seconds."""
    time = np.arange(round(seconds * 16000)) / 16000
    phase = 2 * np.pi * 300 * pitch * (3 * time + slope * (time**2 / seconds - time))
    sound = 0.2 * np.hanning(time.size) ** 0.2 * np.sin(phase)
    file = 1e-4 * rng.normal(size=32_000)
    file[3000 : 3000 + time.size] += sound
    return file


@pytest.fixture(scope="module")
def phrases(tmp_path_factory):
    """Phrases of 1.35 s by twelve speakers, and one of 1.8 s to validate on."""
    folder = tmp_path_factory.mktemp("phrases")
    rng = np.random.default_rng(0)
    for label, slope in PHRASES.items():
        (folder / label).mkdir()
        for speaker in range(12):
            long = (label, speaker) == ("lights on", 3)
            sound = phrase(slope, 1.8 if long else 1.35, 0.8 + 0.04 * speaker, rng)
            soundfile.write(folder / label / f"speaker{speaker}_0.wav", sound, 16000)
    return folder


def test_a_phrase_is_trained_exported_and_recognised_with_its_window(
    phrases, plain_file, tmp_path, capsys
):
    quick = plain_file.read_text().replace("steps = 10", "steps = 2").replace("= 16", "= 4")
    plain_file.write_text("scene_seconds = 2\n" + quick)
    run, file = tmp_path / "run", tmp_path / "phrases.tflite"
    arguments = ["--data", str(phrases), "--words", "lights on", "lights off", "--epochs", "1"]
    assert train([*arguments, "--recipe", str(plain_file), "--out", str(run)]) == 0
    captured = capsys.readouterr()
    assert "window: 1.6 s, the shortest into which 95 % of the words fit\n" in captured.out
    assert captured.err.endswith(  # as in docs/train.md
        "warning: 1 of 24 clips hold a word longer than 1.6 s and are cut to it: "
        "lights on/speaker3_0.wav (1.73 s)\n"
    )
    for name in ("recipe.json", "metrics.json"):
        assert json.loads((run / name).read_text())["window_seconds"] == 1.6
    resumed = check_options(parse_arguments(["--resume", "--out", str(run)]))
    assert resumed.recipe.windows == (WINDOW,)

    assert export([str(run), "--quantize", "none", "--out", str(file)]) == 0
    card = file.with_suffix(".card.md").read_text()
    assert re.search(r"\| window +\| 25600 samples at 16000 Hz +\|", card)
    assert speechgru(["info", str(file)]) == 0
    assert "25600 samples" in capsys.readouterr().out

    model, _ = load_trained(run)
    sound, _ = soundfile.read(phrases / "lights on" / "speaker1_0.wav", dtype="float32")
    window = fit_window(sound - sound.mean(), WINDOW)
    recognizer = Recognizer(file)
    expected = softmax(model(window[None])[0])
    scores = recognizer.recognize(window, 16000).scores
    found = [scores[label] for label in recognizer.labels]
    np.testing.assert_allclose(found, expected, atol=1e-3)
    runner = ModelRunner(modelfile.read(file).flatbuffer)
    np.testing.assert_allclose(runner.stream(window)[0][-1], expected, atol=1e-3)
    inside = window[4000:-4000]
    centred = np.pad(inside - inside.mean(), 4000)
    shorter = recognizer.recognize(inside, 16000).scores
    assert shorter == pytest.approx(recognizer.recognize(centred, 16000).scores, abs=1e-4)
