"""A server on this machine that sends an archive of recordings, well or badly."""

import contextlib
import hashlib
import http.server
import io
import random
import tarfile
import threading
import time
from collections.abc import Iterator
from pathlib import Path

FILES = {
    f"./{word}/a_nohash_{take}.wav": random.Random(take).randbytes(30_000)
    for word in ("yes", "no")
    for take in range(4)
}


def member(name, content=b"", kind=tarfile.REGTYPE, link=""):
    info = tarfile.TarInfo(name)
    info.type, info.linkname, info.size = kind, link, len(content)
    return info, content


def pack(*members) -> bytes:
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w:gz") as tar:
        for info, content in members:
            tar.addfile(info, io.BytesIO(content))
    return packed.getvalue()


ARCHIVE = pack(member("./", kind=tarfile.DIRTYPE), *(member(*file) for file in FILES.items()))
HALF = len(ARCHIVE) // 2


def sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def read_folder(folder: Path) -> dict[str, bytes]:
    return {
        f"./{path.relative_to(folder).as_posix()}": path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file()
    }


class Server(http.server.ThreadingHTTPServer):
    """Sends `content`. Each request takes the next of `replies`, and `send` when there is none."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.content, self.etag = ARCHIVE, '"one"'
        self.replies, self.ranges, self.conditions = [], [], []  # what was asked for
        self.patience = threading.Event()
        self.url = f"http://127.0.0.1:{self.server_port}/file.tar.gz"


class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.server.ranges.append(self.headers.get("Range"))
        self.server.conditions.append(self.headers.get("If-Range"))
        reply = self.server.replies.pop(0) if self.server.replies else send
        reply(self)

    def log_message(self, *_):
        pass


@contextlib.contextmanager
def running_server() -> Iterator[Server]:
    with Server() as server:
        # The default interval of half a second makes every test as long.
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        yield server
        server.patience.set()
        server.shutdown()
        thread.join()


# Replies


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
    wanted = handler.headers.get("Range")
    if wanted and handler.headers.get("If-Range", etag) == etag:
        start = int(wanted.removeprefix("bytes=").removesuffix("-"))
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
    """A tenth of the archive every 50 ms."""
    handler.send_response(200)
    handler.send_header("Content-Length", str(len(ARCHIVE)))
    handler.end_headers()
    for start in range(0, len(ARCHIVE), len(ARCHIVE) // 10):
        handler.wfile.write(ARCHIVE[start : start + len(ARCHIVE) // 10])
        time.sleep(0.05)
