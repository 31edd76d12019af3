"""The README's examples do what it says."""

import re
import shlex
from pathlib import Path

import pytest

from speechgru import cli

ROOT = Path(__file__).resolve().parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")


def blocks(language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", README, re.DOTALL)


def without_numbers(text: str) -> list[list[str]]:
    """Words of each line; the figures differ a little between processors."""
    return [re.sub(r"\d+\.\d+", "#", line).split() for line in text.strip().splitlines()]


@pytest.mark.parametrize("code", blocks("python"))
def test_python_examples_print_what_they_say(code, monkeypatch, capsys):
    monkeypatch.chdir(ROOT)
    expected = "\n".join(re.findall(r"# -> (.*)", code))
    exec(compile(code, "README.md", "exec"), {})
    assert without_numbers(capsys.readouterr().out) == without_numbers(expected)


@pytest.mark.parametrize("session", [b for b in blocks("console") if "$ speechgru" in b])
def test_commands_print_what_the_readme_shows(session, monkeypatch, capfd):
    monkeypatch.chdir(ROOT)
    for part in session.split("$ speechgru ")[1:]:
        command, _, expected = part.partition("\n")
        cli.main([str(p) for word in shlex.split(command) for p in expand(word)])
        assert without_numbers(capfd.readouterr().out) == without_numbers(expected)


def expand(word: str) -> list[object]:
    return sorted(p.relative_to(ROOT) for p in ROOT.glob(word)) if "*" in word else [word]


def test_there_are_examples_to_test():
    assert len(blocks("python")) >= 2
    assert sum("$ speechgru" in block for block in blocks("console")) >= 2


def test_the_two_commands_stand_at_the_top():
    top = README[:1500]
    assert "pip install . && speechgru recognize samples/*.wav" in top
    assert "pip install -e '.[dev]' && pytest" in top
