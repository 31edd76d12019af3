"""Warnings, and names that are safe to print."""

from pathlib import Path

from training.output.messages import printable, some, warn


def test_a_path_that_is_no_text_can_be_written_to_a_file():
    assert printable(Path("a\udcff.wav")).encode() == b"a\\udcff.wav"


def test_a_warning_is_one_line_without_control_characters(capsys):
    warn("a\nb\x1b[31m")
    assert capsys.readouterr().err == "warning: a\\nb\\x1b[31m\n"


def test_the_first_names_are_shown_and_the_rest_counted():
    assert some(["a", "b"], shown=2) == "a, b"
    assert some(["a", "b", "c"], shown=2) == "a, b and 1 more"
    assert some([]) == ""
