"""Tests of training/voices/programs.py."""

import sys

import pytest

from training.voices import programs
from training.voices.errors import SynthesisError
from training.voices.programs import run_program


def test_what_the_program_prints_is_returned(tmp_path):
    code = "import os; print(os.getcwd())"
    assert run_program(sys.executable, "-c", code, folder=tmp_path).strip() == str(tmp_path)


def test_a_failure_is_one_line_with_the_programs_message():
    code = "import sys; sys.exit('no\\nvoice')"
    with pytest.raises(SynthesisError, match=r"failed with code 1: no voice$"):
        run_program(sys.executable, "-c", code)


def test_a_program_that_hangs_is_stopped(monkeypatch):
    monkeypatch.setattr(programs, "TIMEOUT", 0.2)
    with pytest.raises(SynthesisError, match=r"expected an answer within 0\.2 s, found none"):
        run_program(sys.executable, "-c", "import time; time.sleep(60)")


def test_a_missing_program_names_its_package():
    with pytest.raises(SynthesisError, match=r"^nobody is not installed: install the Debian"):
        run_program("nobody")
