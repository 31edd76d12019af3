"""A web server for the demo page, for browsers on this machine only."""

import dataclasses
import hashlib
import re
import socketserver
import sys
from collections.abc import Mapping
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any
from urllib.parse import unquote

_ADDRESS = "127.0.0.1"
_MODEL = "model.tflite"

# Those of the system may be wrong: browsers run no script and compile no WebAssembly with another.
_MEDIA_TYPES = {
    ".css": "text/css; charset=utf-8",
    ".html": "text/html; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".svg": "image/svg+xml",
    ".wasm": "application/wasm",
    ".webmanifest": "application/manifest+json",
}
_LOCAL_HOST = re.compile(r"(127\.0\.0\.1|localhost)(:\d{1,5})?", re.IGNORECASE)
_IDLE_SECONDS = 60  # after which a connection without requests is closed


@dataclasses.dataclass(frozen=True)
class PageFile:
    """What the server answers for a path.

    Attributes:
        content: the bytes.
        media_type: the value of `Content-Type`.
        tag: the value of `ETag`, with which browsers ask for changes. None: they must not store
            the file. Default None.
    """

    content: bytes
    media_type: str = "application/octet-stream"
    tag: str | None = None


def read_page(folder: Path, model: bytes) -> dict[str, PageFile]:
    """Read the files of a page.

    Args:
        folder: the built page.
        model: the content of the model file. It replaces the page's own model.

    Returns:
        The files by their paths, such as `assets/index.js`.

    Raises:
        OSError: a file cannot be read.
    """
    files = {}
    for path in folder.rglob("*"):
        if path.is_file():
            content = path.read_bytes()
            media_type = _MEDIA_TYPES.get(path.suffix.lower(), PageFile.media_type)
            tag = f'"{hashlib.sha256(content).hexdigest()}"'
            files[path.relative_to(folder).as_posix()] = PageFile(content, media_type, tag)
    return {**files, _MODEL: PageFile(model)}


class PageServer(socketserver.ThreadingTCPServer):
    """Serves the files of a page on 127.0.0.1.

    Only the paths of these files are answered, so no path leads out of the page's folder, and no
    folder is listed. A request whose `Host` is neither 127.0.0.1 nor localhost is refused: it comes
    from a website that has given its own name the address of this machine (DNS rebinding).

    Call `serve_forever`, and use the server as a context manager to close it.

    Args:
        files: the files by their paths; see `read_page`.
        port: the TCP port. 0 takes a free one.

    Raises:
        OSError: the port cannot be used.
    """

    daemon_threads = True  # open connections do not delay the end
    allow_reuse_address = sys.platform != "win32"  # on Windows, two servers would share the port
    allow_reuse_port = False

    def __init__(self, files: Mapping[str, PageFile], port: int) -> None:
        self.files = files
        super().__init__((_ADDRESS, port), _Handler)

    @property
    def url(self) -> str:
        """The address of the page."""
        return f"http://{_ADDRESS}:{self.server_address[1]}/"

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Report an error, but not that a browser has closed a connection."""
        if not isinstance(sys.exception(), ConnectionError):
            super().handle_error(request, client_address)


class _Handler(BaseHTTPRequestHandler):
    server: PageServer
    protocol_version = "HTTP/1.1"
    timeout = _IDLE_SECONDS
    disable_nagle_algorithm = True  # headers and content are two packets; do not wait between them

    def do_GET(self) -> None:
        """Answer with a file."""
        hosts = self.headers.get_all("Host", [])
        if len(hosts) != 1 or not _LOCAL_HOST.fullmatch(hosts[0]):
            self.send_error(HTTPStatus.FORBIDDEN, "Expected the host 127.0.0.1 or localhost")
            return
        file = self.server.files.get(_file_name(self.path))
        if file is None:
            self.send_error(HTTPStatus.NOT_FOUND)
            return
        is_known = file.tag is not None and file.tag in self.headers.get("If-None-Match", "")
        self.send_response(HTTPStatus.NOT_MODIFIED if is_known else HTTPStatus.OK)
        self.send_header("Cache-Control", "no-cache" if file.tag else "no-store")
        if file.tag is not None:
            self.send_header("ETag", file.tag)
        if not is_known:
            self.send_header("Content-Type", file.media_type)
            self.send_header("Content-Length", str(len(file.content)))
        self.end_headers()
        if not is_known and self.command != "HEAD":
            self.wfile.write(file.content)

    do_HEAD = do_GET  # noqa: N815

    def end_headers(self) -> None:
        """Add the header that all answers have."""
        self.send_header("X-Content-Type-Options", "nosniff")
        super().end_headers()

    def version_string(self) -> str:
        """The value of `Server`: without the versions of Python and its library."""
        return "speechgru"

    def log_message(self, *_: Any) -> None:
        """Print nothing."""


def _file_name(target: str) -> str:
    """The path of a file from the target of a request; that of a folder is its index.html."""
    path = unquote(target.partition("?")[0])
    return (path + "index.html" if path.endswith("/") else path).removeprefix("/")
