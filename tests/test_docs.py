"""Every code block of README.md and docs/ does what it says, or says why it is not run here.

Blocks of `text` show what commands have printed, and are not checked.
"""

import dataclasses
import importlib.util
import io
import re
import shlex
import subprocess
import sys
import types
from pathlib import Path

import numpy as np
import pytest

import speechgru
from speechgru import audio, cli
from training.recipes.recipe import RECIPES, load_recipe

ROOT = Path(__file__).resolve().parents[1]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
OUTPUT = "text"
NOT_RUN = re.compile(r"not run here: \S.{5,}")
BLOCK = re.compile(r"(?:^<!-- (.*?) -->\n)?^```(\w*)\n(.*?)^```$", re.DOTALL | re.MULTILINE)


@dataclasses.dataclass(frozen=True)
class Block:
    page: str
    language: str
    code: str
    mark: str  # the comment above it

    def __str__(self) -> str:
        return f"{self.page}: {self.code.splitlines()[0]}"


ALL = [
    Block(page.name, language, code, mark)
    for page in PAGES
    for mark, language, code in BLOCK.findall(page.read_text(encoding="utf-8"))
]


def blocks(language: str, *, marked: bool = False) -> list[Block]:
    return [b for b in ALL if b.language == language and bool(b.mark) == marked]


def without_numbers(text: str) -> list[list[str]]:
    """Words of each line; the figures differ a little between processors."""
    return [re.sub(r"\d+\.\d+", "#", line).split() for line in text.strip().splitlines()]


def test_every_block_is_run_or_says_why_not():
    fences = sum(page.read_text().count("\n```") for page in PAGES)
    assert 2 * len(ALL) == fences >= 60
    run = {"python", "console", "toml", "sh", OUTPUT}
    for block in ALL:
        if block.mark or block.language not in run:
            assert NOT_RUN.fullmatch(block.mark), str(block)


@pytest.mark.parametrize("block", blocks("python"), ids=str)
def test_python_prints_what_it_says(block, monkeypatch, capsys):
    monkeypatch.chdir(ROOT)
    expected = "\n".join(re.findall(r"# -> (.*)", block.code))
    exec(compile(block.code, block.page, "exec"), {})
    assert without_numbers(capsys.readouterr().out) == without_numbers(expected)


@pytest.mark.parametrize("block", blocks("console"), ids=str)
def test_commands_print_what_is_shown(block, monkeypatch, capfd):
    monkeypatch.chdir(ROOT)
    for part in block.code.split("$ speechgru ")[1:]:
        command, _, expected = part.partition("\n")
        cli.main([str(p) for word in shlex.split(command) for p in expand(word)])
        printed = capfd.readouterr()
        errors = [line for line in printed.err.splitlines() if line.startswith("speechgru: ")]
        shown = "\n".join([printed.out, *errors])
        assert without_numbers(shown) == without_numbers(expected)


def expand(word: str) -> list[object]:
    return sorted(p.relative_to(ROOT) for p in ROOT.glob(word)) if "*" in word else [word]


@pytest.mark.parametrize("block", blocks("toml"), ids=str)
def test_recipes_can_be_loaded(block, tmp_path):
    path = tmp_path / "shown.toml"
    path.write_text(block.code)
    load_recipe(str(path))


@pytest.mark.parametrize("block", blocks("sh"), ids=str)
def test_shell_commands_run(block, tmp_path):
    for folder in ("samples", "training", "speechgru", "benchmarks", "export"):
        (tmp_path / folder).symlink_to(ROOT / folder)
    (tmp_path / "docs").mkdir()
    (tmp_path / "build").mkdir()
    (tmp_path / "python").symlink_to(sys.executable)
    path = f"{Path(sys.executable).parent}:{tmp_path}:/usr/bin:/bin"
    run = subprocess.run(
        ["bash", "-ec", block.code],
        cwd=tmp_path,
        env={"PATH": path, "HOME": str(tmp_path)},
        capture_output=True,
        text=True,
    )
    assert run.returncode == 0, run.stderr


@pytest.fixture(scope="module")
def options_of():
    """The options that `--help` of a script or command lists."""
    known: dict[str, set[str]] = {}

    def of(program: str) -> set[str]:
        if program not in known:
            name, *rest = program.split()
            if name == "speechgru":
                rest = ["-c", "from speechgru.cli import main; main()", *rest]
            command = [sys.executable, *rest, "--help"]
            run = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
            assert run.returncode == 0, run.stderr
            known[program] = set(re.findall(r"(?<!\w)--[a-z-]+", run.stdout))
        return known[program]

    return of


def of_recipe(path: Path) -> Block:
    """The commands in the comments of a recipe."""
    lines = re.findall(r"^#     (.*\n)", path.read_text(encoding="utf-8"), re.MULTILINE)
    return Block(path.name, "sh", "".join(lines), "not run here: trains")


NOT_RUN_HERE = [*blocks("sh", marked=True), *map(of_recipe, sorted(RECIPES.glob("*.toml")))]


@pytest.mark.parametrize("block", NOT_RUN_HERE, ids=str)
def test_shell_commands_that_are_not_run_have_options_that_exist(block, options_of):
    for line in block.code.replace("\\\n", " ").splitlines():
        found = re.match(
            r"\s*(python (?:training|export|benchmarks|examples)/\S+|speechgru \w+)(.*)", line
        )
        known = (
            r"(pip install|export TF_CONFIG=|\s+\"task\"|LITERT=|cc |arecord |apt-get |docker run |"
            r"for |find |ffmpeg |git checkout |mkdir |npm |cd |vela |rm -r |cp -r )"
        )
        assert found or re.match(known, line), line
        if found:
            program, rest = found.groups()
            if program.endswith("synthesise.py"):  # it has a command of its own
                program += " " + rest.split()[0]
            given = {word.partition("=")[0] for word in shlex.split(rest) if word[:2] == "--"}
            assert given <= options_of(program), line


def test_the_deployment_guide_hears_commands_in_a_stream(samples, monkeypatch, capsys):
    words = ("yes-festival-kal-32k-pcm16.wav", "stop-festival-kal-22k05-pcm16.wav")
    quiet = np.zeros(audio.SAMPLE_RATE)
    sound = [part for word in words for part in (quiet, audio.load(samples / word))]
    pcm = (32767 * np.concatenate([*sound, quiet])).astype("<i2").tobytes()
    (block,) = [b for b in blocks("python", marked=True) if b.page == "deploy.md"]
    monkeypatch.chdir(ROOT)
    monkeypatch.setattr("sys.stdin", types.SimpleNamespace(buffer=io.BytesIO(pcm)))
    exec(compile(block.code, "deploy.md", "exec"), {})
    lines = [line.split() for line in capsys.readouterr().out.splitlines()]
    with speechgru.Recognizer().stream(16000) as stream:
        expected = stream.feed(np.frombuffer(pcm, "<i2"))
    assert [label for _, label, _ in lines] == [one.label for one in expected] == ["yes", "stop"]
    for (time, _, confidence), one in zip(lines, expected, strict=True):
        assert float(time) == pytest.approx(one.time, abs=0.006)
        assert float(confidence) == pytest.approx(one.confidence, abs=1e-3)


def test_the_two_commands_stand_at_the_top_of_the_readme():
    top = (ROOT / "README.md").read_text(encoding="utf-8")[:1500]
    assert "pip install . && speechgru recognize samples/*.wav" in top
    assert "pip install -e '.[dev]' && pytest" in top


@pytest.mark.skipif(not importlib.util.find_spec("mkdocs"), reason="mkdocs is not installed")
def test_the_site_builds_strictly(tmp_path):
    command = [sys.executable, "-m", "mkdocs", "build", "--strict"]
    command += ["--site-dir", str(tmp_path / "site")]
    run = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert run.returncode == 0, run.stderr
    reference = (tmp_path / "site" / "api" / "index.html").read_text(encoding="utf-8")
    for name in ("recognize", "Recognizer", "GRU", "MFCC", "build_model"):
        assert f'.{name}"' in reference
    assert "<blockquote>" not in reference  # examples are code, not quotations
    pages = {path.parent.name for path in (tmp_path / "site").glob("*/index.html")}
    assert pages >= {page.stem for page in PAGES[1:]} - {"index"}
