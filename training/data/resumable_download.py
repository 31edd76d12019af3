"""Download a large file, in as many requests and runs of the program as it takes.

The file grows under its own name. Beside it, a JSON file notes what it is a part of. A later
request asks for the rest with `Range`, and with `If-Range` where the server names the version of
its file, so that two versions are never joined.
"""

import json
import re
import shutil
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import NoReturn

import requests
import urllib3
from tqdm import tqdm

from speechgru.atomic_files import naming_file, write_text
from training.data.errors import DownloadError

TIMEOUT = 30.0  # seconds that a server may be silent
TRIES = 6  # in a row
PAUSE = 1.0  # seconds before the second try, doubled each time
PROGRESS = 1 << 20  # a try that adds as many bytes starts a new row
BLOCK = 1 << 14  # bytes; at most as many are lost when the connection breaks
MAX_SIZE = 8 << 30  # bytes; three times the largest official archive
TEMPORARY = (408, 429)  # statuses, besides 500 and above, after which another try may succeed


class _InterruptedError(Exception):
    """A request that failed for a reason that may pass."""


@dataclass(frozen=True)
class _Source:
    """What a partial file is a part of; `etag` is the server's name for the version."""

    url: str
    etag: str | None = None
    size: int | None = None

    def __post_init__(self) -> None:
        if not isinstance(self.etag, str | None) or not isinstance(self.size, int | None):
            raise TypeError("expected the notes that _write_notes has written")


def download(url: str, path: Path, *, size: int | None = None, space_ratio: float = 1.0) -> None:
    """Download a file, or the rest of it.

    Args:
        url: http or https address.
        path: the file. What an earlier call left there is continued.
        size: expected size in bytes. Defaults to None, for unknown.
        space_ratio: disk space needed in all, relative to the file's size. Defaults to 1.

    Raises:
        DownloadError: the file cannot be fetched. What arrived stays for a later call.
        OSError: `path` cannot be written to.
    """
    failures, most = 0, 0
    while True:
        try:
            _Request(url, path, size, space_ratio).send()
            return
        except _InterruptedError as error:
            have = path.stat().st_size if path.exists() else 0
            if have >= most + PROGRESS:
                failures, most = 0, have
            failures += 1
            if failures == TRIES:
                saved = f"; {have:,} bytes are saved in {path}" if have else ""
                raise DownloadError(f"{url}: {error} ({TRIES} tries{saved})") from error
            pause = PAUSE * 2 ** (failures - 1)
            print(f"{url}: {error}; next try in {pause:g} s", file=sys.stderr)
            time.sleep(pause)


def delete_download(path: Path) -> None:
    """Delete a partial or complete file and the notes beside it."""
    path.unlink(missing_ok=True)
    _notes(path).unlink(missing_ok=True)


def require_space(folder: Path, size: float) -> None:
    """Raise DownloadError if the disk of `folder` has fewer than `size` bytes free."""
    free = shutil.disk_usage(folder).free
    if free < size:
        raise DownloadError(f"{folder}: expected {size:,.0f} bytes of free space, found {free:,}")


@dataclass(frozen=True)
class _Request:
    """One request for what is missing of a file. The fields are `download`'s arguments."""

    url: str
    path: Path
    size: int | None
    space_ratio: float

    def send(self) -> None:
        """Send the request; return when the file is complete."""
        source, have = _read_notes(self.url, self.path)
        if have and have == source.size:
            return
        with self._open(source, have) as response:
            if response.status_code == 416 and have:  # the server has no more
                if response.headers.get("Content-Range") != f"bytes */{have}":
                    self._start_again()
            elif response.status_code == 206 and have:
                total = _total_if_continued(response, source, have)
                self._receive(response, have, total or self._start_again())
            elif response.status_code == 200:
                delete_download(self.path)
                length = re.fullmatch("[0-9]{1,18}", response.headers.get("Content-Length", ""))
                total = int(length[0]) if length else None
                _write_notes(self.path, _Source(self.url, _strong_etag(response), total))
                self._receive(response, 0, total)
            else:
                self._refuse(response)

    def _open(self, source: _Source, have: int) -> requests.Response:
        headers = {"User-Agent": "speechgru", "Accept-Encoding": "identity"}
        if have:
            headers["Range"] = f"bytes={have}-"
            if source.etag:
                headers["If-Range"] = source.etag
        try:
            response = requests.get(self.url, headers=headers, stream=True, timeout=TIMEOUT)
            response.raw.enforce_content_length = False  # `_receive` counts the bytes
            return response
        except requests.TooManyRedirects as error:
            raise DownloadError(f"{self.url}: expected the file, found {error}") from error
        except (requests.RequestException, urllib3.exceptions.HTTPError) as error:
            if isinstance(error, ValueError):  # the classes for impossible addresses
                raise DownloadError(f"{self.url}: expected an address, found {error}") from error
            raise _InterruptedError(f"no answer: {_reason(error)}") from error

    def _start_again(self) -> NoReturn:
        delete_download(self.path)
        raise _InterruptedError("the file on the server has changed")

    def _refuse(self, response: requests.Response) -> NoReturn:
        code = response.status_code
        message = f"expected the file, found status {code} {response.reason}".strip()
        if code in TEMPORARY or code >= 500:
            raise _InterruptedError(message)
        raise DownloadError(f"{self.url}: {message}")

    def _receive(self, response: requests.Response, have: int, total: int | None) -> None:
        """Append the answer to the file, of which `have` bytes are there and `total` expected."""
        if total is not None and self.size is not None and total != self.size:
            delete_download(self.path)
            raise DownloadError(f"{self.url}: expected {self.size:,} bytes, found {total:,}")
        if total is not None:
            require_space(self.path.parent, self.space_ratio * total - have)
        limit = min(total or self.size or MAX_SIZE, MAX_SIZE)
        bar = tqdm(
            desc="downloading", initial=have, total=total, unit="B", unit_scale=True, leave=False,
            disable=None,
        )  # fmt: skip
        with bar, naming_file(self.path), self.path.open("ab") as file:
            for block in _blocks(response):
                have += len(block)
                if have > limit:
                    break
                file.write(block)
                bar.update(len(block))
        if have > limit:
            delete_download(self.path)
            raise DownloadError(f"{self.url}: expected {limit:,} bytes at most, found more")
        if total is not None and have < total:
            raise _InterruptedError(f"expected {total:,} bytes, found {have:,}")


def _blocks(response: requests.Response) -> Iterator[bytes]:
    """Give the answer's content as the server sends it, without decompression."""
    try:
        while block := response.raw.read(BLOCK, decode_content=False):
            yield block
    except urllib3.exceptions.HTTPError as error:
        raise _InterruptedError(f"the connection broke: {_reason(error)}") from error


def _reason(error: BaseException) -> str:
    """Return the message of the error that the libraries have wrapped into others."""
    while error.__context__ is not None:
        error = error.__context__
    return str(error) or type(error).__name__


def _total_if_continued(response: requests.Response, source: _Source, have: int) -> int | None:
    """Return the size of the whole file if the answer is the rest of it, else None."""
    found = re.fullmatch(
        "bytes ([0-9]{1,18})-[0-9]+/([0-9]{1,18})", response.headers.get("Content-Range", "")
    )
    if found is None or int(found[1]) != have or source.size not in (None, int(found[2])):
        return None
    if source.etag and response.headers.get("ETag", source.etag) != source.etag:
        return None
    return int(found[2])


def _strong_etag(response: requests.Response) -> str | None:
    etag = str(response.headers.get("ETag", ""))
    # A weak tag, which starts with W/, does not promise the same bytes.
    return etag if etag.startswith('"') else None


def _notes(path: Path) -> Path:
    return path.with_name(f"{path.name}.json")


def _write_notes(path: Path, source: _Source) -> None:
    write_text(_notes(path), json.dumps([source.url, source.etag, source.size]))


def _read_notes(url: str, path: Path) -> tuple[_Source, int]:
    """Return the source of a partial file and its size; size 0 if it cannot be continued."""
    fresh = _Source(url)
    try:
        source = _Source(*json.loads(_notes(path).read_text(encoding="utf-8")))
        have = path.stat().st_size
    except (FileNotFoundError, ValueError, TypeError):  # none, or notes of another program
        return fresh, 0
    same = source.url == url and (source.etag or source.size)
    if not same or (source.size is not None and have > source.size):
        return fresh, 0
    return source, have
