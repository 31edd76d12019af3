"""Programs of `--exec`: their words, their failures, and that nobody waits for them."""

import sys
import time

import pytest

from speechgru.cli import programs
from speechgru.cli.programs import Programs
from speechgru.detection import Detection

YES = Detection("yes", 1.25, 0.987654321)


def python(code, *words):
    """A template that runs Python code."""
    return " ".join(f"'{word}'" for word in (sys.executable, "-c", code, *words))


def run(template, detection=YES):
    started = Programs(template)
    started.run(detection)
    started.finish()


def test_fields_are_replaced_inside_words(tmp_path, capfd):
    code = "import sys; print(sys.argv[1:])"
    run(python(code, "{label}", "say {label}-{time}", "{confidence}", "{other}", "{}", "{{label}}"))
    assert eval(capfd.readouterr().out) == [
        "yes",
        "say yes-1.250",
        "0.987654",
        "{other}",
        "{}",
        "{yes}",
    ]


@pytest.mark.parametrize("label", ["a b", "$(touch x); `x` | y", "'\"", "{time}", "*", "-n", ""])
def test_a_label_is_one_word_whatever_it_holds(label, tmp_path, monkeypatch, capfd):
    monkeypatch.chdir(tmp_path)
    run(python("import sys; print(sys.argv[1:])", "{label}"), Detection(label, 1.0, 0.5))
    assert eval(capfd.readouterr().out) == [label]
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("template", ["", "  ", "'", 'say "yes'])
def test_a_template_without_words_or_with_open_quotes_is_an_error(template):
    with pytest.raises(ValueError, match=r"."):
        Programs(template)


@pytest.mark.parametrize(
    ("template", "message"),
    [
        ("/nowhere/program {label}", "speechgru: /nowhere/program: No such file or directory\n"),
        ("/", "speechgru: /: Permission denied\n"),
        (python("raise SystemExit(3)"), f"speechgru: {sys.executable}: ended with exit code 3\n"),
        (
            python("import os; os.kill(os.getpid(), 9)"),
            f"speechgru: {sys.executable}: ended with signal 9\n",
        ),
    ],
)
def test_failures_are_lines(template, message, capfd):
    run(template)
    assert capfd.readouterr().err == message


def test_a_label_with_a_nul_is_a_line(capfd):
    run("echo {label}", Detection("a\0b", 1.0, 0.5))
    assert capfd.readouterr().err == "speechgru: echo: embedded null byte\n"


def test_starting_a_program_does_not_wait_for_it(monkeypatch):
    monkeypatch.setattr(programs, "_LAST_SECONDS", 0)
    started = Programs("sleep 30")
    start = time.monotonic()
    started.run(YES)
    started.check()
    started.finish()
    assert time.monotonic() - start < 10
    (process,) = started._running
    process.kill()
    process.wait()


def test_programs_that_do_not_end_are_limited(monkeypatch, capfd):
    monkeypatch.setattr(programs, "_MOST_RUNNING", 2)
    started = Programs("sleep 30")
    for _ in range(3):
        started.run(YES)
    assert len(started._running) == 2
    assert capfd.readouterr().err == "speechgru: sleep: not started, as 2 of them still run\n"
    for process in started._running:
        process.kill()
        process.wait()


def test_programs_get_no_standard_input(capfd):
    run(python("import sys; print(repr(sys.stdin.read()))"))
    assert capfd.readouterr().out == "''\n"


def test_output_can_go_to_stderr(capfd):
    started = Programs("echo {label}")
    started.write_to_stderr = True
    started.run(YES)
    started.finish()
    assert capfd.readouterr() == ("", "yes\n")


def test_programs_that_do_not_end_are_reported(monkeypatch, capfd):
    monkeypatch.setattr(programs, "_LAST_SECONDS", 0.1)
    started = Programs("sleep 30")
    for _ in range(2):
        started.run(YES)
    started.finish()
    assert capfd.readouterr().err == "speechgru: sleep: 2 still running\n"
    for process in started._running:
        process.kill()
        process.wait()
