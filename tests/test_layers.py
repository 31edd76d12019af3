"""Scripts answer `--help` and recipes are read without TensorFlow, Keras, librosa or matplotlib."""

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
SCRIPTS = sorted(
    path.relative_to(ROOT).as_posix()
    for folder in ("training", "export")
    for path in (ROOT / folder).glob("*.py")
    if path.name != "__init__.py"
)
HEAVY = {"tensorflow", "keras", "librosa", "matplotlib", "scipy", "onnxruntime"}


def imported(*arguments: str) -> set[str]:
    """The heavy packages that a Python process imports."""
    command = [sys.executable, "-X", "importtime", *arguments]
    run = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert run.returncode == 0, run.stderr
    lines = [line for line in run.stderr.splitlines() if line.startswith("import time:")]
    assert len(lines) > 20
    return {line.split("|")[-1].strip() for line in lines} & HEAVY


def test_the_import_check_sees_a_heavy_package():
    assert imported("-c", "import scipy") == {"scipy"}


@pytest.mark.parametrize("script", SCRIPTS)
def test_help_imports_no_heavy_package(script):
    assert imported(script, "--help") == set()


def test_reading_a_recipe_imports_no_heavy_package():
    code = "from training.recipes.recipe import load_recipe; load_recipe('distilled')"
    assert imported("-c", code) == set()


@pytest.mark.parametrize("name", ["MFCCConfig", "AudioError", "Recognizer", "recognize"])
def test_names_of_the_runtime_import_no_heavy_package(name):
    assert imported("-c", f"import speechgru; speechgru.{name}") == set()
