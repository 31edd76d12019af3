"""The report and its files, through the script."""

import csv
import hashlib
import json
import shutil

import numpy as np
import pytest
import soundfile

from tests.training.evaluation.examples import LABELS, certain, noise_clips
from training.evaluate import main
from training.evaluation.report import predictions_csv


def files(folder):
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def predictions_in(folder):
    return list(csv.DictReader((folder / "predictions.csv").read_text().splitlines()))


@pytest.fixture(scope="module")
def report(tmp_path_factory, model_file, word_folder):
    """The folder of a report on the exported model."""
    out = tmp_path_factory.mktemp("report") / "new" / "report"
    assert main([str(model_file), "--data", str(word_folder), "--report", str(out)]) == 0
    return out


def test_the_report_names_model_data_seed_and_noise(report, model_file, word_folder):
    text = (report / "report.md").read_text()
    sha256 = hashlib.sha256(model_file.read_bytes()).hexdigest()
    for expected in (sha256, str(word_folder), "not official", "last fifth", "seed 0"):
        assert expected in text, expected


def test_the_report_shows_both_figures(report):
    assert set(files(report)) == {
        "report.md",
        "report.html",
        "report.json",
        "predictions.csv",
        "confusion.png",
        "noise.png",
    }
    for name in ("confusion.png", "noise.png"):
        assert (report / name).read_bytes().startswith(b"\x89PNG")
        assert f"({name})" in (report / "report.md").read_text()


def test_the_accuracy_is_that_of_the_predictions(report):
    found = json.loads((report / "report.json").read_text())
    rows = predictions_in(report)
    correct = sum(row["label"] == row["prediction"] for row in rows)
    accuracy = found["conditions"]["clean"]["accuracy"]
    assert (accuracy["count"], accuracy["of"]) == (correct, len(rows))
    assert accuracy["share"] > 0.8
    assert np.array(found["confusion"]["counts"]).sum() == len(rows)
    assert len(found["conditions"]) == 9


def test_a_run_its_keras_model_and_its_export_agree(report, run_folder, word_folder, tmp_path):
    for number, model in enumerate((run_folder, run_folder / "model.keras")):
        out = tmp_path / str(number)
        assert main([str(model), "--data", str(word_folder), "--report", str(out)]) == 0
    assert files(tmp_path / "0") == files(tmp_path / "1")
    metrics = json.loads((run_folder / "metrics.json").read_text())
    found = json.loads((tmp_path / "0" / "report.json").read_text())
    accuracy = found["conditions"]["clean"]["accuracy"]
    assert accuracy["share"] == metrics["validation_accuracy"]
    assert found["confusion"]["counts"] == metrics["confusion"]
    exported, keras_model = predictions_in(report), predictions_in(tmp_path / "0")
    for one, other in zip(exported, keras_model, strict=True):
        assert [one[k] for k in ("clip", "label", "prediction")] == [
            other[k] for k in ("clip", "label", "prediction")
        ]
        assert float(one["probability"]) == pytest.approx(float(other["probability"]), abs=2e-3)


def test_two_evaluations_write_the_same_files(report, model_file, word_folder, tmp_path, capsys):
    arguments = [str(model_file), "--data", str(word_folder), "--report", str(tmp_path)]
    assert main(arguments) == 0
    assert files(tmp_path) == files(report)
    lines = capsys.readouterr().out.splitlines()
    assert lines[-1] == str(tmp_path / "report.md")
    assert any(line.startswith("| noise at 0 dB") for line in lines)


def test_a_test_set_is_reported_with_synthetic_noise(test_set, model_file, tmp_path):
    arguments = [str(model_file), "--data", str(test_set), "--report", str(tmp_path)]
    assert main([*arguments, "--split", "testing"]) == 0
    found = json.loads((tmp_path / "report.json").read_text())
    assert found["clips"] == {"yes": 30, "no": 30, "unknown": 30, "silence": 2}
    assert found["conditions"]["clean"]["accuracy"]["share"] > 0.8
    assert sum(half["speakers"] for half in found["speakers"].values()) == 10
    assert "synthetic noises" in found["noise"]


def test_all_clips_of_a_folder_are_reported(word_folder, model_file, tmp_path, capsys):
    folder, out = tmp_path / "words", tmp_path / "report"
    for word in ("no", "bird"):
        shutil.copytree(word_folder / word, folder / word)
    shutil.copytree(word_folder / "_background_noise_", folder / "_background_noise_")
    names = [f"{w}/{p.name}" for w in ("bird", "no") for p in sorted((folder / w).iterdir())]
    (folder / "testing_list.txt").write_text("\n".join(names))
    arguments = ["--data", str(folder), "--split", "all", "--report", str(out)]
    assert main([str(model_file), *arguments]) == 0
    assert [row["clip"] for row in predictions_in(out)] == names
    found = json.loads((out / "report.json").read_text())
    assert found["clips"] == {"yes": 0, "no": 30, "unknown": 30, "silence": 0}
    assert "on 60 clips of" in (out / "report.md").read_text()
    assert "last fifth" in found["noise"]
    assert f"{folder}: no clips of yes" in capsys.readouterr().err


def test_words_that_are_no_labels_are_listed_as_unknown():
    rows = predictions_csv(LABELS, noise_clips(["yes", "bird"]), certain(["no", "unknown"]))
    assert rows.splitlines() == [
        "clip,label,prediction,probability",
        "yes/0,yes,no,1.0000",
        "bird/1,unknown,unknown,1.0000",
    ]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["nowhere.tflite"], "nowhere.tflite: expected a trained model, found nothing"),
        (["MODEL", "--data", "nowhere"], "nowhere: expected a folder of <word>/*.wav"),
        (["MODEL", "--data", "OTHER"], "no clips of yes, no; there are clips of maybe"),
        (["MODEL", "--split", "testing"], "expected clips in testing_list.txt, found none"),
        (["MODEL", "--noise", "OTHER/empty"], "empty: expected noise recordings"),
        (["MODEL", "--report", "OTHER/maybe/a.wav"], "a.wav"),
    ],
)
def test_wrong_input_is_one_line_and_exit_code_2(
    arguments, message, tmp_path, model_file, word_folder, capsys
):
    for name in ("maybe", "empty"):
        (tmp_path / name).mkdir()
    soundfile.write(tmp_path / "maybe" / "a.wav", np.ones(16000), 16000)
    if "OTHER" in arguments:
        (tmp_path / "empty").rmdir()
    for name, place in {"MODEL": model_file, "OTHER": tmp_path}.items():
        arguments = [argument.replace(name, str(place)) for argument in arguments]
    if "--data" not in arguments:
        arguments += ["--data", str(word_folder)]
    assert main(arguments) == 2
    errors = capsys.readouterr().err
    assert errors.startswith("evaluate.py: ")
    assert message in errors
    assert errors.count("\n") == 1


@pytest.mark.parametrize("name", ["report.md", "predictions.csv", "report.json"])
def test_a_report_replaces_no_file_of_others(name, tmp_path, model_file, word_folder, capsys):
    own = tmp_path / name
    own.write_text("{}")
    arguments = [str(model_file), "--data", str(word_folder), "--report", str(tmp_path)]
    assert main(arguments) == 2
    assert f"{own}: expected an earlier report or no file" in capsys.readouterr().err
    assert own.read_text() == "{}"
    assert list(tmp_path.iterdir()) == [own]


def test_a_negative_seed_is_wrong_usage(capsys):
    with pytest.raises(SystemExit) as error:
        main(["model.tflite", "--seed", "-1"])
    assert error.value.code == 2
    assert "--seed: expected 0 or more, found -1" in capsys.readouterr().err


def test_ctrl_c_is_exit_code_130(monkeypatch):
    def interrupted(path):
        raise KeyboardInterrupt

    monkeypatch.setattr("training.evaluation.evaluated_model.load_model", interrupted)
    assert main(["model.tflite"]) == 130
