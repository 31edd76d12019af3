"""Tests of speechgru/atomic_files.py."""

import errno
import os
from pathlib import Path

import pytest

from speechgru import atomic_files
from speechgru.atomic_files import remove_unfinished, replacing, write_text


def test_the_file_appears_only_when_the_block_has_succeeded(tmp_path):
    path = tmp_path / "model.keras"
    with replacing(path) as unfinished:
        unfinished.write_bytes(b"new")
        assert not path.exists()
        assert (unfinished.parent, unfinished.suffix) == (tmp_path, ".keras")
    assert path.read_bytes() == b"new"
    assert os.listdir(tmp_path) == ["model.keras"]


@pytest.mark.parametrize("error", [KeyboardInterrupt, ValueError, OSError])
def test_the_old_file_stays_when_the_block_fails(error, tmp_path):
    path = tmp_path / "model.keras"
    path.write_bytes(b"old")

    def write_half() -> None:
        with replacing(path) as unfinished:
            unfinished.write_bytes(b"half")
            raise error

    with pytest.raises(error):
        write_half()
    assert path.read_bytes() == b"old"
    assert os.listdir(tmp_path) == ["model.keras"]


def test_two_writers_of_one_file_do_not_share_a_temporary_name(tmp_path):
    path = tmp_path / "history.json"
    with replacing(path) as first, replacing(path) as second:
        assert first != second
        first.write_text("first")
        second.write_text("second")
    assert path.read_text() == "first"  # the outer block ends last


@pytest.mark.parametrize("name", ["n" * 255, "n" * 245 + ".json", "no suffix", ".hidden"])
def test_a_name_of_any_length_can_be_written(name, tmp_path):
    write_text(tmp_path / name, "text")
    assert os.listdir(tmp_path) == [name]


def test_text_is_utf_8_with_unix_line_ends(tmp_path):
    write_text(tmp_path / "a.txt", "é\n")
    assert (tmp_path / "a.txt").read_bytes() == b"\xc3\xa9\n"


def test_an_error_names_the_target_and_not_the_temporary_file(tmp_path):
    for path in (tmp_path / "none" / "a.txt", tmp_path / ("n" * 256)):
        with pytest.raises(OSError, match=r".") as caught:
            write_text(path, "text")
        assert caught.value.filename == str(path)


def test_a_full_disk_names_the_target(tmp_path):
    with pytest.raises(OSError, match="No space") as caught, replacing(tmp_path / "a.npz"):
        raise OSError(errno.ENOSPC, "No space left on device")  # as numpy's write reports it
    assert caught.value.filename == str(tmp_path / "a.npz")


def test_an_error_about_another_file_keeps_its_name(tmp_path):
    with pytest.raises(FileNotFoundError) as caught, replacing(tmp_path / "a.txt"):
        (tmp_path / "source.txt").read_text()
    assert Path(caught.value.filename).name == "source.txt"


def test_a_folder_is_not_replaced(tmp_path):
    (tmp_path / "a.txt").mkdir()
    with pytest.raises(IsADirectoryError, match=r"a\.txt"):
        write_text(tmp_path / "a.txt", "text")
    assert os.listdir(tmp_path) == ["a.txt"]


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="needs named pipes")
def test_a_pipe_or_device_is_not_replaced(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(OSError, match="expected a file or nothing"):
        write_text(tmp_path / "pipe", "text")
    assert not (tmp_path / "pipe").is_file()


def test_no_folder_is_opened_on_windows(tmp_path, monkeypatch):
    opened = []
    real = os.open
    monkeypatch.setattr(atomic_files.os, "open", lambda p, *a: opened.append(p) or real(p, *a))
    atomic_files._sync_folder(tmp_path)
    assert opened == [tmp_path]
    monkeypatch.setattr(atomic_files.os, "name", "nt")
    atomic_files._sync_folder(tmp_path)
    assert opened == [tmp_path]


def test_what_a_killed_process_left_is_removed(tmp_path, monkeypatch):
    monkeypatch.setattr(Path, "unlink", lambda *_, **__: None)  # killed before it could clean up
    with pytest.raises(ValueError, match="killed"):
        half_write(tmp_path / "last.npz")
    monkeypatch.undo()
    write_text(tmp_path / ".hidden.part.txt", "not ours")
    assert len(os.listdir(tmp_path)) == 2
    remove_unfinished(tmp_path)
    assert os.listdir(tmp_path) == [".hidden.part.txt"]


def half_write(path):
    with replacing(path) as unfinished:
        unfinished.write_bytes(b"half")
        raise ValueError("killed")
