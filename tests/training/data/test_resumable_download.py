"""Tests of training/data/resumable_download.py, against slow, wrong and hostile servers."""

import contextlib
import json
from pathlib import Path

import pytest

from tests.training.data.archive_server import (
    ARCHIVE,
    HALF,
    answer,
    cut_in_half,
    send,
    silent,
    silent_after_half,
    status,
    without_range,
    without_range_cut,
)
from training.data import resumable_download
from training.data.errors import DownloadError
from training.data.resumable_download import delete_download, download, require_space


@pytest.fixture
def path(tmp_path):
    return tmp_path / "file.part"


@pytest.fixture
def get(server, path):
    """Download what the server has and return it."""

    def run(**options):
        download(server.url, path, **options)
        return path.read_bytes()

    return run


def notes(path: Path) -> Path:
    return path.with_name(f"{path.name}.json")


# Continuing


def test_a_file_is_fetched_in_one_request(get, server):
    assert get() == ARCHIVE
    assert server.ranges == [None]


def test_a_complete_file_is_not_requested_again(get, server):
    get()
    assert get() == ARCHIVE
    assert len(server.ranges) == 1


@pytest.mark.parametrize(
    ("etag", "condition"), [('"one"', '"one"'), ('W/"one"', None), (None, None)]
)
def test_a_cut_download_continues_where_it_stopped(get, server, etag, condition):
    server.etag = etag
    server.replies = [cut_in_half]
    assert get() == ARCHIVE
    assert server.ranges == [None, f"bytes={HALF}-"]
    assert server.conditions == [None, condition]


def test_many_cuts_are_survived_while_each_try_brings_something(get, server, monkeypatch):
    monkeypatch.setattr(resumable_download, "PROGRESS", 1000)
    step = len(ARCHIVE) // 20
    server.replies = [lambda handler: send(handler, cut=step)] * 19
    assert get() == ARCHIVE
    assert server.ranges == [None, *(f"bytes={i * step}-" for i in range(1, len(server.ranges)))]
    assert len(server.ranges) > 2 * resumable_download.TRIES


def test_a_later_call_continues_what_an_earlier_one_left(get, server, path):
    server.replies = [cut_in_half, *[status(503)] * (resumable_download.TRIES - 1)]
    with pytest.raises(DownloadError, match=f"503.*{HALF:,} bytes are saved in"):
        get()
    assert path.read_bytes() == ARCHIVE[:HALF]
    server.ranges.clear()
    assert get() == ARCHIVE
    assert server.ranges == [f"bytes={HALF}-"]


def test_another_address_starts_again(get, server, path):
    server.replies = [cut_in_half, *[status(503)] * (resumable_download.TRIES - 1)]
    with pytest.raises(DownloadError):
        get()
    server.url += "?v=2"
    server.ranges.clear()
    assert get() == ARCHIVE
    assert server.ranges == [None]


def test_a_server_without_ranges_sends_all_of_it_again(get, server):
    server.replies = [without_range_cut, without_range]
    assert get() == ARCHIVE
    assert server.ranges == [None, f"bytes={HALF}-"]


@pytest.mark.parametrize("etag", ['"two"', None])
def test_a_file_that_changed_on_the_server_is_not_joined_with_the_old_one(get, server, etag):
    other = ARCHIVE[::-1] + b"more"
    server.etag = etag and '"one"'

    def old_half(handler):
        send(handler, cut=HALF)
        handler.server.content, handler.server.etag = other, etag

    server.replies = [old_half]
    assert get() == other
    assert server.ranges[:2] == [None, f"bytes={HALF}-"]


def test_a_range_that_was_not_requested_is_not_used(get, server):
    def other_range(handler):
        headers = {"Content-Range": f"bytes {HALF + 1}-{len(ARCHIVE) - 1}/{len(ARCHIVE)}"}
        answer(handler, 206, headers, ARCHIVE[HALF + 1 :])

    server.replies = [cut_in_half, other_range]
    assert get() == ARCHIVE
    assert server.ranges == [None, f"bytes={HALF}-", None]


def test_a_server_that_has_less_than_is_here_means_a_new_start(get, server, path):
    path.write_bytes(ARCHIVE + b"x")
    notes(path).write_text(json.dumps([server.url, '"one"', None]))
    assert get() == ARCHIVE
    assert server.ranges == [f"bytes={len(ARCHIVE) + 1}-", None]


@pytest.mark.parametrize(
    "text", ['{"url', "[]", '["u", "e", "9"]', '["u", 5, null]', '["u", 1, 2, 3]', "7", ""]
)
def test_damaged_notes_mean_a_new_start(get, server, path, text):
    path.write_bytes(b"x" * 100)
    notes(path).write_text(text)
    assert get() == ARCHIVE
    assert server.ranges == [None]


def test_deleting_a_download_leaves_nothing(get, path):
    get()
    delete_download(path)
    assert list(path.parent.iterdir()) == []
    delete_download(path)


# Servers that are wrong


def test_a_length_too_long_is_found_out_by_requesting_the_rest(get, server):
    server.replies = [lambda handler: send(handler, length=len(ARCHIVE) + 1000)]
    assert get() == ARCHIVE
    assert server.ranges == [None, f"bytes={len(ARCHIVE)}-"]


def test_a_server_that_never_sends_what_it_promised_is_given_up(get, server):
    server.replies = [lambda h: answer(h, 200, {"Content-Length": "5000"}, b"abc")] * 9
    with pytest.raises(DownloadError, match=f"{server.url}: expected 5,000 bytes, found 3"):
        get()
    assert len(server.ranges) == resumable_download.TRIES


def test_a_file_of_another_size_than_expected_is_not_fetched(get, server, path):
    with pytest.raises(
        DownloadError, match=f"expected 2,428,923,189 bytes, found {len(ARCHIVE):,}"
    ):
        get(size=2_428_923_189)
    assert list(path.parent.iterdir()) == []


def test_more_than_the_largest_size_is_not_read(get, server, path, monkeypatch):
    monkeypatch.setattr(resumable_download, "MAX_SIZE", 1000)
    sent = []

    def without_end(handler):  # and without a length
        handler.send_response(200)
        handler.end_headers()
        with contextlib.suppress(ConnectionError):
            for number in range(100):
                sent.append(number)
                handler.wfile.write(bytes(1 << 20))

    server.replies = [without_end]
    with pytest.raises(DownloadError, match="expected 1,000 bytes at most, found more"):
        get()
    assert len(sent) < 100
    assert list(path.parent.iterdir()) == []


@pytest.mark.parametrize("length", [None, "9" * 30, "-1", "²"])
def test_a_server_that_gives_no_usable_length_is_accepted(get, server, length):
    def reply(handler):
        answer(handler, 200, {"Content-Length": length} if length else {}, ARCHIVE)

    server.replies = [reply]
    assert get() == ARCHIVE


def test_compression_on_the_way_is_not_undone(get, server):
    headers = {"Content-Encoding": "gzip", "Content-Length": str(len(ARCHIVE))}
    server.replies = [lambda handler: answer(handler, 200, headers, ARCHIVE)]
    assert get() == ARCHIVE


def test_what_is_not_found_is_not_requested_twice(get, server, path):
    server.replies = [status(404)]
    with pytest.raises(DownloadError, match=f"{server.url}: expected the file, found status 404"):
        get()
    assert len(server.ranges) == 1
    assert list(path.parent.iterdir()) == []


def test_a_server_in_trouble_is_tried_again(get, server, capsys):
    server.replies = [status(500), status(503), status(429)]
    assert get() == ARCHIVE
    assert "found status 500 Internal Server Error; next try in" in capsys.readouterr().err


def test_a_redirect_is_followed_with_the_range(get, server):
    moved = [lambda h: answer(h, 302, {"Location": "/elsewhere"})]
    server.replies = [*moved, cut_in_half, *moved]
    assert get() == ARCHIVE
    assert server.ranges == [None, None, f"bytes={HALF}-", f"bytes={HALF}-"]


def test_a_redirect_loop_ends(get, server):
    server.replies = [lambda h: answer(h, 302, {"Location": h.path})] * 50
    with pytest.raises(DownloadError, match=r"expected the file, found .*30 redirects"):
        get()


def test_a_redirect_to_another_kind_of_address_is_refused(get, server):
    server.replies = [lambda h: answer(h, 302, {"Location": "file:///etc/passwd"})]
    with pytest.raises(DownloadError, match="expected an address, found"):
        get()


def test_an_answer_without_content_is_refused(get, server):
    server.replies = [status(204)]
    with pytest.raises(DownloadError, match="expected the file, found status 204"):
        get()


@pytest.mark.parametrize("reply", [silent, silent_after_half])
def test_a_silent_server_is_not_waited_for(get, server, monkeypatch, reply):
    monkeypatch.setattr(resumable_download, "TIMEOUT", 0.1)
    monkeypatch.setattr(resumable_download, "TRIES", 2)
    server.replies = [silent_after_half, reply]
    server.content = ARCHIVE + bytes(10 * HALF)  # the half is not the whole of it
    with pytest.raises(DownloadError, match="timed out"):
        get()
    assert len(server.ranges) == 2


def test_no_server_is_a_clear_error(get, server):
    server.url = "http://127.0.0.1:1/file.tar.gz"  # nobody listens there
    with pytest.raises(DownloadError, match=r"127.0.0.1:1/.*no answer: .*refused"):
        get()


@pytest.mark.parametrize(
    "url",
    ["http://a:b/c", f"http://{'a' * 70}.org/c", "http://a..b/c", "http://[::1/"],
)
def test_an_impossible_address_is_refused_at_once(monkeypatch, path, url):
    monkeypatch.setattr(resumable_download, "TRIES", 1)
    monkeypatch.setenv("no_proxy", "*")
    with pytest.raises(DownloadError, match="expected an address, found"):
        download(url, path)


# Disks


def test_too_little_space_is_seen_before_the_download(get, monkeypatch, path):
    usage = type("usage", (), {"free": 2 * len(ARCHIVE)})
    monkeypatch.setattr(resumable_download.shutil, "disk_usage", lambda _: usage)
    with pytest.raises(DownloadError, match=r"expected .* bytes of free space, found"):
        get(space_ratio=2.5)
    assert not path.exists()
    assert get(space_ratio=1.5) == ARCHIVE


def test_the_missing_space_is_in_the_message(tmp_path):
    with pytest.raises(DownloadError, match=r"expected 1,000,000,000,000,000,000 bytes of free"):
        require_space(tmp_path, 1e18)


def test_a_folder_that_is_missing_is_named(server, tmp_path):
    with pytest.raises(FileNotFoundError, match=r"none.*file\.part"):
        download(server.url, tmp_path / "none" / "file.part")
