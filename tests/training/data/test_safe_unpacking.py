"""Tests of training/data/safe_unpacking.py, with damaged and hostile archives."""

import re
import tarfile

import pytest

from tests.training.data.archive_server import ARCHIVE, FILES, HALF, member, pack, read_folder
from training.data import safe_unpacking
from training.data.errors import DownloadError
from training.data.safe_unpacking import unpack


@pytest.fixture
def folder(tmp_path):
    """A folder to make, with nothing beside it but what the test puts there."""
    parent = tmp_path / "data" / "cache"
    parent.mkdir(parents=True)
    return parent / "clips"


@pytest.fixture
def unpack_bytes(folder):
    def run(content):
        packed = folder.with_name("archive")
        packed.write_bytes(content)
        unpack(packed, folder)
        return read_folder(folder)

    return run


@pytest.fixture
def refuse(unpack_bytes, folder):
    """The archive is refused with the message, and nothing of it is anywhere."""

    def run(content, match):
        with pytest.raises(DownloadError, match=match):
            unpack_bytes(content)
        made = {path.name for path in folder.parents[1].rglob("*")}
        assert made == {"cache", "archive"}

    return run


def test_files_are_unpacked_as_they_were_packed(unpack_bytes, folder):
    assert unpack_bytes(ARCHIVE) == FILES
    assert {path.name for path in folder.parent.iterdir()} == {"archive", "clips"}


def test_an_empty_folder_of_the_name_is_replaced(unpack_bytes, folder):
    folder.mkdir()
    assert unpack_bytes(ARCHIVE) == FILES


def test_a_folder_may_come_after_its_files(unpack_bytes):
    content = pack(member("yes/a.wav", b"a"), member("yes", kind=tarfile.DIRTYPE))
    assert unpack_bytes(content) == {"./yes/a.wav": b"a"}


def test_what_a_killed_run_left_is_removed(unpack_bytes, folder):
    left = folder.with_name(".clips.unpacking")
    left.mkdir()
    (left / "old.wav").write_bytes(b"old")
    assert unpack_bytes(ARCHIVE) == FILES
    assert not left.exists()


def test_a_folder_in_use_is_not_replaced(unpack_bytes, folder):
    folder.mkdir()
    (folder / "precious").write_text("mine")
    with pytest.raises(OSError, match="not empty"):
        unpack_bytes(ARCHIVE)
    assert [path.name for path in folder.iterdir()] == ["precious"]


@pytest.mark.parametrize(
    "name",
    ["../evil", "yes/../../evil", "/evil", "//evil", "C:/evil", "c:evil", "a\\b", ".", "a:b",
     "a\x1bb", "n" * 256, "é" * 128],
)  # fmt: skip
def test_a_path_out_of_the_archive_or_an_odd_one_is_refused(refuse, folder, name):
    if name.startswith("/"):
        name = name.replace("/evil", f"{folder.parents[1]}/evil")
    content = pack(member("yes/good.wav", b"good"), member(name, b"evil"))
    refuse(content, re.escape(f"member {name!r}: expected a "))


@pytest.mark.parametrize(
    "kind",
    [tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.CHRTYPE, tarfile.BLKTYPE, tarfile.FIFOTYPE, b"S"],
    ids=["symlink", "hard link", "character device", "block device", "fifo", "sparse"],
)
def test_what_is_neither_file_nor_folder_is_refused(refuse, kind):
    content = pack(member("yes/good.wav", b"good"), member("yes/evil", kind=kind, link="good.wav"))
    refuse(content, r"member 'yes/evil': expected a file or a folder")


def test_a_file_through_a_symlink_is_refused(refuse, folder):
    link = str(folder.parents[1])
    content = pack(member("yes", kind=tarfile.SYMTYPE, link=link), member("yes/evil", b"evil"))
    refuse(content, r"member 'yes': expected a file or a folder")


@pytest.mark.parametrize(
    "names",
    [("a/b", "a/b"), ("a/b", "./a//b"), ("a", "a/b"), ("a/b", "a"), ("a/b", "A/B"),
     ("\xe9", "e\u0301")],
)  # fmt: skip
def test_a_name_twice_is_refused(refuse, names):
    content = pack(*(member(name, b"x") for name in names))
    refuse(content, r"member '.*': expected (once, found twice|a name of its own)")


def test_a_folder_twice_is_refused(refuse):
    folder = member("yes", kind=tarfile.DIRTYPE)
    refuse(pack(folder, folder), "member 'yes': expected once, found twice")


def test_a_bomb_is_refused(refuse):
    bomb = pack(member("yes/bomb.wav", bytes(safe_unpacking.SLACK + (1 << 20))))
    assert len(bomb) < 10_000
    refuse(bomb, r"expected at most 4,.* bytes unpacked, found more")


def test_too_many_members_are_refused(refuse, monkeypatch):
    monkeypatch.setattr(safe_unpacking, "MAX_MEMBERS", 3)
    content = pack(*(member(f"yes/{i}") for i in range(4)))
    refuse(content, "expected at most 3 members, found more")


def test_too_deep_a_path_is_refused(refuse):
    refuse(pack(member("a/" * 1500 + "b")), "member 'a/a/.*': expected a plain")


@pytest.mark.parametrize(
    "content",
    [b"", b"no archive", ARCHIVE[:-HALF], pack(), ARCHIVE[:HALF] + b"x" * 999 + ARCHIVE[HALF:]],
    ids=["nothing", "text", "half", "empty", "damaged"],
)
def test_what_is_no_archive_is_refused(refuse, content):
    refuse(content, r"expected a \.tar\.gz of recordings: .")


def test_rights_in_the_archive_are_not_used(unpack_bytes, folder):
    info, content = member("yes/a.wav", b"a")
    info.mode = 0o6777
    unpack_bytes(pack((info, content)))
    assert (folder / "yes/a.wav").stat().st_mode & 0o7111 == 0


def test_a_full_disk_names_the_file(unpack_bytes, monkeypatch, folder):
    def fill_disk(*_, **__):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(tarfile, "copyfileobj", fill_disk)
    with pytest.raises(OSError, match=r"No space left on device: .*a_nohash_0\.wav"):
        unpack_bytes(ARCHIVE)
    assert [path.name for path in folder.parent.iterdir()] == ["archive"]
