"""The command line as a whole: usage, exit codes, messages, interruption."""

import json
import os
import shutil
import subprocess
import sys

import pytest

import speechgru
from speechgru.cli import main
from tests.speechgru.cli.commands import COMMAND, linux


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


@pytest.mark.parametrize("arguments", [["recognize", ""], ["recognize", "--model", "", "x"]])
def test_an_empty_name_is_shown(arguments, capfd):
    assert main(arguments) == 2
    assert capfd.readouterr().err.startswith("speechgru: '': expected a ")


@pytest.mark.parametrize("module", ["speechgru", "speechgru.cli"])
def test_python_dash_m_runs_the_command(module, yes):
    done = subprocess.run(
        [sys.executable, "-m", module, "recognize", yes, "none.wav"], capture_output=True, text=True
    )
    assert (done.returncode, done.stdout.split()[1]) == (2, "yes")
    assert done.stderr == "speechgru: none.wav: expected a sound file, found nothing\n"


def test_version_is_that_of_the_package(capfd):
    with pytest.raises(SystemExit) as caught:
        main(["--version"])
    assert caught.value.code == 0
    assert capfd.readouterr().out == f"speechgru {speechgru.__version__}\n"


NAMES = ("a\x1b[31m.wav", "x\nb.wav", "r\rb.wav", "evil\u202egnp.wav", "c\x9b1m\x7f.wav")


@linux
def test_control_characters_in_names_are_escaped_everywhere(yes, tmp_path, capfd):
    for name in NAMES:
        shutil.copyfile(yes, tmp_path / name)
        (tmp_path / f"bad {name}").write_text("no sound")
    names = [str(tmp_path / name) for name in NAMES]
    bad = [str(tmp_path / f"bad {name}") for name in NAMES]
    missing = [str(tmp_path / f"no {name}") for name in NAMES]
    for options in ([], ["--json"]):
        assert main(["recognize", *options, *names, *bad, *missing]) == 2
        output, errors = capfd.readouterr()
        assert len(output.splitlines()) == len(NAMES)
        assert len(errors.splitlines()) == 2 * len(NAMES)
        assert all(line.isprintable() for line in (output + errors).split("\n"))
        assert r"bad evil\u202egnp.wav" in errors
        if options:
            assert [json.loads(line)["file"] for line in output.splitlines()] == names
        else:
            assert r"a\x1b[31m.wav" in output
    assert main(["recognize", "--model", missing[0], yes]) == 2
    assert main(["info", bad[0]]) == 2
    with pytest.raises(SystemExit):
        main(["recognize", yes, "--\x1b[31m"])
    assert "\x1b" not in capfd.readouterr().err


def test_debug_shows_the_traceback(tmp_path):
    bad = tmp_path / "bad.wav"
    bad.write_text("not a sound")
    done = subprocess.run(
        [*COMMAND, "recognize", "--debug", str(bad)], capture_output=True, text=True
    )
    assert "Traceback" in done.stderr
    assert "AudioError" in done.stderr


@linux
def test_ctrl_c_exits_with_130_and_no_traceback(yes, interrupt):
    folder, name = os.path.split(yes)
    command = [*COMMAND, "recognize", *[name] * 15_000]
    code, _, errors = interrupt(command, begins=name, timeout=60, cwd=folder)
    assert code == 130
    assert errors == ""
