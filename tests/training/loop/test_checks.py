"""Tests of training/loop/checks.py: what is refused before TensorFlow starts."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from speechgru.errors import SpeechGRUError
from training.loop.arguments import parse_arguments
from training.loop.checks import check_options

ROOT = Path(__file__).resolve().parents[3]


@pytest.fixture
def places(tmp_path, word_folder):
    """Paths to put into the options, by name."""
    file = tmp_path / "file"
    file.write_text("")
    (tmp_path / "empty").mkdir()
    run = tmp_path / "run"
    run.mkdir()
    (run / "model.keras").write_text("")
    (run / "metrics.json").write_text(json.dumps({"labels": ["yes", "yes"]}))
    (tmp_path / "link").symlink_to(tmp_path / "nowhere")
    return {
        "WORDS": word_folder,
        "FILE": file,
        "IN_FILE": file / "run",
        "NOWHERE": tmp_path / "nowhere",
        "EMPTY": tmp_path / "empty",
        "RUN": run,
        "LINK": tmp_path / "link",
        "LONG": tmp_path / ("n" * 300),
        "NEW": tmp_path / "new",
    }


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ("--data NOWHERE", "--data: NOWHERE: expected a folder of <word>/*.wav, found nothing"),
        ("--data FILE", "--data: FILE: expected a folder of <word>/*.wav, found a file"),
        ("--data EMPTY", "EMPTY: expected folders <word>/*.wav, found nothing"),
        ("--words maybe", "maybe"),
        ("--negative NOWHERE", "--negative: NOWHERE: expected a folder of sound files, found noth"),
        ("--negative EMPTY", "--negative: EMPTY: expected a folder of sound files, found none in"),
        ("--noise NOWHERE", "--noise: NOWHERE: expected a folder of sound files, found nothing"),
        ("--noise FILE", "--noise: FILE: expected a folder of sound files, found a file"),
        ("--noise EMPTY", "--noise: EMPTY: expected a folder of sound files, found none in it"),
        ("--synthetic NOWHERE", "--synthetic: NOWHERE: expected a folder of <word>/*.wav, found"),
        ("--synthetic EMPTY", "EMPTY: expected folders <word>/*.wav, found nothing"),
        ("--recipe secret", "no recipe 'secret'"),
        ("--recipe EMPTY", "found a folder"),
        ("--recipe FILE --epochs 0", "--epochs: expected at least 1, found 0"),
        ("--epochs -3", "--epochs: expected at least 1, found -3"),
        ("--batch 20000", "--batch 20000: `batch_size`: expected at most 16384, found 20000"),
        ("--seed -1", "--seed: expected at least 0, found -1"),
        ("--seed 99999999999", "--seed: expected less than 2147483647, found 99999999999"),
        ("--start NOWHERE", "NOWHERE/model.keras: expected a trained model, found nothing"),
        ("--start EMPTY", "EMPTY/model.keras: expected a trained model, found nothing"),
        ("--start FILE", "FILE: expected the folder of a run, found a file"),
        ("--start RUN", "RUN/metrics.json: expected different labels, found ['yes', 'yes']"),
        ("--start small", "--start: expected a recipe of the preset small, found one of medium"),
        ("--teachers NOWHERE", "NOWHERE/model.keras: expected a trained model, found nothing"),
        ("--teachers FILE", "FILE: expected the folder of a run, found a file"),
        ("--recipe stream --features librosa", "--features librosa: expected a recipe of single"),
        ("--out FILE", "--out: FILE: expected a folder, found a file"),
        ("--out WORDS", "--out: WORDS: expected another folder than that of --data"),
        ("--out IN_FILE", "--out: IN_FILE: expected a folder, found a file at FILE"),
        ("--out LONG", "LONG: expected a folder that can be written to, found: File name too long"),
        ("--out LINK", "LINK: expected a folder, found a file"),
        ("--out RUN", "RUN: expected a new folder, found a run (--resume continues it)"),
        ("--resume --out NOWHERE", "NOWHERE/run.json: expected a run, found: No such file"),
        ("--resume --out FILE", "FILE/run.json: expected a run, found: Not a directory"),
    ],
)
def test_bad_options_are_one_line_each(arguments, message, places):
    if "--resume" not in arguments:
        arguments = f"--data WORDS --out NEW {arguments}"

    def filled(text):
        return re.sub(r"\b[A-Z_]{3,}\b", lambda name: str(places.get(name[0], name[0])), text)

    given = [filled(argument) for argument in arguments.split()]
    message = filled(message)
    with pytest.raises(SpeechGRUError) as caught:
        check_options(parse_arguments(given))
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)
    assert not places["NEW"].exists()


@pytest.mark.skipif(not Path("/proc/self").exists(), reason="needs a folder that is read-only")
def test_a_read_only_place_is_named(word_folder):
    options = parse_arguments(["--data", str(word_folder), "--out", "/proc/self/runs/medium"])
    with pytest.raises(SpeechGRUError, match="/proc/self/runs/medium: expected a folder that can"):
        check_options(options)


def test_a_student_replaces_no_run(family_file, word_folder, tmp_path):
    (tmp_path / "runs" / "medium").mkdir(parents=True)
    (tmp_path / "runs" / "medium" / "model.keras").write_text("")
    arguments = ["--data", str(word_folder), "--recipe", str(family_file)]
    options = parse_arguments([*arguments, "--out", str(tmp_path / "runs")])
    with pytest.raises(SpeechGRUError, match="medium: expected a new folder, found a run"):
        check_options(options)


def test_good_options_write_nothing(recipe_file, word_folder, tmp_path, capsys):
    arguments = [
        "--data",
        str(word_folder),
        "--recipe",
        str(recipe_file),
        "--epochs",
        "7",
        "--batch",
        "64",
    ]
    plan = check_options(parse_arguments([*arguments, "--out", str(tmp_path / "a" / "b")]))
    assert (plan.recipe.epochs, plan.recipe.batch_size, plan.recipe.steps) == (7, 64, 20)
    assert plan.labels == ("bird", "no", "yes", "unknown", "silence")
    assert capsys.readouterr().err == ""
    assert os.listdir(tmp_path) == []


def test_checks_do_not_need_tensorflow():
    code = "import sys, training.loop.checks; print({'tensorflow', 'keras'} & {*sys.modules})"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True)
    assert done.stdout == "set()\n", done.stderr
