"""Tests of training/output/script.py."""

import os
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

from speechgru import AudioError, ModelError
from training.clips.errors import DataError
from training.output.script import describe, one_line, script

ROOT = Path(__file__).resolve().parents[3]
NAME = Path(__file__).name


def fail_with(error: BaseException):
    @script
    def main(arguments=None):
        raise error

    return main


def run(tmp_path: Path, body: str, **options) -> subprocess.CompletedProcess:
    """Run a script of its own whose `main` is `body`."""
    path = tmp_path / "example.py"
    path.write_text(
        f"import os, sys\nsys.path.insert(0, {str(ROOT)!r})\n"
        "from training.output.script import script\n\n"
        f"@script\ndef main(arguments=None):\n{textwrap.indent(body, '    ')}\n\n"
        "sys.exit(main())\n"
    )
    return subprocess.run([sys.executable, path], timeout=60, text=True, **options)


def test_arguments_reach_main_and_success_returns_0():
    seen = []

    @script
    def main(arguments=None):
        seen.append(arguments)

    assert main(["--epochs", "1"]) == 0
    assert main() == 0
    assert seen == [["--epochs", "1"], None]


def test_an_exit_code_of_main_is_returned():
    @script
    def main(arguments=None):
        return 1

    assert main([]) == 1


def test_an_error_is_one_line_behind_the_scripts_name(capsys):
    assert fail_with(FileNotFoundError(2, "No such file", "a\n\x1b[31mb.wav"))([]) == 2
    assert capsys.readouterr().err == f"{NAME}: a \\x1b[31mb.wav: No such file\n"


def test_ctrl_c_returns_130_and_prints_nothing(capsys):
    assert fail_with(KeyboardInterrupt())([]) == 130
    assert capsys.readouterr() == ("", "")


def test_a_missing_package_is_named(capsys):
    assert fail_with(ModuleNotFoundError("no", name="tensorflow.python"))([]) == 2
    expected = f"{NAME}: expected the Python package tensorflow.python: pip install -e '.[train]'\n"
    assert capsys.readouterr().err == expected


def test_a_package_that_cannot_be_loaded_is_one_line(capsys):
    assert fail_with(ImportError("speechgru.GRU needs\nKeras"))([]) == 2
    assert capsys.readouterr().err == f"{NAME}: speechgru.GRU needs Keras\n"


@pytest.mark.parametrize("error_class", [AudioError, ModelError, DataError])
def test_errors_of_the_project_are_reported(error_class, capsys):
    assert fail_with(error_class("a.wav: expected sound"))([]) == 2
    assert capsys.readouterr().err == f"{NAME}: a.wav: expected sound\n"


@pytest.mark.parametrize(
    "error",
    [
        KeyError("x"),
        ValueError("x"),
        ModuleNotFoundError("no", name="training.x"),
        ImportError("cannot import name", name="speechgru"),
    ],
)
def test_a_bug_keeps_its_traceback(error):
    with pytest.raises(type(error)):
        fail_with(error)([])


@pytest.mark.parametrize(
    ("error", "message"),
    [
        (OSError(28, "No space left on device"), "No space left on device"),
        (OSError(9, "Bad file descriptor", 7), "7: Bad file descriptor"),
        (OSError(2, "No such file", b"\xff.wav"), "\\udcff.wav: No such file"),
        (MemoryError(), "out of memory"),
        (MemoryError("12 GiB"), "out of memory: 12 GiB"),
        (ValueError("two\n  lines"), "two lines"),
        (OSError(), "OSError"),
    ],
)
def test_messages_say_what_happened(error, message):
    assert describe(error) == message


def test_only_control_characters_are_escaped():
    assert one_line("größe\t 日本 \x07\u202e\x85end") == "größe 日本 \\x07\\u202e end"


def test_a_path_of_any_bytes_can_be_printed(tmp_path):
    done = run(tmp_path, r"print('\udcff')", capture_output=True)
    assert (done.returncode, done.stdout, done.stderr) == (0, "\\udcff\n", "")


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full")
def test_a_full_disk_behind_stdout_is_one_line(tmp_path):
    with open("/dev/full", "w") as full:
        done = run(tmp_path, "print('hello')", stdout=full, stderr=subprocess.PIPE)
    assert done.returncode == 2
    assert done.stderr == "example.py: No space left on device\n"


def test_a_reader_that_stops_early_is_no_error(tmp_path):
    reading, writing = os.pipe()
    os.close(reading)
    done = run(tmp_path, "print('hello')", stdout=writing, stderr=subprocess.PIPE)
    os.close(writing)
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.skipif(os.name == "nt", reason="needs a POSIX shell")
def test_closed_streams_are_no_error(tmp_path):
    run(tmp_path, "print('hello')\nraise OSError('lost')", capture_output=True)
    command = f"exec {sys.executable} {tmp_path / 'example.py'} >&- 2>&-"
    assert subprocess.run(["sh", "-c", command], timeout=60).returncode == 2
