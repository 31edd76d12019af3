"""Evaluation in streams, through the script."""

import csv
import hashlib
import json
import shutil
from pathlib import Path

import numpy as np
import pytest
import soundfile

from speechgru import modelfile
from speechgru.detection import DetectionRule
from training.evaluate import main
from training.evaluation.evaluated_model import load_model
from training.evaluation.evaluation import evaluate
from training.evaluation.speakers import EVERYBODY
from training.evaluation.streams.evaluation import USUAL_CONTEXT_WEIGHT, choose_rule
from training.evaluation.streams.options import StreamOptions
from training.evaluation.streams.recipe import StreamRecipe
from training.evaluation.streams.scored_streams import ScoredNegative, ScoredWords
from training.evaluation.streams.word_streams import SpokenWord

RECIPE = "snrs = [10]\nwords_per_stream = 20\nnoise_minutes = 0.2\n"


@pytest.fixture(scope="module")
def negatives(tmp_path_factory):
    """Two recordings of six seconds of babble by each of sixteen speakers."""
    folder = tmp_path_factory.mktemp("negatives")
    rng = np.random.default_rng(0)
    time = np.arange(6 * 16000) / 16000
    for speaker in range(16):
        for take in range(2):
            pitch = 300 + 150 * np.interp(time, np.arange(0, 7, 0.2), rng.normal(size=35))
            level = np.interp(time, np.arange(0, 7, 0.3), rng.uniform(0, 0.2, 24))
            phase = 2 * np.pi * np.cumsum(pitch) / 16000
            sound = level * sum(np.sin(k * phase) / k for k in range(1, 6))
            soundfile.write(folder / f"s{speaker}_{take}.wav", 0.3 * sound, 16000)
    return folder


@pytest.fixture(scope="module")
def arguments(tmp_path_factory, word_folder, negatives):
    """Arguments of the script, without the model."""
    recipe = tmp_path_factory.mktemp("recipe") / "streams.toml"
    recipe.write_text(RECIPE)
    data = ["--data", str(word_folder), "--split", "all"]
    return [*data, "--negatives", str(negatives), "--streams", str(recipe)]


@pytest.fixture(scope="module")
def report(tmp_path_factory, model_file, arguments):
    """The folder of a report."""
    out = tmp_path_factory.mktemp("report")
    assert main([str(model_file), *arguments, "--report", str(out)]) == 0
    return out


@pytest.fixture
def model_copy(tmp_path, model_file):
    """A copy of the model file that may be changed."""
    return shutil.copy(model_file, tmp_path / "copy.tflite")


def load(folder):
    return json.loads((folder / "report.json").read_text())


def rows(path):
    return list(csv.DictReader(path.read_text().splitlines()))


def test_the_metrics_are_those_of_the_listed_words_and_false_accepts(report):
    streams = load(report)["streams"]
    assert set(streams["words"]) == {"quiet", "noise at 10 dB"}
    words = rows(report / "words.csv")
    for condition, metrics in streams["words"].items():
        found = [row["found"] == "1" for row in words if row["condition"] == condition]
        assert (metrics["recall"]["count"], metrics["recall"]["of"]) == (sum(found), len(found))
        assert metrics["recall"]["share"] > 0.3
    accepts = rows(report / "false_accepts.csv")
    for source, metrics in streams["negatives"].items():
        if source != "all folders":
            assert metrics["all"]["count"] == sum(row["source"] == source for row in accepts)


def test_the_halves_of_the_speakers_add_up(report, negatives):
    found = load(report)["streams"]["negatives"]
    assert list(found) == ["all folders", str(negatives), "noise", "other words"]
    for key in ("count", "hours"):
        halves = found["all folders"]["development"][key] + found["all folders"]["held_out"][key]
        assert halves == pytest.approx(found["all folders"]["all"][key])
    assert found["noise"]["all"]["hours"] == pytest.approx(0.2 / 60)
    speakers = found["all folders"]["speakers"]
    assert 0 < speakers < 16
    assert found["all folders"]["all"]["hours"] == pytest.approx(speakers * 12 / 3600)


def test_the_reserved_speakers_are_the_others(report, model_file, arguments, tmp_path):
    assert main([str(model_file), *arguments, "--reserved", "--report", str(tmp_path)]) == 0
    parts = [load(folder)["streams"]["negatives"]["all folders"] for folder in (report, tmp_path)]
    assert sum(part["speakers"] for part in parts) == 16
    clips = [{row["clip"] for row in rows(folder / "words.csv")} for folder in (report, tmp_path)]
    assert not clips[0] & clips[1]
    assert len(clips[0] | clips[1]) == 60


def test_the_report_shows_streams_and_html_holds_the_pictures(report):
    names = {path.name for path in report.iterdir()}
    assert {"report.html", "words.csv", "false_accepts.csv", "det.png"} <= names
    markdown, page = ((report / name).read_text() for name in ("report.md", "report.html"))
    for text in ("## Streams", "(det.png)", "held-out speakers"):
        assert text in markdown, text
    assert page.count("data:image/png;base64,") == 3
    assert "<h2>Streams</h2>" in page


def test_the_det_curve_trades_missed_words_for_false_accepts(report):
    curve = load(report)["streams"]["det"]
    assert sorted(curve["false_accepts_per_hour"], reverse=True) == curve["false_accepts_per_hour"]
    for missed in curve["missed"].values():
        assert missed[-1] >= missed[0]
        assert all(0 <= share <= 1 for share in missed)


def test_chosen_thresholds_are_written_into_the_model_file(model_copy, arguments, tmp_path):
    before = modelfile.read(model_copy)
    out = tmp_path / "report"
    command = [str(model_copy), *arguments, "--choose-thresholds", "20", "--report", str(out)]
    assert main(command) == 0
    after, found = modelfile.read(model_copy), load(out)
    detection = after.settings["detection"]
    assert detection["thresholds"] == found["streams"]["rule"]["thresholds"]
    assert detection["thresholds"] != before.settings["detection"]["thresholds"]
    assert after.detection_rule().thresholds == detection["thresholds"]
    rates = found["streams"]["negatives"]["all folders"]["held_out"]
    assert detection["false_accepts_per_hour"] == pytest.approx(rates["per_hour"], abs=1e-3)
    assert "at most 20 an hour" in detection["measured_on"]
    assert after.flatbuffer == before.flatbuffer
    assert found["sha256"] == hashlib.sha256(model_copy.read_bytes()).hexdigest()


@pytest.mark.parametrize(
    ("in_sentences", "before_words", "score", "chosen"), [(0.9, 0, 0.9, 5), (0, 0.9, 0.97, 0)]
)
def test_the_context_weight_is_that_with_which_most_words_are_found(
    in_sentences, before_words, score, chosen
):
    def scores(unknown, command):  # of four seconds, with a command from the third on
        rows = np.tile(np.float32([0, unknown, 1 - unknown]), (100, 1))
        rows[50:70] = [command, 0, 1 - command]
        return rows

    rule = DetectionRule(("yes", "unknown", "silence"), 0.04, {"yes": 0.5})
    sentences = [
        ScoredNegative(scores(in_sentences, 0.9), "folder", "s1", [], 4 / 3600) for _ in range(50)
    ]
    words = [
        ScoredWords(scores(before_words, score), [SpokenWord("yes", "yes/0", speaker, 2.0, 2.6)])
        for speaker in map(str, range(8))
    ]
    rule = choose_rule(rule, sentences, words, per_hour=20.0, late=1.0)
    assert rule.context_weight == chosen
    assert 0.5 < rule.thresholds["yes"] < 1


def test_without_negatives_words_alone_are_evaluated(model_file, word_folder, tmp_path, capsys):
    recipe = tmp_path / "streams.toml"
    recipe.write_text("snrs = []\nnoise_minutes = 0\n")
    data = ["--data", str(word_folder), "--split", "all"]
    out = tmp_path / "report"
    command = [str(model_file), *data, "--streams", str(recipe), "--report", str(out)]
    assert main(command) == 0
    streams = load(out)["streams"]
    assert list(streams["words"]) == ["quiet"]
    assert list(streams["negatives"]) == ["other words"]
    assert streams["det"] is None
    assert not (out / "det.png").exists()
    assert "streams of words" in capsys.readouterr().out


def test_a_report_without_streams_replaces_one_with_streams(
    report, model_file, arguments, tmp_path
):
    out = shutil.copytree(report, tmp_path / "report")
    assert main([str(model_file), *arguments[:4], "--report", str(out)]) == 0
    assert not {"words.csv", "false_accepts.csv", "det.png"} & {path.name for path in out.iterdir()}
    assert load(out)["streams"] is None


def test_a_keras_model_is_not_evaluated_in_streams(run_folder, arguments, capsys):
    assert main([str(run_folder), *arguments]) == 2
    assert "expected an exported .tflite file" in capsys.readouterr().err


def test_thresholds_need_speakers_of_both_halves(model_copy, word_folder, tmp_path, capsys):
    shutil.copytree(word_folder / "bird", tmp_path / "bird")
    for path in (tmp_path / "bird").iterdir():  # s1 is not reserved
        path.rename(path.with_name(f"s1_{path.name}"))
    content = model_copy.read_bytes()
    data = ["--data", str(word_folder), "--split", "all", "--negatives", str(tmp_path / "bird")]
    assert main([str(model_copy), *data, "--choose-thresholds", "1"]) == 2
    assert "expected recordings of both halves of the speakers" in capsys.readouterr().err
    assert model_copy.read_bytes() == content


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ([], "expected either MODEL or --compare A B"),
        (["m", "--compare", "a", "b"], "expected either MODEL or --compare A B"),
        (["m", "--choose-thresholds", "1"], "expected --negatives, too"),
        (["m", "--negatives", "d", "--choose-thresholds", "0"], "expected more than 0"),
        (["m", "--negatives", "d", "--choose-thresholds", "nan"], "expected more than 0"),
        (["m", "--negatives", "d", "--choose-thresholds", "1", "--reserved"], "--reserved"),
    ],
)
def test_wrong_usage_is_exit_code_2(options, message, capsys):
    with pytest.raises(SystemExit) as error:
        main(options)
    assert error.value.code == 2
    assert message in capsys.readouterr().err


def test_with_everybody_constants_are_chosen_on_all_and_no_half_checks_them(
    model_copy, word_folder, negatives, tmp_path
):
    path = Path(model_copy)
    recipe = StreamRecipe(snrs=(10,), words_per_stream=20, noise_minutes=0.2)
    streams = StreamOptions(recipe, [negatives], EVERYBODY, 60.0)
    report = evaluate(load_model(path), word_folder, split="all", streams=streams)
    found = report["streams"]["negatives"]["all folders"]
    assert found["speakers"] == 16
    stated = modelfile.read(path).settings["detection"]
    assert stated["context_weight"] == USUAL_CONTEXT_WEIGHT
    assert stated["false_accepts_per_hour"] == pytest.approx(found["all"]["per_hour"], abs=1e-3)
    assert "thresholds chosen on them, for at most 60 an hour" in stated["measured_on"]
    assert "halves" not in stated["measured_on"]
