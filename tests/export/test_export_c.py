"""export_c.py: two files from a run or a bundled model, and errors of one line."""

import json
import os
import shutil

import keras
import pytest

from export.export_c import main
from speechgru import modelfile
from speechgru.modelfile import BUNDLED


def test_a_run_gives_two_files_with_its_labels(run_folder, tmp_path, capsys):
    assert main([str(run_folder), "--out", str(tmp_path / "new" / "c")]) in (None, 0)
    code = (tmp_path / "new" / "c" / "kws.c").read_text()
    labels = json.loads((run_folder / "metrics.json").read_text())["labels"]
    assert "".join(f'"{label}", ' for label in labels)[:-2] in code
    assert "kws.h: " in capsys.readouterr().out


def test_the_detection_rule_is_that_of_the_file_beside_the_model(tmp_path):
    for name in ("small.keras", "small.tflite"):
        shutil.copy(BUNDLED["small"].with_name(name), tmp_path)
    file = modelfile.read(tmp_path / "small.tflite")
    detection = {**file.settings["detection"], "refractory_hops": 77}
    modelfile.write_detection(tmp_path / "small.tflite", detection)
    out = tmp_path / "out"
    assert main([str(tmp_path / "small.keras"), "--out", str(out), "--fixed"]) in (None, 0)
    assert "#define REFRACTORY_HOPS 77u" in (out / "kws.c").read_text()


def failed(capsys, *arguments):
    assert main([str(argument) for argument in arguments]) == 2
    (line,) = capsys.readouterr().err.splitlines()
    return line


def test_a_missing_model_is_named(tmp_path, capsys):
    line = failed(capsys, tmp_path / "none.keras", "--out", tmp_path)
    assert line == f"export_c.py: {tmp_path}/none.keras: expected a trained model, found nothing"


@pytest.mark.parametrize(
    "prefix", ["Kws", "1kws", "a-b", "", "k" * 40, "size", "scale", "int8", "math"]
)
def test_a_prefix_that_is_no_name_is_refused(prefix, tmp_path, capsys):
    line = failed(capsys, tmp_path, "--out", tmp_path, f"--prefix={prefix}")
    assert "--prefix: expected a lower-case letter" in line


def test_another_file_is_not_replaced(tmp_path, capsys):
    (tmp_path / "kws.h").write_text("mine")
    line = failed(capsys, tmp_path / "none.keras", "--out", tmp_path)
    assert line.endswith(
        "kws.h: expected a file of export/export_c.py or no file, found another file, which is not "
        "replaced"
    )
    assert (tmp_path / "kws.h").read_text() == "mine"


def test_files_of_different_models_are_refused(run_folder, tmp_path, capsys):
    for name in ("model.keras", "metrics.json"):
        shutil.copy(run_folder / name, tmp_path)
    shutil.copy(BUNDLED["small"], tmp_path / "model.tflite")
    line = failed(capsys, tmp_path, "--out", tmp_path / "out")
    expected = f"{tmp_path}/model.tflite: expected the labels of {tmp_path}/metrics.json, found "
    assert expected in line
    (tmp_path / "metrics.json").unlink()
    line = failed(capsys, tmp_path, "--out", tmp_path / "out")
    assert f"{tmp_path}/model.keras: expected 12 outputs" in line


def test_another_keras_model_is_refused(tmp_path, capsys):
    inputs = keras.Input((4,))
    other = keras.Model(inputs, keras.layers.Dense(12)(inputs), name="other")
    other.save(tmp_path / "small.keras")
    shutil.copy(BUNDLED["small"], tmp_path)
    line = failed(capsys, tmp_path / "small.keras", "--out", tmp_path / "out")
    assert line.endswith("small.keras: expected a model of speechgru.build_model, found other")


def test_the_bundled_small_is_reproducible(tmp_path):
    """With the listed clips of Speech Commands if they are there, else with the samples."""
    data = os.environ.get("SPEECHGRU_DATA")
    arguments = [str(BUNDLED["small"].with_suffix(".keras")), *(["--data", data] if data else [])]
    written = []
    for _ in range(2):  # the second time, our own files are replaced
        assert main([*arguments, "--out", str(tmp_path)]) in (None, 0)
        written.append([(tmp_path / name).read_bytes() for name in ("kws.c", "kws.h")])
    assert written[0] == written[1]
    assert b" * Calibrated on " in written[0][1]
