"""Tests of training/data/official_release.py, against a server on this machine."""

import re
import signal
import subprocess
import sys
import tarfile
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.training.data.archive_server import (
    ARCHIVE,
    FILES,
    HALF,
    read_folder,
    send,
    sha256,
    silent_after_half,
    slow,
)
from training.data import official_release, resumable_download
from training.data.errors import DownloadError
from training.data.official_release import default_cache, speech_commands

ROOT = Path(__file__).resolve().parents[3]
NAME = "speech_commands_v0.02"


@pytest.fixture
def cache(tmp_path):
    folder = tmp_path / "cache"
    folder.mkdir()
    return folder


@pytest.fixture
def get(server, cache):
    """Fetch what the server has."""

    def run(content=ARCHIVE):
        server.content = content
        return speech_commands(cache=cache, url=server.url, sha256=sha256(content))

    return run


def left(cache):
    """What is in the cache, without the lock, which may stay."""
    return sorted(path.name for path in cache.iterdir() if path.suffix != ".lock")


def part_of(cache):
    return cache / f"{NAME}.tar.gz.part"


def test_the_data_set_is_unpacked_and_the_archive_deleted(get, server, cache):
    folder = get()
    assert folder == cache / NAME
    assert read_folder(folder) == FILES
    assert left(cache) == [NAME]
    assert server.ranges == [None]


def test_what_is_there_is_not_requested_again(get, server):
    get()
    assert read_folder(get()) == FILES
    assert len(server.ranges) == 1


def test_an_empty_folder_is_no_data_set(get, cache):
    (cache / NAME).mkdir()
    assert read_folder(get()) == FILES


def test_two_at_once_download_once(get, server, capsys):
    server.replies = [slow]
    with ThreadPoolExecutor(2) as pool:
        folders = [job.result() for job in [pool.submit(get), pool.submit(get)]]
    assert folders[0] == folders[1]
    assert read_folder(folders[0]) == FILES
    assert len(server.ranges) == 1
    assert capsys.readouterr().err.count("waiting for another download") == 1


@pytest.mark.parametrize(
    ("variables", "expected"),
    [
        ({"SPEECHGRU_CACHE": "/own", "XDG_CACHE_HOME": "/xdg"}, "/own"),
        ({"XDG_CACHE_HOME": "/xdg"}, "/xdg/speechgru"),
        ({"XDG_CACHE_HOME": "relative"}, "/home/me/.cache/speechgru"),
        ({}, "/home/me/.cache/speechgru"),
    ],
)
def test_the_cache_is_where_the_environment_says(monkeypatch, variables, expected):
    for name in ("SPEECHGRU_CACHE", "XDG_CACHE_HOME"):
        monkeypatch.delenv(name, raising=False)
    for name, value in {"HOME": "/home/me", **variables}.items():
        monkeypatch.setenv(name, value)
    assert default_cache() == Path(expected)


@pytest.mark.parametrize(
    "arguments",
    [
        {"version": "v3"},
        {"url": "ftp://a/b"},
        {"url": "http://"},
        {"url": "http://a b/c"},
        {"url": ""},
        {"sha256": "12"},
    ],
    ids=str,
)
def test_wrong_arguments_are_refused(cache, arguments):
    with pytest.raises(DownloadError, match=r"expected .*, found"):
        speech_commands(cache=cache, **arguments)
    assert left(cache) == []


def test_an_archive_left_complete_by_an_earlier_run_is_not_fetched_again(get, server, monkeypatch):
    def fill_disk(*_, **__):
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(tarfile, "copyfileobj", fill_disk)
        with pytest.raises(OSError, match=r"No space left on device: .*a_nohash_0.wav"):
            get()
    assert read_folder(get()) == FILES
    assert len(server.ranges) == 1


def test_a_wrong_hash_is_named_and_nothing_is_left(server, cache):
    expected = sha256(b"another")
    message = f"{server.url}: expected SHA-256 {expected}, found {sha256(ARCHIVE)}"
    with pytest.raises(DownloadError, match=message):
        speech_commands(cache=cache, url=server.url, sha256=expected)
    assert left(cache) == []


def test_a_length_too_short_fails_the_hash(get, server, cache):
    server.replies = [lambda handler: send(handler, length=HALF)]
    with pytest.raises(DownloadError, match=f"found {sha256(ARCHIVE[:HALF])} in {HALF:,} bytes"):
        get()
    assert left(cache) == []


def test_an_archive_of_another_size_than_the_official_one_is_not_fetched(server, cache):
    message = f"expected 2,428,923,189 bytes, found {len(ARCHIVE):,}"
    with pytest.raises(DownloadError, match=message):
        speech_commands(cache=cache, url=server.url)
    assert left(cache) == []


def test_what_is_no_archive_is_deleted(get, cache):
    with pytest.raises(DownloadError, match=r"expected a \.tar\.gz of recordings"):
        get(b"no archive")
    assert left(cache) == []


def test_too_little_space_to_unpack_leaves_the_archive(get, server, monkeypatch, cache):
    usage = iter([type("usage", (), {"free": free}) for free in (10 * len(ARCHIVE), 1000)])
    with monkeypatch.context() as patch:
        patch.setattr(resumable_download.shutil, "disk_usage", lambda _: next(usage))
        with pytest.raises(DownloadError, match=r"bytes of free space, found 1,000"):
            get()
    assert part_of(cache).read_bytes() == ARCHIVE
    assert read_folder(get()) == FILES
    assert len(server.ranges) == 1


def test_a_cache_that_cannot_be_made_is_named(cache):
    (cache / "file").write_text("")
    with pytest.raises(OSError, match=re.escape(str(Path("file", "cache")))):
        speech_commands(cache=cache / "file" / "cache")


# Processes that end early


@pytest.mark.skipif(sys.platform == "win32", reason="needs POSIX signals")
@pytest.mark.parametrize("name", ["SIGKILL", "SIGINT"])
def test_a_stopped_process_leaves_what_a_later_one_continues(get, server, cache, name):
    number = getattr(signal, name)
    server.replies = [silent_after_half]
    process = subprocess.Popen(command(server, cache), cwd=ROOT, stderr=subprocess.PIPE)
    try:
        wait_for(lambda: part_of(cache).exists() and part_of(cache).stat().st_size)
        process.send_signal(number)
        _, errors = process.communicate(timeout=10)
    finally:
        process.kill()
    code = 130 if name == "SIGINT" else -number
    assert (process.returncode, errors) == (code, b"")
    have = part_of(cache).stat().st_size
    assert 0 < have <= HALF
    assert not (cache / NAME).exists()
    assert read_folder(get()) == FILES
    assert server.ranges == [None, f"bytes={have}-"]
    assert left(cache) == [NAME]


@pytest.mark.skipif(sys.platform == "win32", reason="needs POSIX signals")
def test_a_process_killed_while_unpacking_leaves_nothing_that_looks_complete(get, server, cache):
    first = (
        "import os, tarfile; copy, count = tarfile.copyfileobj, iter(range(9)); "
        "tarfile.copyfileobj = "
        "lambda *a, **k: copy(*a, **k) if next(count) < 3 else os.kill(os.getpid(), 9)"
    )
    done = subprocess.run(command(server, cache, first), cwd=ROOT, timeout=20)
    assert done.returncode == -signal.SIGKILL
    assert (cache / f".{NAME}.unpacking").exists()
    assert not (cache / NAME).exists()
    assert read_folder(get()) == FILES
    assert left(cache) == [NAME]
    assert len(server.ranges) == 1


@pytest.mark.skipif(sys.platform == "win32", reason="needs POSIX limits")
def test_a_full_disk_names_the_file(server, cache):
    first = "import resource; resource.setrlimit(resource.RLIMIT_FSIZE, (50_000, 50_000))"
    done = subprocess.run(
        command(server, cache, first), cwd=ROOT, capture_output=True, text=True, timeout=20
    )
    assert done.returncode == 2
    assert done.stderr == f"download.py: {part_of(cache)}: File too large\n"
    assert part_of(cache).stat().st_size == 50_000


def command(server, cache, first="pass"):
    """The command line in a process of its own, for the server's archive."""
    code = f"""{first}
import signal, sys
from training import download
from training.data import official_release
signal.signal(signal.SIGINT, signal.default_int_handler)  # it is ignored in the background
official_release.ARCHIVES["v0.02"] = official_release.Archive({server.url!r}, {sha256(ARCHIVE)!r})
sys.exit(download.main(["--cache", {str(cache)!r}]))
"""
    return [sys.executable, "-c", code]


def wait_for(condition):
    end = time.monotonic() + 20
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.01)


def test_the_official_archives_are_those_of_the_publisher():
    assert set(official_release.ARCHIVES) == {"v0.01", "v0.02"}
    for version, archive in official_release.ARCHIVES.items():
        assert archive.url.endswith(f"/data/speech_commands_{version}.tar.gz")
