"""The report on whole recordings, through the script."""

import csv
import json
import shutil

import numpy as np
import pytest
import soundfile

import speechgru
from speechgru import modelfile
from training.evaluate import main


@pytest.fixture(scope="module")
def negatives(tmp_path_factory):
    """Two recordings of two seconds of chirps by each of sixteen speakers."""
    folder = tmp_path_factory.mktemp("negatives")
    rng = np.random.default_rng(0)
    for speaker in range(16):
        for take in range(2):
            pitch = np.interp(
                np.arange(32000), np.arange(0, 33000, 2000), rng.uniform(200, 900, 17)
            )
            sound = 0.2 * np.sin(2 * np.pi * np.cumsum(pitch) / 16000)
            soundfile.write(folder / f"s{speaker}_{take}.wav", sound, 16000)
    return folder


@pytest.fixture(scope="module")
def chosen(tmp_path_factory, model_file, word_folder, negatives):
    """A model file with chosen constants, and the folder of its report."""
    folder = tmp_path_factory.mktemp("recordings")
    model = shutil.copy(model_file, folder / "model.tflite")
    recipe = folder / "streams.toml"
    recipe.write_text("snrs = []\nwords_per_stream = 20\nnoise_minutes = 0.1\n")
    arguments = [str(model), "--data", str(word_folder), "--split", "all"]
    arguments += ["--negatives", str(negatives), "--streams", str(recipe)]
    out = folder / "report"
    assert main([*arguments, "--choose-thresholds", "20", "--report", str(out)]) == 0
    return model, out


def load(folder):
    return json.loads((folder / "report.json").read_text())["recordings"]


def rows(folder):
    return list(csv.DictReader((folder / "recordings.csv").read_text().splitlines()))


def test_the_shares_are_those_of_the_listed_answers(chosen, negatives):
    kinds = load(chosen[1])["kinds"]
    assert list(kinds) == [
        "one command, quiet",
        "one command, noise at 10 dB",
        "a sentence and a command",
        str(negatives),
        "one other word, quiet",
        "one other word, noise at 10 dB",
        "noise",
    ]
    listed = rows(chosen[1])
    for kind, metrics in kinds.items():
        of_kind = [row for row in listed if row["kind"] == kind]
        assert metrics["command"] == any(row["command"] for row in of_kind)
        counted = sum(
            row["answer"] == row["command"] if metrics["command"] else row["answer"] != ""
            for row in of_kind
        )
        assert (metrics["all"]["count"], metrics["all"]["of"]) == (counted, len(of_kind))
        for key in ("count", "of"):
            assert metrics["development"][key] + metrics["held_out"][key] == metrics["all"][key]
    assert kinds["one command, quiet"]["all"]["share"] > 0.5


def test_the_chosen_constants_are_those_of_the_model_file(chosen):
    report = load(chosen[1])
    assert report["chosen"]
    detection = modelfile.read(chosen[0]).settings["detection"]
    assert detection["recording"] == report["rule"]
    assert "whole recordings" in detection["measured_on"]
    assert "false accepts" in detection["measured_on"]


def test_recordings_of_a_folder_are_answered_as_recognize_answers_them(chosen, negatives):
    recognizer = speechgru.Recognizer(chosen[0])
    listed = [row for row in rows(chosen[1]) if row["kind"] == str(negatives)]
    assert listed
    for row in listed:
        label = recognizer.recognize(negatives / row["recording"]).label
        assert (label if label in ("yes", "no") else "") == row["answer"]


def test_the_report_shows_the_tables(chosen):
    for name in ("report.md", "report.html"):
        text = (chosen[1] / name).read_text()
        for expected in ("Whole recordings", "answered with a command", "max_unknown_hops"):
            assert expected in text, (name, expected)
