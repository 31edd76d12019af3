"""Unpack an archive of recordings that comes from the network, whole or not at all."""

import contextlib
import gzip
import os
import re
import shutil
import tarfile
import unicodedata
import zlib
from pathlib import Path, PurePosixPath
from typing import Any

from tqdm import tqdm

from speechgru.atomic_files import naming_file
from training.data.errors import DownloadError

# Version 0.02 is 2.4 GB, 105,835 recordings, and unpacks to about 3.5 GB. An archive far beyond
# that is no such data set, and would fill the disk.
MAX_UNPACKED = 16 << 30
MAX_MEMBERS = 300_000
MAX_DEPTH = 8  # folders and file name
MAX_RATIO = 20  # of unpacked to packed bytes
SLACK = 4 << 20  # unpacked bytes that are allowed at any ratio: small tars are mostly zeros
BLOCK = 1 << 18
# A second check beside `_Guard`. Python has it from version 3.11.4 on.
FILTER: dict[str, Any] = {"filter": "data"} if hasattr(tarfile, "data_filter") else {}
DAMAGED = (tarfile.TarError, gzip.BadGzipFile, zlib.error, EOFError)


def unpack(packed: Path, folder: Path) -> None:
    """Unpack a .tar.gz into a new folder, which gets its name when it is complete.

    Args:
        packed: the archive.
        folder: the folder to make; an empty one may be there.

    Raises:
        DownloadError: the archive is damaged, far too large, or holds anything but plain files and
            folders with paths inside the archive.
        OSError: the folder cannot be written to, or the disk is full.
    """
    unfinished = folder.with_name(f".{folder.name}.unpacking")
    if unfinished.exists():  # left by a run that was killed
        shutil.rmtree(unfinished)
    try:
        unfinished.mkdir()
        _unpack_into(unfinished, packed)
        with contextlib.suppress(FileNotFoundError):
            folder.rmdir()  # Windows replaces no folder, not even an empty one
        unfinished.replace(folder)
    except (DownloadError, *DAMAGED) as error:
        raise DownloadError(f"{packed}: expected a .tar.gz of recordings: {error}") from error
    finally:
        shutil.rmtree(unfinished, ignore_errors=True)


def _unpack_into(folder: Path, packed: Path) -> None:
    size = packed.stat().st_size
    bar: dict[str, Any] = {"desc": "unpacking", "leave": False, "disable": None}
    with (
        packed.open("rb") as file,
        tqdm.wrapattr(file, "read", size, **bar) as raw,
        _LimitedGzip(raw, min(MAX_UNPACKED, SLACK + MAX_RATIO * size)) as unzipped,
        tarfile.open(fileobj=unzipped, mode="r|") as tar,  # read once, from front to end
    ):
        guard = _Guard()
        for member in tar:
            guard.check(member)
            with naming_file(folder / member.name):
                tar.extract(member, folder, set_attrs=False, **FILTER)
        if not guard.members:
            raise DownloadError("found no members")
        while unzipped.read(BLOCK):  # a damaged tar may seem to end early: go on to the checksum
            pass


class _LimitedGzip(gzip.GzipFile):
    """A gzip file that may unpack to `limit` bytes."""

    def __init__(self, file: Any, limit: int) -> None:
        super().__init__(fileobj=file, mode="rb")
        self.limit = limit

    def read(self, size: int | None = -1) -> bytes:
        data = super().read(size)
        if self.tell() > self.limit:
            raise DownloadError(f"expected at most {self.limit:,} bytes unpacked, found more")
        return data


class _Guard:
    """Refuses all but plain files and folders, each of a name of its own.

    This is stricter than tarfile's data filter, which allows links inside the archive and names
    that come twice. Names are the same if a file system that ignores case or Unicode's forms would
    take them for the same.
    """

    def __init__(self) -> None:
        self.members: set[PurePosixPath] = set()
        self.files: set[PurePosixPath] = set()
        self.folders: set[PurePosixPath] = set()

    def check(self, member: tarfile.TarInfo) -> None:
        """Raise DownloadError if the member must not be unpacked."""
        name = PurePosixPath(unicodedata.normalize("NFC", member.name).casefold())
        if reason := _danger(member, name) or self._conflict(member, name):
            raise DownloadError(f"member {member.name!r}: {reason}")
        if len(self.members) == MAX_MEMBERS:
            raise DownloadError(f"expected at most {MAX_MEMBERS:,} members, found more")
        self.members.add(name)
        self.folders.update(name.parents)
        (self.folders if member.isdir() else self.files).add(name)

    def _conflict(self, member: tarfile.TarInfo, name: PurePosixPath) -> str | None:
        if name in self.members:
            return "expected once, found twice"
        if not self.files.isdisjoint(name.parents) or (name in self.folders and member.isfile()):
            return "expected a name of its own, found it as a file and as a folder"
        return None


def _danger(member: tarfile.TarInfo, name: PurePosixPath) -> str | None:
    """Return why a member must not be unpacked, or None."""
    if member.type not in (tarfile.REGTYPE, tarfile.AREGTYPE, tarfile.DIRTYPE) or member.issparse():
        return "expected a file or a folder, found another type"
    if name.is_absolute() or ".." in name.parts or re.match("[a-z]:", str(name)):
        return "expected a path inside the archive"
    odd = re.search(r'[\\:<>"|?*\x00-\x1f\x7f]', member.name)  # special on some system
    too_long = any(len(os.fsencode(part)) > 255 for part in PurePosixPath(member.name).parts)
    if odd or too_long or len(name.parts) > MAX_DEPTH or (member.isfile() and not name.parts):
        return "expected a plain path"
    return None
