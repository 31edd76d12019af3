"""Fetching an archive from a server that may be slow, wrong or hostile, and unpacking it."""

import contextlib
import errno
import hashlib
import http.server
import io
import random
import re
import signal
import subprocess
import sys
import tarfile
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from training import download
from training.download import DownloadError

ROOT = Path(__file__).resolve().parents[2]
FILES = {
    f"./{word}/a_nohash_{take}.wav": random.Random(take).randbytes(30_000)
    for word in ("yes", "no")
    for take in range(4)
}
NAME = "speech_commands_v0.02"


def member(name, content=b"", kind=tarfile.REGTYPE, link=""):
    info = tarfile.TarInfo(name)
    info.type, info.linkname, info.size = kind, link, len(content)
    return info, content


def pack(*members):
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w:gz") as tar:
        for info, content in members:
            tar.addfile(info, io.BytesIO(content))
    return packed.getvalue()


WHOLE = pack(member("./", kind=tarfile.DIRTYPE), *(member(*file) for file in FILES.items()))
HALF = len(WHOLE) // 2


def sha256(content):
    return hashlib.sha256(content).hexdigest()


class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        server = self.server
        server.asked.append(self.headers.get("Range"))
        server.conditions.append(self.headers.get("If-Range"))
        if server.replies:
            server.replies.pop(0)(self)
        else:
            send(self)

    def log_message(self, *_):
        pass


def answer(handler, status, headers, body=b""):
    handler.send_response(status)
    for name, value in headers.items():
        handler.send_header(name, value)
    handler.end_headers()
    try:
        handler.wfile.write(body)
    except ConnectionError:  # the client has left
        handler.close_connection = True


def send(handler, cut=None, length=None):
    """Answer as a good server does; `cut` ends it after so many bytes, `length` is a lie."""
    content, etag = handler.server.content, handler.server.etag
    headers, status, start = {"ETag": etag} if etag else {}, 200, 0
    asked = handler.headers.get("Range")
    if asked and handler.headers.get("If-Range", etag) == etag:
        start = int(asked.removeprefix("bytes=").removesuffix("-"))
        status = 206
        headers["Content-Range"] = f"bytes {start}-{len(content) - 1}/{len(content)}"
        if start >= len(content):
            answer(handler, 416, {"Content-Range": f"bytes */{len(content)}"})
            return
    headers["Content-Length"] = str(length or len(content) - start)
    answer(handler, status, headers, content[start : start + cut if cut else None])


def cut_in_half(handler):
    send(handler, cut=HALF)


def without_range(handler):
    content = handler.server.content
    answer(handler, 200, {"Content-Length": str(len(content))}, content)


def without_range_cut(handler):
    content = handler.server.content
    answer(handler, 200, {"Content-Length": str(len(content))}, content[:HALF])


def status(code):
    return lambda handler: answer(handler, code, {})


def silent(handler):
    handler.server.patience.wait(10)


def silent_after_half(handler):
    send(handler, cut=HALF)
    handler.server.patience.wait(10)


def slow(handler):
    """A tenth of the file every 50 ms."""
    handler.send_response(200)
    handler.send_header("Content-Length", str(len(WHOLE)))
    handler.end_headers()
    for start in range(0, len(WHOLE), len(WHOLE) // 10):
        handler.wfile.write(WHOLE[start : start + len(WHOLE) // 10])
        time.sleep(0.05)


@pytest.fixture
def server(monkeypatch):
    monkeypatch.setenv("no_proxy", "*")
    monkeypatch.setattr(download, "PAUSE", 0.001)
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        server.content, server.etag, server.replies, server.asked = WHOLE, '"one"', [], []
        server.conditions, server.patience = [], threading.Event()
        server.url = f"http://127.0.0.1:{server.server_port}/file.tar.gz"
        # The default of half a second between looks at the end makes every test as long.
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        yield server
        server.patience.set()
        server.shutdown()
        thread.join()


@pytest.fixture
def cache(tmp_path):
    """An empty folder with nothing beside it."""
    folder = tmp_path / "data" / "cache"
    folder.mkdir(parents=True)
    return folder


@pytest.fixture
def get(server, cache):
    """Fetch what the server has."""

    def run(content=WHOLE):
        server.content = content
        return download.speech_commands(cache=cache, url=server.url, sha256=sha256(content))

    return run


def read(folder):
    return {f"./{p.relative_to(folder)}": p.read_bytes() for p in folder.rglob("*") if p.is_file()}


def left(cache):
    """What is in the cache, but for the lock, which may stay."""
    return sorted(p.name for p in cache.iterdir() if p.suffix != ".lock")


def part_of(cache):
    return cache / f"{NAME}.tar.gz.part"


# Getting it


def test_the_data_set_is_unpacked_and_the_archive_deleted(get, server, cache):
    folder = get()
    assert folder == cache / NAME
    assert read(folder) == FILES
    assert left(cache) == [NAME]
    assert server.asked == [None]


def test_what_is_there_is_not_asked_for_again(get, server):
    get()
    assert read(get()) == FILES
    assert len(server.asked) == 1


def test_an_empty_folder_is_no_data_set(get, cache):
    (cache / NAME).mkdir()
    assert read(get()) == FILES


def test_two_at_once_download_once(get, server):
    server.replies = [slow]
    with ThreadPoolExecutor(2) as pool:
        folders = [job.result() for job in [pool.submit(get), pool.submit(get)]]
    assert folders[0] == folders[1]
    assert read(folders[0]) == FILES
    assert len(server.asked) == 1


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
    assert download.default_cache() == Path(expected)


@pytest.mark.parametrize(
    "arguments",
    [{"version": "v3"}, {"url": "ftp://a/b"}, {"url": "http://"}, {"sha256": "12"}],
    ids=str,
)
def test_wrong_arguments_are_refused(cache, arguments):
    with pytest.raises(DownloadError, match=r"expected .*, found"):
        download.speech_commands(cache=cache, **arguments)


# Going on


@pytest.mark.parametrize(
    ("etag", "condition"), [('"one"', '"one"'), ('W/"one"', None), (None, None)]
)
def test_a_cut_download_goes_on_where_it_stopped(get, server, etag, condition):
    server.etag = etag
    server.replies = [cut_in_half]
    assert read(get()) == FILES
    assert server.asked == [None, f"bytes={HALF}-"]
    assert server.conditions == [None, condition]


def test_many_cuts_are_survived_while_they_bring_something(get, server, monkeypatch):
    monkeypatch.setattr(download, "PROGRESS", 1000)
    step = len(WHOLE) // 20
    server.replies = [lambda handler: send(handler, cut=step)] * 19
    assert read(get()) == FILES
    assert server.asked == [None, *(f"bytes={i * step}-" for i in range(1, len(server.asked)))]
    assert len(server.asked) > 2 * download.TRIES


def test_a_later_run_goes_on_with_what_an_earlier_one_left(get, server, cache):
    server.replies = [cut_in_half, *[status(503)] * (download.TRIES - 1)]
    with pytest.raises(DownloadError, match=f"503.*{HALF:,} bytes are kept"):
        get()
    assert part_of(cache).read_bytes() == WHOLE[:HALF]
    server.asked.clear()
    assert read(get()) == FILES
    assert server.asked == [f"bytes={HALF}-"]


def test_a_whole_archive_left_by_an_earlier_run_is_not_fetched_again(get, server, monkeypatch):
    def full(*_):
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(download.shutil, "copyfileobj", full)
        with pytest.raises(OSError, match=r"No space left on device: .*a_nohash_0.wav"):
            get()
    assert read(get()) == FILES
    assert len(server.asked) == 1


def test_a_server_without_ranges_sends_all_of_it_again(get, server):
    server.replies = [without_range_cut, without_range]
    assert read(get()) == FILES
    assert server.asked == [None, f"bytes={HALF}-"]


@pytest.mark.parametrize("etag", ['"two"', None])
def test_a_file_changed_on_the_server_is_not_spliced(get, server, etag):
    other = pack(*(member(name, content[::-1]) for name, content in FILES.items()), member("more"))
    server.etag = etag and '"one"'

    def old_half(handler):
        handler.server.content = WHOLE
        send(handler, cut=HALF)
        handler.server.content, handler.server.etag = other, etag

    server.replies = [old_half]
    folder = get(other)
    assert read(folder)["./yes/a_nohash_0.wav"] == FILES["./yes/a_nohash_0.wav"][::-1]
    assert server.asked[:2] == [None, f"bytes={HALF}-"]


def test_a_range_that_was_not_asked_for_is_not_taken(get, server):
    def other_range(handler):
        headers = {"Content-Range": f"bytes {HALF + 1}-{len(WHOLE) - 1}/{len(WHOLE)}"}
        answer(handler, 206, headers, WHOLE[HALF + 1 :])

    server.replies = [cut_in_half, other_range]
    assert read(get()) == FILES
    assert server.asked == [None, f"bytes={HALF}-", None]


def test_notes_that_are_damaged_mean_another_start(get, server, cache):
    part_of(cache).write_bytes(b"x" * 100)
    Path(f"{part_of(cache)}.json").write_text('{"url')
    assert read(get()) == FILES
    assert server.asked == [None]


@pytest.mark.parametrize(
    ("number", "code"), [(signal.SIGKILL, -signal.SIGKILL), (signal.SIGINT, 130)]
)
def test_a_stopped_process_leaves_what_a_later_one_goes_on_with(get, server, cache, number, code):
    server.replies = [silent_after_half]
    process = subprocess.Popen(command(server, cache), cwd=ROOT, stderr=subprocess.PIPE)
    try:
        wait_for(lambda: part_of(cache).exists() and part_of(cache).stat().st_size)
        process.send_signal(number)
        _, errors = process.communicate(timeout=10)
    finally:
        process.kill()
    assert (process.returncode, errors) == (code, b"")
    have = part_of(cache).stat().st_size
    assert 0 < have <= HALF
    assert not (cache / NAME).exists()
    assert read(get()) == FILES
    assert server.asked == [None, f"bytes={have}-"]
    assert left(cache) == [NAME]


def test_a_process_killed_while_unpacking_leaves_nothing_that_looks_whole(get, server, cache):
    first = (
        "import os, shutil; copy, count = shutil.copyfileobj, iter(range(9)); "
        "shutil.copyfileobj = lambda *a: copy(*a) if next(count) < 3 else os.kill(os.getpid(), 9)"
    )
    done = subprocess.run(command(server, cache, first), cwd=ROOT, timeout=20)
    assert done.returncode == -signal.SIGKILL
    assert (cache / f".{NAME}.unpacking").exists()
    assert not (cache / NAME).exists()
    assert read(get()) == FILES
    assert left(cache) == [NAME]
    assert len(server.asked) == 1


def command(server, cache, first="pass"):
    """The command line in a process of its own, for the server's archive."""
    code = f"""{first}
import signal, sys
from training import download
signal.signal(signal.SIGINT, signal.default_int_handler)  # it is ignored in the background
download.ARCHIVES["v0.02"] = download.Archive({server.url!r}, {sha256(WHOLE)!r}, None)
sys.exit(download.main(["--cache", {str(cache)!r}]))
"""
    return [sys.executable, "-c", code]


def wait_for(condition):
    end = time.monotonic() + 10
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.01)


# Servers that are wrong


def test_a_length_too_long_is_found_out_by_asking_for_the_rest(get, server):
    server.replies = [lambda handler: send(handler, length=len(WHOLE) + 1000)]
    assert read(get()) == FILES
    assert server.asked == [None, f"bytes={len(WHOLE)}-"]


def test_a_server_that_never_sends_what_it_promised_is_given_up(get, server):
    server.replies = [lambda h: answer(h, 200, {"Content-Length": "5000"}, b"abc")] * 9
    with pytest.raises(DownloadError, match=f"{server.url}: expected 5,000 bytes, found 3"):
        get()
    assert len(server.asked) == download.TRIES


def test_a_length_too_short_fails_the_hash(get, server, cache):
    server.replies = [lambda handler: send(handler, length=HALF)]
    with pytest.raises(DownloadError, match=f"found {sha256(WHOLE[:HALF])} in {HALF:,} bytes"):
        get()
    assert left(cache) == []


def test_a_wrong_hash_is_named_and_nothing_is_kept(server, cache):
    wanted = sha256(b"another")
    with pytest.raises(
        DownloadError, match=f"{server.url}: expected SHA-256 {wanted}, found {sha256(WHOLE)}"
    ):
        download.speech_commands(cache=cache, url=server.url, sha256=wanted)
    assert left(cache) == []


def test_a_file_of_another_size_than_the_official_one_is_not_fetched(server, cache):
    with pytest.raises(DownloadError, match=f"expected 2,428,923,189 bytes, found {len(WHOLE):,}"):
        download.speech_commands(cache=cache, url=server.url)
    assert left(cache) == []


def test_more_than_an_archive_may_have_is_not_read(get, server, cache, monkeypatch):
    monkeypatch.setattr(download, "MAX_ARCHIVE", 1000)
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
    assert left(cache) == []


def test_a_server_that_tells_no_length_is_served(get, server):
    server.replies = [lambda handler: answer(handler, 200, {}, WHOLE)]
    assert read(get()) == FILES


def test_what_is_not_found_is_not_asked_for_twice(get, server, cache):
    server.replies = [status(404)]
    with pytest.raises(DownloadError, match=f"{server.url}: expected the file, found status 404"):
        get()
    assert len(server.asked) == 1
    assert left(cache) == []


def test_a_server_in_trouble_is_asked_again(get, server, capsys):
    server.replies = [status(500), status(503)]
    assert read(get()) == FILES
    assert "found status 500 Internal Server Error; again in" in capsys.readouterr().err


def test_a_redirect_is_followed_with_the_range(get, server):
    moved = [lambda h: answer(h, 302, {"Location": "/elsewhere"})]
    server.replies = [*moved, cut_in_half, *moved]
    assert read(get()) == FILES
    assert server.asked == [None, None, f"bytes={HALF}-", f"bytes={HALF}-"]


def test_a_redirect_loop_ends(get, server):
    server.replies = [lambda h: answer(h, 302, {"Location": h.path})] * 50
    with pytest.raises(DownloadError, match=r"found status 302 .*infinite loop"):
        get()


def test_an_answer_without_content_is_refused(get, server):
    server.replies = [status(204)]
    with pytest.raises(DownloadError, match="expected the file, found status 204"):
        get()


@pytest.mark.parametrize("reply", [silent, silent_after_half])
def test_a_silent_server_is_not_waited_for(get, server, monkeypatch, reply):
    monkeypatch.setattr(download, "TIMEOUT", 0.1)
    monkeypatch.setattr(download, "TRIES", 2)
    server.replies = [silent_after_half, reply]
    server.content = WHOLE + bytes(10 * HALF)  # what the half is not the whole of
    with pytest.raises(DownloadError, match="timed out"):
        get(server.content)
    assert len(server.asked) == 2


def test_no_server_is_a_clear_error(get, server):
    server.url = "http://127.0.0.1:1/file.tar.gz"  # nobody listens there
    with pytest.raises(DownloadError, match=r"127.0.0.1:1/.*no answer: .*Connection refused"):
        get()


@pytest.mark.parametrize("url", ["http://a b/c", "http://a:b/c", f"http://{'a' * 70}.org/c"])
def test_an_address_that_cannot_be_one_is_refused_at_once(monkeypatch, cache, url):
    monkeypatch.setattr(download, "TRIES", 1)
    monkeypatch.setenv("no_proxy", "*")
    with pytest.raises(DownloadError, match="expected an address, found"):
        download.speech_commands(cache=cache, url=url, sha256=sha256(WHOLE))


# Disks


def test_a_full_disk_names_the_file(server, cache):
    first = "import resource; resource.setrlimit(resource.RLIMIT_FSIZE, (50_000, 50_000))"
    done = subprocess.run(
        command(server, cache, first), cwd=ROOT, capture_output=True, text=True, timeout=20
    )
    assert done.returncode == 2
    assert "Traceback" not in done.stderr
    assert done.stderr.endswith(f"File too large: '{part_of(cache)}'\n")
    assert part_of(cache).stat().st_size == 50_000


def test_too_little_space_is_seen_before_the_download(get, monkeypatch, cache):
    usage = type("usage", (), {"free": 1000})
    monkeypatch.setattr(download.shutil, "disk_usage", lambda _: usage)
    with pytest.raises(DownloadError, match=r"expected .* bytes of free space, found 1,000"):
        get()
    assert not part_of(cache).exists()


def test_too_little_space_to_unpack_keeps_the_archive(get, server, monkeypatch, cache):
    usage = iter([type("usage", (), {"free": free}) for free in (10 * len(WHOLE), 1000)])
    with monkeypatch.context() as patch:
        patch.setattr(download.shutil, "disk_usage", lambda _: next(usage))
        with pytest.raises(DownloadError, match=r"bytes of free space, found 1,000"):
            get()
    assert part_of(cache).read_bytes() == WHOLE
    assert read(get()) == FILES
    assert len(server.asked) == 1


def test_a_cache_that_cannot_be_made_is_named(cache):
    (cache / "file").write_text("")
    with pytest.raises(OSError, match=r"file/cache"):
        download.speech_commands(cache=cache / "file" / "cache")


# Hostile archives


def refused(get, cache, content, match):
    """The archive is refused with `match`, and nothing of it is anywhere."""
    with pytest.raises(DownloadError, match=match):
        get(content)
    assert {path.name for path in cache.parents[1].rglob("*")} == {"data", "cache", f".{NAME}.lock"}


@pytest.mark.parametrize(
    "name",
    ["../evil", "yes/../../evil", "/evil", "//evil", "C:/evil", "c:evil", "a\\b"],
)
def test_a_path_out_of_the_archive_is_refused(get, cache, name):
    if name.startswith("/"):
        name = name.replace("/evil", f"{cache.parent}/evil")
    content = pack(member("yes/good.wav", b"good"), member(name, b"evil"))
    refused(get, cache, content, re.escape(f"member {name!r}: expected a "))


@pytest.mark.parametrize(
    "kind",
    [tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.CHRTYPE, tarfile.BLKTYPE, tarfile.FIFOTYPE, b"S"],
    ids=["symlink", "hard link", "character device", "block device", "fifo", "sparse"],
)
def test_what_is_neither_file_nor_folder_is_refused(get, cache, kind):
    content = pack(member("yes/good.wav", b"good"), member("yes/evil", kind=kind, link="good.wav"))
    refused(get, cache, content, r"member 'yes/evil': expected a file or a folder")


def test_a_file_through_a_symlink_is_refused(get, cache):
    content = pack(
        member("yes", kind=tarfile.SYMTYPE, link=str(cache.parent)), member("yes/evil", b"evil")
    )
    refused(get, cache, content, r"member 'yes': expected a file or a folder")


@pytest.mark.parametrize("names", [("a/b", "a/b"), ("a/b", "./a//b"), ("a", "a/b"), ("a/b", "a")])
def test_a_name_twice_is_refused(get, cache, names):
    content = pack(*(member(name, b"x") for name in names))
    refused(get, cache, content, r"member '.*': (expected once, found twice|its name is taken)")


def test_a_bomb_is_refused(get, cache):
    bomb = pack(member("yes/bomb.wav", bytes(download.SLACK + (1 << 20))))
    assert len(bomb) < 10_000
    refused(get, cache, bomb, r"expected at most 4,.* bytes unpacked, found more")


def test_a_folder_twice_is_refused(get, cache):
    folder = member("yes", kind=tarfile.DIRTYPE)
    refused(get, cache, pack(folder, folder), "member 'yes': expected once, found twice")


def test_too_many_members_are_refused(get, cache, monkeypatch):
    monkeypatch.setattr(download, "MAX_MEMBERS", 3)
    content = pack(*(member(f"yes/{i}") for i in range(4)))
    refused(get, cache, content, "expected at most 3 members, found more")


def test_too_deep_a_path_is_refused(get, cache):
    refused(get, cache, pack(member("a/" * 1500 + "b")), "member 'a/a/.*': expected a plain")


@pytest.mark.parametrize(
    "content",
    [b"", b"no archive", WHOLE[:-HALF], pack(), WHOLE[:HALF] + b"x" * 999 + WHOLE[HALF:]],
    ids=["nothing", "text", "half", "empty", "damaged"],
)
def test_what_is_no_archive_is_refused(get, cache, content):
    refused(get, cache, content, r"expected a \.tar\.gz of recordings: .")


# Command line


@pytest.fixture
def official(server, monkeypatch):
    """The command line fetches from the server."""
    archive = download.Archive(server.url, sha256(WHOLE), len(WHOLE))
    monkeypatch.setattr(download, "ARCHIVES", {"v0.01": archive, "v0.02": archive})


@pytest.mark.usefixtures("official")
def test_the_command_prints_the_folder_last(cache, capsys):
    assert download.main(["--version", "v0.01", "--cache", str(cache)]) == 0
    folder = Path(capsys.readouterr().out.splitlines()[-1])
    assert folder == cache / "speech_commands_v0.01"
    assert read(folder) == FILES


@pytest.mark.usefixtures("official")
def test_a_failed_download_exits_with_2(server, cache, capsys):
    server.replies = [status(404)]
    assert download.main(["--cache", str(cache)]) == 2
    output = capsys.readouterr()
    assert output.out == ""
    assert output.err.startswith(f"download.py: {server.url}: expected the file, found status 404")


def test_an_unusable_cache_exits_with_2(cache, capsys):
    (cache / "file").write_text("")
    assert download.main(["--cache", str(cache / "file")]) == 2
    assert "download.py: [Errno" in capsys.readouterr().err


def test_wrong_usage_exits_with_2_and_no_traceback():
    script = ROOT / "training" / "download.py"
    done = subprocess.run(
        [sys.executable, script, "--version", "v9"], capture_output=True, text=True, timeout=20
    )
    assert done.returncode == 2
    assert "v0.01" in done.stderr
    assert "Traceback" not in done.stderr
