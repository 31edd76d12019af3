"""`speechgru demo`: the page is found and served until Ctrl-C, and the browser is opened."""

import os
import signal
import socket
import subprocess
import sys
import threading
import urllib.request
import webbrowser
from urllib.parse import urlsplit

import pytest

from speechgru import modelfile
from speechgru.cli import demo, main
from speechgru.cli.page_server import PageServer
from tests.speechgru.cli.commands import linux

PAGE = b"<!doctype html><title>made up</title>"


@pytest.fixture
def page(tmp_path, monkeypatch):
    folder = tmp_path / "page"
    folder.mkdir()
    (folder / "index.html").write_bytes(PAGE)
    monkeypatch.setattr(demo, "PAGES", (tmp_path / "nowhere", folder))
    return folder


@pytest.fixture
def stopped(monkeypatch):
    """Let the demo answer nothing and end at once, as with Ctrl-C. Holds its servers."""
    servers = []

    def interrupt(server):
        servers.append(server)
        raise KeyboardInterrupt

    monkeypatch.setattr(PageServer, "serve_forever", interrupt)
    return servers


@pytest.fixture
def opened(monkeypatch):
    """A display, and the addresses that the browser is to show."""
    monkeypatch.setenv("DISPLAY", ":0")
    urls, done = [], threading.Event()

    def open_url(url):
        urls.append(url)
        done.set()
        return True

    monkeypatch.setattr(webbrowser, "open", open_url)
    return urls, done


@linux
def test_page_and_model_are_served_until_ctrl_c(page):
    code = (
        "import sys; from pathlib import Path; from speechgru.cli import demo, main; "
        f"demo.PAGES = (Path({str(page)!r}),); sys.exit(main())"
    )
    process = subprocess.Popen(
        [sys.executable, "-c", code, "demo", "--port", "0", "--no-browser", "--model", "small"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        # Python buffers what it writes to a pipe, as it does for users.
        env={k: v for k, v in os.environ.items() if k != "PYTHONUNBUFFERED"},
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler),
    )
    deadline = threading.Timer(60, process.kill)
    deadline.start()
    try:
        url = process.stdout.readline().decode().removesuffix("\n")
        assert urllib.request.urlopen(url, timeout=10).read() == PAGE
        model = urllib.request.urlopen(f"{url}model.tflite", timeout=10).read()
        with socket.create_connection(("127.0.0.1", urlsplit(url).port)):  # and stays open
            process.send_signal(signal.SIGINT)
            output, errors = process.communicate(timeout=10)
    finally:
        deadline.cancel()
        process.kill()
    assert model == modelfile.BUNDLED["small"].read_bytes()
    assert (process.returncode, output, errors) == (130, b"", b"Ctrl-C ends the demo.\n")


def test_the_default_is_the_medium_model_on_a_port_that_stays_the_same(page, stopped, monkeypatch):
    monkeypatch.setattr(demo, "_has_display", lambda: False)
    ports = []

    def remember(server, *_):
        ports.append(server.server_address[1])

    monkeypatch.setattr(PageServer, "server_bind", remember)  # the port may be taken here
    monkeypatch.setattr(PageServer, "server_activate", lambda _: None)
    assert main(["demo"]) == 130
    assert ports == [8017]
    assert stopped[0].files["model.tflite"].content == modelfile.BUNDLED["medium"].read_bytes()


def test_a_model_file_is_served_as_it_is(page, stopped, tmp_path):
    path = tmp_path / "mine.tflite"
    path.write_bytes(modelfile.BUNDLED["small"].read_bytes())
    assert main(["demo", "--no-browser", "--port", "0", "--model", str(path)]) == 130
    assert stopped[0].files["model.tflite"].content == path.read_bytes()


def test_the_browser_opens_the_printed_address(page, stopped, opened, capfd):
    urls, done = opened
    assert main(["demo", "--port", "0"]) == 130
    assert done.wait(10)
    assert capfd.readouterr().out == f"{urls[0]}\n"
    assert urls[0] == stopped[0].url


def test_no_browser_is_opened_if_not_wanted_or_without_a_display(
    page, stopped, opened, monkeypatch, capfd
):
    assert main(["demo", "--port", "0", "--no-browser"]) == 130
    if sys.platform == "linux":  # the others always have a display
        for name in ("BROWSER", "DISPLAY", "WAYLAND_DISPLAY"):
            monkeypatch.delenv(name, raising=False)
        assert main(["demo", "--port", "0"]) == 130
        assert len(stopped) == 2
    assert not opened[1].wait(0.2)
    assert capfd.readouterr().out == "".join(f"{server.url}\n" for server in stopped)


def test_a_browser_that_cannot_be_started_prints_nothing(page, stopped, monkeypatch, capfd):
    failed = threading.Event()

    def fail(url):
        failed.set()
        raise webbrowser.Error("could not locate runnable browser")

    monkeypatch.setenv("DISPLAY", ":0")
    monkeypatch.setattr(webbrowser, "open", fail)
    assert main(["demo", "--port", "0"]) == 130
    assert failed.wait(10)
    for thread in threading.enumerate():
        if thread.daemon:
            thread.join(1)
    assert capfd.readouterr() == (f"{stopped[0].url}\n", "Ctrl-C ends the demo.\n")


def test_a_taken_port_is_one_line(page, stopped, capfd):
    with PageServer({}, 0) as other:
        port = other.server_address[1]
        assert main(["demo", "--no-browser", "--port", str(port)]) == 2
    output, errors = capfd.readouterr()
    assert (output, errors.count("\n")) == ("", 1)
    assert errors.startswith(f"speechgru: expected that port {port} can be used, found: ")
    assert "--port 0" in errors


@pytest.mark.parametrize("port", ["-1", "65536", "http", "8_0", "", "1" * 5000])
def test_a_wrong_port_exits_with_2(port, page, capfd):
    with pytest.raises(SystemExit) as caught:
        main(["demo", f"--port={port}"])
    assert caught.value.code == 2
    assert "expected a port from 0 to 65535, found" in capfd.readouterr().err


@pytest.mark.parametrize("content", [None, b"", b"no model"])
def test_a_bad_model_is_one_line_before_anything_is_served(content, page, tmp_path, capfd):
    path = tmp_path / "model.tflite"
    if content is not None:
        path.write_bytes(content)
    assert main(["demo", "--no-browser", "--port", "0", "--model", str(path)]) == 2
    output, errors = capfd.readouterr()
    assert (output, errors.count("\n")) == ("", 1)
    assert errors.startswith(f"speechgru: {path}: expected a ")


@pytest.mark.parametrize("is_clone", [False, True])
def test_an_installation_without_the_page_says_how_to_build_it(
    is_clone, tmp_path, monkeypatch, capfd
):
    packaged, built = tmp_path / "web_page", tmp_path / "web" / "dist"
    if is_clone:
        built.parent.mkdir()
    monkeypatch.setattr(demo, "PAGES", (packaged, built))
    assert main(["demo"]) == 2
    output, errors = capfd.readouterr()
    assert (output, errors.count("\n")) == ("", 1)
    folder = built if is_clone else packaged
    assert errors.startswith(f"speechgru: {folder}: expected the built web page, found nothing; ")
    assert "run `npm ci && npm run build` in export/web" in errors
    assert ("pip install" in errors) is not is_clone


def test_the_other_commands_load_no_web_server():
    code = (
        "import sys; import speechgru.cli.commands; "
        "print({'http.server', 'socketserver', 'webbrowser'} & set(sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "set()\n"
