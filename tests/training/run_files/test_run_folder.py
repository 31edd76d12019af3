"""Tests of training/run_files/run_folder.py: what a run records, and what cannot be resumed."""

import json
import shutil
from pathlib import Path

import pytest

from training.loop.arguments import parse_arguments
from training.run_files.epoch_files import LAST
from training.run_files.run_folder import RunFolderError, saved_options
from training.train import main


def test_a_run_records_what_it_was_made_of(run_folder):
    started = json.loads((run_folder / "run.json").read_text())
    assert "--data" in started["command"]
    assert Path(started["folder"]).is_absolute()
    lists = json.loads((run_folder / "task.json").read_text())
    assert len(lists["training"]) > len(lists["validation"]) > 0
    assert (run_folder / "skipped.txt").read_text() == ""
    events = b"".join(p.read_bytes() for p in (run_folder / "tensorboard").iterdir())
    assert b"validation_accuracy" in events


def test_a_run_that_is_there_is_not_replaced(run_folder, word_folder, capsys):
    before = (run_folder / "model.keras").read_bytes()
    assert main(["--data", str(word_folder), "--out", str(run_folder)]) == 2
    assert "(--resume continues it)" in capsys.readouterr().err
    assert (run_folder / "model.keras").read_bytes() == before


def damage(path, content):
    if content is None:
        path.unlink()
    else:
        path.write_bytes(content)


@pytest.mark.parametrize(
    "content", [None, b"", b"[]", b"null", b"\xff\xfe", b'{"command": ["--x"], "folder": "/"}']
)
@pytest.mark.parametrize("name", ["run.json", "recipe.json", "task.json", LAST, "model.keras"])
def test_a_damaged_run_is_one_line_at_resume(name, content, run_folder, tmp_path, capsys):
    run = shutil.copytree(run_folder, tmp_path / "run")
    damage(run / name, content)
    code = main(["--resume", "--out", str(run)])
    errors = [e for e in capsys.readouterr().err.splitlines() if not e.startswith("warning")]
    if name == LAST and content is None:  # from the beginning, to the same end
        assert code == 0
    else:
        assert (code, len(errors)) == (2, 1)
        assert name in errors[0]


def test_a_changed_recipe_is_not_resumed(run_folder, tmp_path, capsys):
    run = shutil.copytree(run_folder, tmp_path / "run")
    settings = json.loads((run / "recipe.json").read_text())
    (run / "recipe.json").write_text(json.dumps(settings | {"learning_rate": 0.5}))
    assert main(["--resume", "--out", str(run)]) == 2
    assert "found that of another recipe, seed or set of clips" in capsys.readouterr().err


def write_start(run, *command):
    run.mkdir()
    started = {"command": command, "folder": str(run.parent), "git": None}
    (run / "run.json").write_text(json.dumps(started))


def resumed(run, *command):
    return saved_options(parse_arguments([*command, "--resume", "--out", str(run)]))


def test_resume_takes_the_options_of_the_start(tmp_path, monkeypatch):
    run = tmp_path / "run"
    write_start(run, "--data", "words", "--words", "yes", "no", "--seed", "3", "--out", "first")
    monkeypatch.chdir(run)
    options = resumed(run)
    assert (options.data, options.words) == (tmp_path / "words", ("yes", "no"))
    assert (options.out, options.recipe) == (run, str(run / "recipe.json"))
    assert (options.seed, options.resume) == (None, True)  # the recipe has the seed


def test_the_same_command_with_resume_is_accepted(tmp_path, monkeypatch):
    command = ["--data", "./words", "--words", "yes", "no", "--seed", "3", "--teachers", "a", "b"]
    write_start(tmp_path / "run", *command)
    monkeypatch.chdir(tmp_path)
    assert resumed(tmp_path / "run", *command) == resumed(tmp_path / "run")


@pytest.mark.parametrize(
    ("option", "message"),
    [
        (("--seed", "5"), r"expected --seed as at the run's start \(3\), found 5"),
        (("--words", "yes"), r"expected --words as .*, found \('yes',\)"),
        (("--data", "others"), "expected --data as at .*words.*, found .*others"),
    ],
)
def test_another_option_with_resume_is_refused(option, message, tmp_path, monkeypatch):
    write_start(tmp_path / "run", "--data", "words", "--words", "yes", "no", "--seed", "3")
    monkeypatch.chdir(tmp_path)
    with pytest.raises(RunFolderError, match=message):
        resumed(tmp_path / "run", *option)


def test_a_run_of_an_earlier_version_is_not_resumed_and_told_so(run_folder, tmp_path):
    run = shutil.copytree(run_folder, tmp_path / "run")
    old = {"command": ["--data", "words"], "options": {"data": "/words"}, "git": None}
    (run / "run.json").write_text(json.dumps(old))
    with pytest.raises(RunFolderError, match=r"run\.json: .* earlier version; --start continues"):
        saved_options(parse_arguments(["--resume", "--out", str(run)]))


def test_a_run_is_resumed_from_anywhere(word_folder, plain_file, tmp_path, monkeypatch):
    monkeypatch.chdir(word_folder.parent)
    shutil.copy(plain_file, word_folder.parent / "own.toml")
    arguments = ["--data", word_folder.name, "--recipe", "own.toml", "--epochs", "1"]
    assert main([*arguments, "--out", str(tmp_path / "run")]) == 0
    (tmp_path / "run" / LAST).unlink()
    monkeypatch.chdir(tmp_path)
    assert main(["--resume", "--out", "run"]) == 0
