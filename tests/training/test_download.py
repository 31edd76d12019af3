"""Tests of training/download.py."""

import subprocess
import sys
from pathlib import Path

import pytest

from tests.training.data.archive_server import (
    ARCHIVE,
    FILES,
    read_folder,
    running_server,
    sha256,
    status,
)
from training import download
from training.data import official_release

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def server(monkeypatch):
    """A server in place of the official one."""
    monkeypatch.setenv("no_proxy", "*")
    with running_server() as server:
        archive = official_release.Archive(server.url, sha256(ARCHIVE), len(ARCHIVE))
        monkeypatch.setattr(official_release, "ARCHIVES", {"v0.01": archive, "v0.02": archive})
        yield server


@pytest.mark.usefixtures("server")
def test_the_command_prints_the_folder_last(tmp_path, capsys):
    assert download.main(["--version", "v0.01", "--cache", str(tmp_path)]) == 0
    folder = Path(capsys.readouterr().out.splitlines()[-1])
    assert folder == tmp_path / "speech_commands_v0.01"
    assert read_folder(folder) == FILES


def test_a_failed_download_exits_with_2(server, tmp_path, capsys):
    server.replies = [status(404)]
    assert download.main(["--cache", str(tmp_path)]) == 2
    output = capsys.readouterr()
    assert output.out == ""
    message = f"download.py: {server.url}: expected the file, found status 404 Not Found\n"
    assert output.err == message


def test_an_unusable_cache_exits_with_2(tmp_path, capsys):
    (tmp_path / "file").write_text("")
    assert download.main(["--cache", str(tmp_path / "file")]) == 2
    assert capsys.readouterr().err == f"download.py: {tmp_path / 'file'}: File exists\n"


def test_another_version_exits_with_2_and_no_traceback():
    done = subprocess.run(
        [sys.executable, ROOT / "training" / "download.py", "--version", "v9\x1b"],
        capture_output=True,
        text=True,
        timeout=30,
    )
    assert done.returncode == 2
    assert done.stderr == ("download.py: version: expected one of v0.01, v0.02, found 'v9\\x1b'\n")
