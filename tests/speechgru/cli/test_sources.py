"""Files, folders and standard input that the command line names."""

import json
import os
import shutil
import subprocess

import pytest

from speechgru.cli import main
from tests.speechgru.cli.commands import COMMAND, linux, shell


def test_a_folder_stands_for_the_sound_files_in_it(yes, stop, tmp_path, capfd):
    for name in ("b/late.wav", "a.WAV", "b/.hidden.wav", "._a.wav", ".cache/c.wav", "b/notes.txt"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        shutil.copyfile(yes, tmp_path / name)
    assert main(["recognize", str(tmp_path), stop]) == 0
    names = [line.split()[0] for line in capfd.readouterr().out.splitlines()]
    assert names == [str(tmp_path / "a.WAV"), str(tmp_path / "b" / "late.wav"), stop]


def test_a_folder_without_sound_files_is_reported(yes, tmp_path, capfd):
    (tmp_path / "notes.txt").write_text("nothing")
    assert main(["recognize", str(tmp_path), yes]) == 2
    output, errors = capfd.readouterr()
    assert output.split()[1] == "yes"
    assert errors == f"speechgru: {tmp_path}: expected a folder with sound files, found none\n"


def test_a_folder_that_may_not_be_read_is_reported(yes, tmp_path, capfd, monkeypatch):
    def walk(folder, onerror):
        onerror(PermissionError(13, "Permission denied", f"{folder}/closed"))
        yield folder, [], ["a.wav"]

    shutil.copyfile(yes, tmp_path / "a.wav")
    monkeypatch.setattr(os, "walk", walk)
    assert main(["recognize", str(tmp_path)]) == 2
    output, errors = capfd.readouterr()
    assert output.split()[1] == "yes"
    assert errors == f"speechgru: {tmp_path}/closed: Permission denied\n"


@linux
@pytest.mark.parametrize("name", ["-", "/dev/stdin"])
def test_standard_input_is_read_from_a_pipe_and_from_a_file(name, yes):
    for script in (f'cat {yes} | "$@"', f'(sleep 0.5; cat {yes}) | "$@"', f'"$@" < {yes}'):
        done = shell(script, "recognize", name)
        assert (done.returncode, done.stdout.split()[:2], done.stderr) == (0, [name, "yes"], "")


@linux
def test_process_substitution_is_read(yes, stop):
    done = shell(f'"$@" <(cat {yes}) <(cat {stop})', "recognize", "--json")
    assert [json.loads(line)["label"] for line in done.stdout.splitlines()] == ["yes", "stop"]
    assert (done.returncode, done.stderr) == (0, "")


@linux
@pytest.mark.parametrize(
    ("script", "found"),
    [
        ('true | "$@"', "found no bytes"),
        ('"$@" < /dev/null', "found no bytes"),
        ('echo text | "$@"', "found: "),
        ('"$@" <&-', "found a closed stream"),
    ],
)
def test_standard_input_without_sound_is_reported(script, found, yes):
    done = shell(script, "recognize", "-", yes)
    assert (done.returncode, done.stdout.split()[1]) == (2, "yes")
    assert done.stderr.startswith("speechgru: <stdin>: expected ")
    assert found in done.stderr
    assert done.stderr.count("\n") == 1


@linux
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


@linux
@pytest.mark.parametrize("command", ["recognize", "detect", "listen"])
def test_a_terminal_is_not_sound(command):
    terminal, side = os.openpty()
    try:
        done = subprocess.run([*COMMAND, command, "-"], stdin=side, capture_output=True, timeout=60)
    finally:
        os.close(side)
        os.close(terminal)
    assert (done.returncode, done.stdout) == (2, b"")
    assert b"expected sound from a file or another program, found a terminal" in done.stderr


@linux
def test_a_pipe_that_does_not_block_is_read_to_its_end(recording):
    script = "import os, sys; os.set_blocking(0, False); os.execv(sys.argv[1], sys.argv[1:])"
    pauses = f"(head -c 60000 '{recording}'; sleep 1; tail -c +60001 '{recording}')"
    done = shell(f"{pauses} | {COMMAND[0]} -c '{script}' \"$@\"", "detect", "-")
    assert [line.split()[2] for line in done.stdout.splitlines()] == ["yes", "stop", "go"]
    assert (done.returncode, done.stderr) == (0, "")
