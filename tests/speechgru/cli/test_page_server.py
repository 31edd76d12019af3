"""The server of the demo page: what it answers, and what it refuses."""

import http.client
import mimetypes
import socket
import threading

import pytest

from speechgru.cli.page_server import PageServer, read_page
from tests.speechgru.cli.commands import linux

MODEL = b"the model of --model"
PAGE = {
    "index.html": b"<!doctype html><title>made up</title>",
    "assets/index-1a2b.js": b"export {}",
    "assets/worker.js": b"export {}",
    "assets/runtime.wasm": b"\0asm" + bytes(300_000),
    "app.webmanifest": b"{}",
    "two words.svg": b"<svg/>",
    "model.tflite": b"the page's own model",
}


@pytest.fixture
def page(tmp_path):
    for name, content in PAGE.items():
        path = tmp_path / "page" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    (tmp_path / "secret.txt").write_text("not of the page")
    return tmp_path / "page"


@pytest.fixture
def server(page):
    with PageServer(read_page(page, MODEL), 0) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield server
        server.shutdown()
        thread.join()


def ask(server, path, method="GET", **headers):
    """Answer to a request: status, headers, content."""
    connection = http.client.HTTPConnection(*server.server_address, timeout=10)
    connection.request(method, path, headers=headers)
    response = connection.getresponse()
    content = response.read()
    connection.close()
    return response.status, response.headers, content


def send(server, request):
    """The status line that answers the bytes of a request, and what follows it."""
    with socket.create_connection(server.server_address, timeout=10) as connection:
        connection.sendall(request)
        connection.shutdown(socket.SHUT_WR)
        return b"".join(iter(lambda: connection.recv(1 << 16), b"")).partition(b"\r\n")[::2]


@pytest.mark.parametrize(
    ("path", "media_type"),
    [
        ("index.html", "text/html; charset=utf-8"),
        ("assets/index-1a2b.js", "text/javascript; charset=utf-8"),
        ("assets/runtime.wasm", "application/wasm"),
        ("app.webmanifest", "application/manifest+json"),
        ("two%20words.svg", "image/svg+xml"),
    ],
)
def test_a_file_is_answered_with_its_own_media_type(path, media_type, server, monkeypatch):
    monkeypatch.setattr(mimetypes, "guess_type", lambda *_: ("text/plain", None))
    status, headers, content = ask(server, f"/{path}?version=1")
    assert (status, headers["Content-Type"]) == (200, media_type)
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert content == PAGE[path.replace("%20", " ")]
    assert headers["Content-Length"] == str(len(content))


def test_the_address_alone_is_the_page(server):
    assert server.url == f"http://127.0.0.1:{server.server_address[1]}/"
    assert ask(server, "/")[::2] == (200, PAGE["index.html"])


def test_the_given_model_replaces_that_of_the_page_and_is_not_stored(server):
    status, headers, content = ask(server, "/model.tflite")
    assert (status, content) == (200, MODEL)
    assert headers["Content-Type"] == "application/octet-stream"
    assert (headers["Cache-Control"], headers["ETag"]) == ("no-store", None)


def test_a_file_that_the_browser_has_is_not_sent_again(server, page):
    _, headers, _ = ask(server, "/index.html")
    assert headers["Cache-Control"] == "no-cache"
    known = {"If-None-Match": f'"other", W/{headers["ETag"]}'}
    status, headers, content = ask(server, "/index.html", **known)
    assert (status, content, headers["ETag"] in known["If-None-Match"]) == (304, b"", True)
    assert ask(server, "/assets/worker.js", **known)[0] == 200
    (page / "index.html").write_text("a newer page")
    assert read_page(page, MODEL)["index.html"].tag != headers["ETag"]


def test_head_has_the_headers_of_get_and_no_content(server):
    for path in ("/", "/model.tflite", "/missing"):
        status, headers, _ = ask(server, path)
        head = ask(server, path, "HEAD")
        assert head[::2] == (status, b"")
        for name in ("Content-Type", "Content-Length", "ETag", "Cache-Control"):
            assert head[1][name] == headers[name]


@pytest.mark.parametrize(
    "path",
    [
        "/missing.js",
        "/assets",  # a folder is not listed
        "/assets/",
        "/../secret.txt",
        "/assets/../../secret.txt",
        "/%2e%2e/secret.txt",
        "/..%2fsecret.txt",
        "/..%5csecret.txt",
        "/assets/../index.html",
        "/index.html%00.js",
        "/%",
        "/%ff%fe",
        "http://[/",
        "*",
    ],
)
def test_other_paths_than_those_of_the_page_are_404(path, server):
    request = f"GET {path} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode()
    status, rest = send(server, request)
    assert status == b"HTTP/1.1 404 Not Found"
    assert b"not of the page" not in rest


def test_an_absolute_path_of_the_system_is_404(server, page):
    secret = page.parent / "secret.txt"
    for path in (secret.as_posix(), f"/{secret.as_posix()}", f"//{secret.as_posix()}"):
        assert ask(server, path)[0] == 404


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "LOCALHOST:9000", "127.0.0.1:8017"])
def test_this_machine_may_be_called_by_both_names_and_any_forwarded_port(host, server):
    assert ask(server, "/", Host=host)[0] == 200


@pytest.mark.parametrize(
    "host",
    [
        "rebound.example",
        "rebound.example:8017",
        "localhost.rebound.example",
        "127.0.0.1.rebound.example",
        "127.0.0.1@rebound.example",
        "192.168.1.2",
        "127a0b0c1",
        "",
    ],
)
def test_a_website_that_has_given_its_name_this_address_is_refused(host, server):
    for path in ("/", "/model.tflite", "/missing"):
        status, _, content = ask(server, path, Host=host)
        assert status == 403
        assert MODEL not in content


@pytest.mark.parametrize("hosts", ["", "Host: localhost\r\nHost: rebound.example\r\n"])
def test_exactly_one_host_is_expected(hosts, server):
    status, _ = send(server, f"GET / HTTP/1.1\r\n{hosts}\r\n".encode())
    assert status.startswith(b"HTTP/1.1 403 ")


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "OPTIONS", "CONNECT"])
def test_methods_that_change_something_are_refused(method, server):
    assert ask(server, "/", method)[0] == 501


@linux
def test_only_127_0_0_1_is_listened_on(server):
    with pytest.raises(ConnectionRefusedError):  # 127.0.0.2 is an address of this machine, too
        socket.create_connection(("127.0.0.2", server.server_address[1]), timeout=10)


def test_two_servers_cannot_have_the_same_port(server):
    with pytest.raises(OSError, match="in use"):
        PageServer({}, server.server_address[1])


def test_a_browser_that_goes_away_prints_nothing(server, capfd):
    for _ in range(5):
        with socket.create_connection(server.server_address) as connection:
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
            connection.sendall(
                b"GET /assets/runtime.wasm HTTP/1.1\r\nHost: localhost\r\n\r\n" * 100
            )
    assert ask(server, "/")[0] == 200
    assert capfd.readouterr() == ("", "")


def test_one_connection_answers_many_requests(server):
    connection = http.client.HTTPConnection(*server.server_address, timeout=10)
    connection.connect()
    first = connection.sock
    for name in ("index.html", "assets/runtime.wasm", "assets/worker.js") * 3:
        connection.request("GET", f"/{name}")
        assert connection.getresponse().read() == PAGE[name]
        assert connection.sock is first
    connection.close()
