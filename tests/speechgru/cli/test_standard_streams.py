"""Closed, full and broken standard streams."""

import subprocess

import pytest

from tests.speechgru.cli.commands import COMMAND, linux, shell


@linux
@pytest.mark.parametrize(
    ("streams", "code"),
    [
        (">&-", 2),
        ("2>&-", 2),
        (">&- 2>&-", 2),
        ("<&- >&- 2>&-", 2),
        (">/dev/full", 2),
        ("2>/dev/full", 2),
        (">/dev/full 2>/dev/full", 2),
    ],
)
def test_closed_and_full_streams_are_no_traceback(streams, code, yes):
    done = shell(f'"$@" {streams}', "recognize", yes, "missing.wav")
    assert done.returncode == code
    assert "Traceback" not in done.stderr
    assert done.stderr.count("\n") <= 2
    if streams.startswith("2>"):
        assert done.stdout.split()[1] == "yes"


@linux
def test_closed_stdout_is_no_error_and_a_full_one_is(yes):
    done = shell('"$@" >&-', "recognize", yes)
    assert (done.returncode, done.stderr) == (0, "")
    for arguments in (["recognize", yes], ["info"], ["--help"], ["--version"]):
        done = shell('"$@" >/dev/full', *arguments)
        message = (
            "speechgru: expected an output that can be written, found: No space left on device\n"
        )
        assert (done.returncode, done.stderr) == (2, message)
    done = shell('PYTHONUNBUFFERED=1 "$@" >/dev/full', "--version")
    assert (done.returncode, done.stderr) == (2, message)


@linux
def test_closed_stderr_is_no_error(yes):
    done = subprocess.run(
        ["sh", "-c", '"$@" 2>&-', "sh", *COMMAND, "recognize", "missing.wav", yes],
        capture_output=True,
        text=True,
    )
    assert (done.returncode, done.stdout.split()[1]) == (2, "yes")


@linux
def test_a_reader_that_goes_away_is_no_error(yes):
    done = subprocess.run(
        ["sh", "-c", '"$@" | head -n 1', "sh", *COMMAND, "recognize", *[yes] * 3000],
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.stdout.split()[1] == "yes"
    assert done.stderr == ""
