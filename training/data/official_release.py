"""The official release of Speech Commands: where it is, and a checked copy in the cache."""

import contextlib
import hashlib
import os
import re
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import filelock

from training.data.errors import DownloadError
from training.data.resumable_download import delete_download, download, require_space
from training.data.safe_unpacking import unpack

SPACE_RATIO = 1.5  # disk space that the unpacked recordings take, relative to the archive's size


@dataclass(frozen=True)
class Archive:
    """An archive's address, SHA-256 in hexadecimal, and size in bytes where it is known."""

    url: str
    sha256: str
    size: int | None = None

    def __post_init__(self) -> None:
        if not re.fullmatch(r"https?://[^/\s]\S*", self.url):
            raise DownloadError(f"url: expected an http or https address, found {self.url!r}")
        if not re.fullmatch("[0-9a-f]{64}", self.sha256):
            raise DownloadError(f"sha256: expected 64 hexadecimal digits, found {self.sha256!r}")


_HOME = "https://storage.googleapis.com/download.tensorflow.org/data/speech_commands_"
ARCHIVES = {
    "v0.01": Archive(
        f"{_HOME}v0.01.tar.gz", "743935421bb51cccdb6bdd152e04c5c70274e935c82119ad7faeec31780d811d"
    ),
    "v0.02": Archive(
        f"{_HOME}v0.02.tar.gz",
        "af14739ee7dc311471de98f5f9d2c9191b18aedfe957f4a6ff791c709868ff58",
        2_428_923_189,
    ),
}


def speech_commands(
    version: str = "v0.02",
    cache: Path | None = None,
    url: str | None = None,
    sha256: str | None = None,
) -> Path:
    """Return the folder of the unpacked data set, `<cache>/speech_commands_<version>`.

    The data set is downloaded if it is not there. Of several processes, one downloads and the
    others wait for it.

    Args:
        version: "v0.01" or "v0.02". Defaults to "v0.02".
        cache: folder of data sets. Defaults to `default_cache()`.
        url: http or https address of the archive. Defaults to the official one.
        sha256: SHA-256 of the archive in hexadecimal. Defaults to the official one.

    Raises:
        DownloadError: the archive cannot be fetched or is not the expected one.
        OSError: the cache cannot be written to, or the disk is full.
    """
    archive = _archive(version, url, sha256)
    cache = default_cache() if cache is None else Path(cache)
    folder = cache / f"speech_commands_{version}"
    if _is_complete(folder):
        return folder
    cache.mkdir(parents=True, exist_ok=True)
    with _one_process_at_a_time(cache / f".{folder.name}.lock"):
        if not _is_complete(folder):
            _fetch(archive, folder)
    return folder


def default_cache() -> Path:
    """Return $SPEECHGRU_CACHE, else `speechgru` in $XDG_CACHE_HOME, else ~/.cache/speechgru."""
    if own := os.environ.get("SPEECHGRU_CACHE"):
        return Path(own)
    shared = Path(os.environ.get("XDG_CACHE_HOME", ""))
    # The XDG specification asks to ignore a relative path in this variable.
    return (shared if shared.is_absolute() else Path.home() / ".cache") / "speechgru"


def _archive(version: str, url: str | None, sha256: str | None) -> Archive:
    """Return the official archive, or another one whose size is known only if its hash is not."""
    if version not in ARCHIVES:
        raise DownloadError(f"version: expected one of {', '.join(ARCHIVES)}, found {version!r}")
    official = ARCHIVES[version]
    expected = official.sha256 if sha256 is None else sha256.lower()
    size = official.size if expected == official.sha256 else None
    return Archive(official.url if url is None else url, expected, size)


def _is_complete(folder: Path) -> bool:
    # The folder gets its name when it is complete; an empty one is somebody else's.
    return folder.is_dir() and any(folder.iterdir())


@contextlib.contextmanager
def _one_process_at_a_time(lock_file: Path) -> Iterator[None]:
    """Wait for other processes; the system releases the lock of a process that dies."""
    lock = filelock.FileLock(lock_file)
    try:
        lock.acquire(blocking=False)
    except filelock.Timeout:
        print(f"{lock_file.parent}: waiting for another download", file=sys.stderr)
        lock.acquire()
    try:
        yield
    finally:
        lock.release()


def _fetch(archive: Archive, folder: Path) -> None:
    """Download, check and unpack; an archive that is not the expected one is deleted."""
    packed = folder.with_name(f"{folder.name}.tar.gz.part")
    download(archive.url, packed, size=archive.size, space_ratio=1 + SPACE_RATIO)
    require_space(folder.parent, SPACE_RATIO * packed.stat().st_size)
    try:
        _check_hash(archive, packed)
        unpack(packed, folder)
    except DownloadError:
        delete_download(packed)
        raise
    delete_download(packed)


def _check_hash(archive: Archive, packed: Path) -> None:
    with packed.open("rb") as file:
        found = hashlib.file_digest(file, "sha256").hexdigest()
    if found != archive.sha256:
        raise DownloadError(
            f"{archive.url}: expected SHA-256 {archive.sha256}, found {found} "
            f"in {packed.stat().st_size:,} bytes, now deleted"
        )
