"""Signals: no traceback, the exit codes of a shell, and nothing unfinished that stays."""

import os
import signal
import subprocess
import sys
import time

import pytest

from speechgru.cli import interruption
from tests.speechgru.cli.commands import COMMAND, linux

SIGNALS = {"SIGTERM": 143, "SIGHUP": 129}


def start(*arguments, code=None):
    return subprocess.Popen(
        [*(COMMAND if code is None else [sys.executable, "-c", code]), *arguments],
        bufsize=0,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        # Python buffers what it writes, as it does for users.
        env={k: v for k, v in os.environ.items() if k != "PYTHONUNBUFFERED"},
        preexec_fn=_restore_signals,
    )


def _restore_signals():
    """What the tests' own process ignores, as in the background or under nohup, is not ignored."""
    signal.signal(signal.SIGINT, signal.default_int_handler)
    for name in SIGNALS:
        signal.signal(getattr(signal, name), signal.SIG_DFL)


@linux
def test_ctrl_c_while_libraries_are_imported_exits_with_130():
    code = """
import signal, sys
class Interrupts:
    def find_spec(self, name, path=None, target=None):
        if name == "numpy":
            signal.raise_signal(signal.SIGINT)
sys.meta_path.insert(0, Interrupts())
from speechgru.cli import main
sys.exit(main(["info"]))
"""
    with start(code=code) as process:
        output, errors = process.communicate(timeout=60)
    assert (process.returncode, output, errors) == (130, b"", b"")


@linux
@pytest.mark.parametrize("name", SIGNALS)
def test_a_request_to_end_removes_unfinished_files(name, tmp_path):
    track = tmp_path / "track.txt"
    with start("detect", "--rate", "16000", "--labels", str(track), "-") as process:
        process.stdin.write(bytes(64000))
        process.stdin.flush()
        deadline = time.monotonic() + 30
        while not list(tmp_path.iterdir()) and time.monotonic() < deadline:
            time.sleep(0.01)
        assert len(list(tmp_path.iterdir())) == 1
        process.send_signal(getattr(signal, name))
        _, errors = process.communicate(timeout=30)
    assert (process.returncode, errors) == (SIGNALS[name], b"")
    assert list(tmp_path.iterdir()) == []


def test_handlers_of_others_stay():
    usual = signal.signal(signal.SIGTERM, signal.SIG_IGN)
    try:
        with interruption.tidying_up():
            assert signal.getsignal(signal.SIGTERM) is signal.SIG_IGN
    finally:
        signal.signal(signal.SIGTERM, usual)
    before = signal.getsignal(signal.SIGINT)
    with interruption.leaving_at_once():
        pass
    assert signal.getsignal(signal.SIGINT) is before


@linux
def test_more_signals_do_not_disturb_the_end(yes):
    with start("recognize", *[yes] * 20_000) as process:
        assert process.stdout.readline()
        for _ in range(20):
            process.send_signal(signal.SIGINT)
            time.sleep(0.002)
        output, errors = process.communicate(timeout=30)
    assert (process.returncode, errors) == (130, b"")
    assert output.endswith(b"\n")


@linux
def test_a_second_ctrl_c_ends_what_waits_for_a_reader(yes):
    with start("recognize", *[yes] * 20_000) as process:
        assert process.stdout.readline()
        time.sleep(2)  # the pipe is full
        process.send_signal(signal.SIGINT)
        time.sleep(1.5)
        process.send_signal(signal.SIGINT)
        assert process.wait(timeout=30) == 130
        assert process.stderr.read() == b""
