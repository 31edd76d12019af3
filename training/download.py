"""Fetch the Speech Commands archives: download, check, unpack.

    python training/download.py --version v0.02

The data set goes into a cache folder: `--cache`, else $SPEECHGRU_CACHE, else `speechgru` in
$XDG_CACHE_HOME or ~/.cache. A download that was cut off goes on where it stopped. The last line
printed is the folder of the data set.
"""

import argparse
import contextlib
import fcntl
import gzip
import hashlib
import http.client
import json
import os
import re
import shutil
import sys
import tarfile
import time
import urllib.error
import urllib.request
import zlib
from collections.abc import Iterator
from pathlib import Path, PurePosixPath
from typing import Any, NamedTuple

from tqdm import tqdm

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from training.output.atomic_files import write_text


class Archive(NamedTuple):
    """Where an archive is and what it has to be; `size` in bytes where it is known."""

    url: str
    sha256: str
    size: int | None


_HOME = "https://storage.googleapis.com/download.tensorflow.org/data/speech_commands_"
ARCHIVES = {
    "v0.01": Archive(
        f"{_HOME}v0.01.tar.gz",
        "743935421bb51cccdb6bdd152e04c5c70274e935c82119ad7faeec31780d811d",
        None,
    ),
    "v0.02": Archive(
        f"{_HOME}v0.02.tar.gz",
        "af14739ee7dc311471de98f5f9d2c9191b18aedfe957f4a6ff791c709868ff58",
        2_428_923_189,
    ),
}
TIMEOUT = 30.0  # seconds that a server may be silent
TRIES = 6  # in a row
PAUSE = 1.0  # seconds before the second try, doubled each time
PROGRESS = 1 << 20  # bytes that a try has to add not to count as one in a row
BLOCK = 1 << 18
# Version 0.02 is 2.4 GB, 105,835 recordings and unpacks to about 3.5 GB. What goes far beyond that
# is no such data set, and would fill the disk.
MAX_ARCHIVE = 8 << 30
MAX_UNPACKED = 16 << 30
MAX_MEMBERS = 300_000
MAX_DEPTH = 8
MAX_RATIO = 20  # of unpacked to packed bytes
SLACK = 4 << 20  # unpacked bytes allowed whatever the ratio: small tars are mostly zeros
USUAL_RATIO = 1.5  # for the free space wanted


class DownloadError(ValueError):
    """A data set that cannot be had; the message says why."""


class _CutError(Exception):
    """A request that failed for a reason that may pass."""


def speech_commands(
    version: str = "v0.02",
    cache: Path | None = None,
    url: str | None = None,
    sha256: str | None = None,
) -> Path:
    """The folder of the unpacked data set, `<cache>/speech_commands_<version>`.

    It is downloaded only if it is not there. Of several processes one downloads and the others
    wait for it.

    Args:
        version: "v0.01" or "v0.02".
        cache: folder to keep data sets in; by default as `default_cache` has it.
        url: http or https address of the archive; by default the official one.
        sha256: SHA-256 of the archive in hexadecimal; by default the official one.

    Raises:
        DownloadError: the archive cannot be fetched or is not what was expected.
        OSError: the cache cannot be written to, or the disk is full.
    """
    if version not in ARCHIVES:
        raise DownloadError(f"version: expected one of {', '.join(ARCHIVES)}, found {version!r}")
    official = ARCHIVES[version]
    archive = Archive(url or official.url, (sha256 or official.sha256).lower(), None)
    if archive.sha256 == official.sha256:
        archive = archive._replace(size=official.size)
    if not re.match(r"https?://[^/\s]", archive.url):
        raise DownloadError(f"url: expected one of http or https, found {archive.url!r}")
    if not re.fullmatch(r"[0-9a-f]{64}", archive.sha256):
        raise DownloadError(f"sha256: expected 64 hexadecimal digits, found {archive.sha256!r}")
    cache = default_cache() if cache is None else Path(cache)
    folder = cache / f"speech_commands_{version}"
    if _is_there(folder):
        return folder
    cache.mkdir(parents=True, exist_ok=True)
    with _alone(cache / f".{folder.name}.lock"):
        if not _is_there(folder):
            packed = cache / f"{folder.name}.tar.gz.part"
            _fetch(archive, packed)
            _check(archive, packed)
            _unpack(packed, folder)
            _forget(packed)
    return folder


def default_cache() -> Path:
    """$SPEECHGRU_CACHE, else `speechgru` in $XDG_CACHE_HOME, else ~/.cache/speechgru."""
    if own := os.environ.get("SPEECHGRU_CACHE"):
        return Path(own)
    shared = Path(os.environ.get("XDG_CACHE_HOME", ""))
    # A relative path in this variable is to be ignored, says the XDG specification.
    return (shared if shared.is_absolute() else Path.home() / ".cache") / "speechgru"


def _is_there(folder: Path) -> bool:
    # The folder gets its name when all is in it; an empty one was made by somebody else.
    return folder.is_dir() and any(folder.iterdir())


@contextlib.contextmanager
def _alone(lock: Path) -> Iterator[None]:
    """One process at a time; the system lets go of the lock when the process dies."""
    with _naming(lock), lock.open("a") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            print(f"{lock.parent}: waiting for another download", file=sys.stderr)
            fcntl.flock(file, fcntl.LOCK_EX)
        yield


@contextlib.contextmanager
def _naming(path: Path) -> Iterator[None]:
    """Put the path into errors that do not say which file they are about, as of a full disk."""
    try:
        yield
    except OSError as error:
        if error.errno is None or error.filename is not None:
            raise
        raise OSError(error.errno, error.strerror, str(path)) from error


def _bar(**options: Any) -> dict[str, Any]:
    # Shown where stderr is a terminal.
    return {"disable": None, "leave": False, "unit": "B", "unit_scale": True, **options}


def _want_space(folder: Path, size: float) -> None:
    free = shutil.disk_usage(folder).free
    if free < size:
        raise DownloadError(f"{folder}: expected {size:,.0f} bytes of free space, found {free:,}")


class _Source(NamedTuple):
    """What a partial file is a part of; kept beside it."""

    url: str
    etag: str | None
    total: int | None


def _notes(packed: Path) -> Path:
    return packed.with_name(f"{packed.name}.json")


def _forget(packed: Path) -> None:
    packed.unlink(missing_ok=True)
    _notes(packed).unlink(missing_ok=True)


def _partial(url: str, packed: Path) -> tuple[_Source, int]:
    """The source of a partial file and its size; size 0 if it cannot be gone on with."""
    fresh = _Source(url, None, None)
    try:
        source = _Source(*json.loads(_notes(packed).read_text(encoding="utf-8")))
        have = packed.stat().st_size
    except (FileNotFoundError, ValueError, TypeError):  # none, or notes that are not ours
        return fresh, 0
    same = source.url == url and (source.etag or source.total)
    if not same or (source.total is not None and have > source.total):
        return fresh, 0
    return source, have


def _fetch(archive: Archive, packed: Path) -> None:
    """Download what is missing of a file, in as many requests as it takes."""
    failed, most = 0, 0
    while True:
        try:
            _request(archive, packed)
            return
        except _CutError as error:
            have = packed.stat().st_size if packed.exists() else 0
            if have >= most + PROGRESS:
                failed, most = 0, have
            failed += 1
            if failed == TRIES:
                kept = f"; {have:,} bytes are kept in {packed}" if have else ""
                raise DownloadError(f"{archive.url}: {error} ({TRIES} tries{kept})") from error
            pause = PAUSE * 2 ** (failed - 1)
            print(f"{archive.url}: {error}; again in {pause:g} s", file=sys.stderr)
            time.sleep(pause)


def _request(archive: Archive, packed: Path) -> None:
    """One request for the rest of the file, or for all of it; returns when the file is whole."""
    source, have = _partial(archive.url, packed)
    if have and have == source.total:
        return
    headers = {"User-Agent": "speechgru"}
    if have:
        headers["Range"] = f"bytes={have}-"
        if source.etag:
            headers["If-Range"] = source.etag
    try:
        request = urllib.request.Request(archive.url, headers=headers)
        response = urllib.request.urlopen(request, timeout=TIMEOUT)
    except urllib.error.HTTPError as error:
        with error:
            if error.code == 416 and have:  # nothing there to send: the file is whole, or another
                if error.headers.get("Content-Range") == f"bytes */{have}":
                    return
                _forget(packed)
                raise _CutError("the file on the server has changed") from error
            status = f"status {error.code} {error.reason}".splitlines()[0].strip()
            if error.code in (408, 429) or error.code >= 500:
                raise _CutError(f"expected the file, found {status}") from error
            raise DownloadError(f"{archive.url}: expected the file, found {status}") from error
    except http.client.InvalidURL as error:
        raise DownloadError(f"{archive.url}: expected an address, found {error}") from error
    except (OSError, http.client.HTTPException) as error:
        reason = getattr(error, "reason", None) or error
        raise _CutError(f"no answer: {str(reason) or type(reason).__name__}") from error
    except ValueError as error:  # a host name that cannot be one
        raise DownloadError(f"{archive.url}: expected an address, found {error}") from error
    with response:
        if response.status == 206 and have:
            total = _continued(response, source, have)
            if total is None:
                _forget(packed)
                raise _CutError("the file on the server has changed")
        elif response.status == 200:
            have, total = 0, response.length
            _forget(packed)
            etag = response.headers.get("ETag", "")
            # A weak tag does not promise the same bytes.
            strong = etag if etag.startswith('"') else None
            write_text(_notes(packed), json.dumps(_Source(archive.url, strong, total)))
        else:
            raise DownloadError(f"{archive.url}: expected the file, found status {response.status}")
        _receive(response, archive, packed, have, total)


def _continued(response: http.client.HTTPResponse, source: _Source, have: int) -> int | None:
    """The size of the whole file if the answer is the rest of what is there, else None."""
    found = re.fullmatch(r"bytes (\d+)-\d+/(\d+)", response.headers.get("Content-Range", ""))
    if found is None or int(found[1]) != have or source.total not in (None, int(found[2])):
        return None
    if source.etag and response.headers.get("ETag", source.etag) != source.etag:
        return None
    return int(found[2])


def _receive(
    response: http.client.HTTPResponse,
    archive: Archive,
    packed: Path,
    have: int,
    total: int | None,
) -> None:
    """Append an answer to the file, of which `have` bytes are there and `total` are expected."""
    if total is not None and archive.size is not None and total != archive.size:
        _forget(packed)
        raise DownloadError(f"{archive.url}: expected {archive.size:,} bytes, found {total:,}")
    most = min(total or archive.size or MAX_ARCHIVE, MAX_ARCHIVE)
    if total is not None:
        _want_space(packed.parent, total - have + USUAL_RATIO * total)
    bar = tqdm(**_bar(desc="downloading", initial=have, total=total))
    with bar, _naming(packed), packed.open("ab") as file:
        while block := _read(response):
            have += len(block)
            if have > most:
                break
            file.write(block)
            bar.update(len(block))
    if have > most:
        _forget(packed)
        raise DownloadError(f"{archive.url}: expected {most:,} bytes at most, found more")
    if total is not None and have < total:
        raise _CutError(f"expected {total:,} bytes, found {have:,}")


def _read(response: http.client.HTTPResponse) -> bytes:
    try:
        return response.read1(BLOCK)  # not read(), which waits for a whole block
    except (OSError, http.client.HTTPException) as error:
        raise _CutError(f"cut off: {str(error) or type(error).__name__}") from error


def _check(archive: Archive, packed: Path) -> None:
    with packed.open("rb") as file:
        found = hashlib.file_digest(file, "sha256").hexdigest()
    if found != archive.sha256:
        size = packed.stat().st_size
        _forget(packed)
        raise DownloadError(
            f"{archive.url}: expected SHA-256 {archive.sha256}, found {found} "
            f"in {size:,} bytes, now deleted"
        )


class _Unzipped(gzip.GzipFile):
    """A gzip file that may unpack to `limit` bytes."""

    def __init__(self, file: Any, limit: int) -> None:
        super().__init__(fileobj=file, mode="rb")
        self.limit = limit

    def read(self, size: int | None = -1) -> bytes:
        data = super().read(size)
        if self.tell() > self.limit:
            raise DownloadError(f"expected at most {self.limit:,} bytes unpacked, found more")
        return data


def _unpack(packed: Path, folder: Path) -> None:
    """Unpack into a folder beside `folder`, which gets its name when everything is there."""
    unfinished = folder.with_name(f".{folder.name}.unpacking")
    size = packed.stat().st_size
    limit = min(MAX_UNPACKED, SLACK + MAX_RATIO * size)
    if unfinished.exists():  # of a run that was killed
        shutil.rmtree(unfinished)
    _want_space(folder.parent, USUAL_RATIO * size)
    try:
        unfinished.mkdir()
        with (
            packed.open("rb") as file,
            tqdm.wrapattr(file, "read", **_bar(desc="unpacking", total=size)) as raw,
            _Unzipped(raw, limit) as unzipped,
            tarfile.open(fileobj=unzipped, mode="r|") as tar,  # read once, from front to end
        ):
            _unpack_members(tar, unfinished)
            while unzipped.read(BLOCK):  # a damaged tar may seem to end early: to the checksum
                pass
        unfinished.replace(folder)
    except (DownloadError, tarfile.TarError, gzip.BadGzipFile, zlib.error, EOFError) as error:
        _forget(packed)  # its hash was right: another download would be no better
        raise DownloadError(f"{packed}: expected a .tar.gz of recordings: {error}") from error
    finally:
        shutil.rmtree(unfinished, ignore_errors=True)


def _unpack_members(tar: tarfile.TarFile, folder: Path) -> None:
    names: set[PurePosixPath] = set()
    for member in tar:
        name = PurePosixPath(member.name)
        if reason := _danger(member, name, folder):
            raise DownloadError(f"member {member.name!r}: {reason}")
        if name in names:
            raise DownloadError(f"member {member.name!r}: expected once, found twice")
        names.add(name)
        if len(names) > MAX_MEMBERS:
            raise DownloadError(f"expected at most {MAX_MEMBERS:,} members, found more")
        path = folder / name
        with _naming(path):
            try:
                if member.isdir():
                    path.mkdir(parents=True, exist_ok=True)
                    continue
                path.parent.mkdir(parents=True, exist_ok=True)
                content = tar.extractfile(member)
                assert content is not None  # as of every regular file
                with content, path.open("xb") as file:
                    shutil.copyfileobj(content, file, BLOCK)
            except (FileExistsError, NotADirectoryError) as error:
                raise DownloadError(f"member {member.name!r}: its name is taken") from error
    if not names:
        raise DownloadError("found no members")


def _danger(member: tarfile.TarInfo, name: PurePosixPath, folder: Path) -> str | None:
    """Why a member must not be unpacked."""
    if member.type not in (tarfile.REGTYPE, tarfile.AREGTYPE, tarfile.DIRTYPE) or member.issparse():
        return "expected a file or a folder, found another type"
    if name.is_absolute() or ".." in name.parts or re.match(r"[A-Za-z]:", member.name):
        return "expected a path inside the archive"
    if "\\" in member.name or "\0" in member.name or len(name.parts) > MAX_DEPTH:
        return "expected a plain path"
    # A second opinion; before Python 3.11.4 there is none.
    if refuse := getattr(tarfile, "data_filter", None):
        refuse(member, str(folder))
    return None


def parse_arguments(arguments: list[str] | None = None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    add = parser.add_argument
    add("--version", choices=sorted(ARCHIVES), default="v0.02", help="default: v0.02")
    add("--cache", type=Path, metavar="DIR", help="folder to keep data sets in")
    return parser.parse_args(arguments)


def main(arguments: list[str] | None = None) -> int:
    parsed = parse_arguments(arguments)
    try:
        print(speech_commands(parsed.version, parsed.cache))
    except KeyboardInterrupt:
        return 130
    except (DownloadError, OSError) as error:
        print(f"download.py: {error}", file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
