"""The command line as its users see it: output, messages, exit codes."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from speechgru import modelfile
from speechgru.cli import main

COMMAND = [sys.executable, "-c", "import sys; from speechgru.cli import main; sys.exit(main())"]


@pytest.fixture
def yes(samples):
    return str(min(samples.glob("yes-*.wav")))


@pytest.fixture
def stop(samples):
    return str(min(samples.glob("stop-*.wav")))


def test_each_file_gets_a_line(yes, stop, capfd):
    assert main(["recognize", yes, stop]) == 0
    output, errors = capfd.readouterr()
    first, second = output.splitlines()
    assert first.split()[:2] == [yes, "yes"]
    assert second.split()[:2] == [stop, "stop"]
    assert 0 < float(first.split()[2]) <= 1
    assert errors == ""


def test_json_is_one_object_a_line(yes, capfd):
    assert main(["recognize", "--json", yes]) == 0
    record = json.loads(capfd.readouterr().out)
    assert list(record) == ["file", "label", "confidence", "scores"]
    assert (record["file"], record["label"]) == (yes, "yes")
    assert record["confidence"] == max(record["scores"].values())
    assert sum(record["scores"].values()) == pytest.approx(1, abs=1e-4)


def test_top_prints_more_labels(yes, capfd):
    assert main(["recognize", "--top", "3", yes]) == 0
    assert len(capfd.readouterr().out.split()) == 1 + 2 * 3


def test_a_bad_file_between_good_ones_is_reported_and_the_rest_answered(yes, stop, tmp_path, capfd):
    bad = tmp_path / "bad.wav"
    bad.write_text("not a sound")
    missing = str(tmp_path / "missing.wav")
    assert main(["recognize", yes, str(bad), missing, stop]) == 2
    output, errors = capfd.readouterr()
    assert [line.split()[1] for line in output.splitlines()] == ["yes", "stop"]
    assert [str(bad) in errors.splitlines()[0], missing in errors.splitlines()[1]] == [True, True]
    assert len(errors.splitlines()) == 2


@pytest.mark.parametrize("content", [None, b"", b"no model"])
def test_a_bad_model_is_one_line(content, yes, tmp_path, capfd):
    path = tmp_path / "model.tflite"
    if content is not None:
        path.write_bytes(content)
    for arguments in (["recognize", "--model", str(path), yes], ["info", str(path)]):
        assert main(arguments) == 2
        output, errors = capfd.readouterr()
        assert output == ""
        assert str(path) in errors
        assert errors.count("\n") == 1


@pytest.mark.parametrize(
    "arguments",
    [[], ["recognize"], ["recognise", "a.wav"], ["recognize", "--top", "0", "a.wav"], ["--what"]],
)
def test_wrong_usage_exits_with_2(arguments, capfd):
    with pytest.raises(SystemExit) as caught:
        main(arguments)
    assert caught.value.code == 2
    assert "usage: speechgru" in capfd.readouterr().err


def test_info_tells_what_the_bundled_model_holds(capfd):
    assert main(["info"]) == 0
    output, errors = capfd.readouterr()
    model = modelfile.read(None)
    for fact in (
        "yes no up down left right on off stop go unknown silence",
        f"{model.settings['validation_accuracy']:.2%}",
        f"{Path(model.name).stat().st_size:,} bytes",
        "recognize stream features",
        "hop_length 320",
        "CC BY 4.0",
    ):
        assert fact in output
    assert errors == ""


def test_debug_shows_the_traceback(tmp_path):
    bad = tmp_path / "bad.wav"
    bad.write_text("not a sound")
    done = subprocess.run(
        [*COMMAND, "recognize", "--debug", str(bad)], capture_output=True, text=True
    )
    assert "Traceback" in done.stderr
    assert "AudioError" in done.stderr


def test_ctrl_c_exits_with_130_and_no_traceback(yes, interrupt):
    folder, name = os.path.split(yes)
    command = [*COMMAND, "recognize", *[name] * 15_000]
    code, _, errors = interrupt(command, begins=name, timeout=60, cwd=folder)
    assert code == 130
    assert errors == ""


def test_a_name_that_is_no_text_is_answered(yes, tmp_path):
    path = os.fsencode(tmp_path) + b"/\xff.wav"
    shutil.copyfile(yes, path)
    done = subprocess.run(
        [*COMMAND, "recognize", path],
        capture_output=True,
        text=True,
        env={**os.environ, "PYTHONIOENCODING": "utf-8:strict"},
    )
    assert (done.returncode, done.stdout.split()[1], done.stderr) == (0, "yes", "")


def test_closed_stderr_is_no_error(yes):
    done = subprocess.run(
        ["sh", "-c", '"$@" 2>&-', "sh", *COMMAND, "recognize", "missing.wav", yes],
        capture_output=True,
        text=True,
    )
    assert (done.returncode, done.stdout.split()[1]) == (2, "yes")


def test_a_reader_that_goes_away_is_no_error(yes):
    done = subprocess.run(
        ["sh", "-c", '"$@" | head -n 1', "sh", *COMMAND, "recognize", *[yes] * 3000],
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.stdout.split()[1] == "yes"
    assert done.stderr == ""
