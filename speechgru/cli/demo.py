"""`speechgru demo`: the recogniser on a web page, on this machine."""

import argparse
import contextlib
import errno
import os
import sys
import threading
from pathlib import Path
from typing import Any

from speechgru import modelfile
from speechgru.cli import arguments
from speechgru.cli.standard_streams import flush_output, show
from speechgru.errors import SpeechGRUError
from speechgru.recognizer import Recognizer

_DEFAULT_PORT = 8017
_PACKAGE = Path(__file__).parents[1]
PAGES = (_PACKAGE / "web_page", _PACKAGE.parent / "export/web/dist")
"""Folders in which the built page may be: that of a wheel, and that of a clone."""


def add_command(commands: Any) -> argparse.ArgumentParser:
    """Add the command and its arguments to the parser."""
    command: argparse.ArgumentParser = commands.add_parser(
        "demo", help="show what a model recognises on a web page, in the browser of this machine"
    )
    arguments.add_model(command)
    command.add_argument(
        "--port",
        type=_port,
        default=_DEFAULT_PORT,
        metavar="N",
        help="TCP port; 0 takes a free one (default: %(default)s)",
    )
    command.add_argument(
        "--no-browser", action="store_true", help="print the address, but do not open a browser"
    )
    command.set_defaults(run=_run)
    return command


def _port(text: str) -> int:
    value = int(text) if text.isdecimal() and len(text) <= 5 else -1
    if not 0 <= value <= 65535:
        raise argparse.ArgumentTypeError(f"expected a port from 0 to 65535, found {text!r}")
    return value


def _run(options: argparse.Namespace) -> bool:
    from speechgru.cli.page_server import PageServer, read_page  # `--help` does without it

    page = _find_page()
    Recognizer(options.model)  # it loads, not only reads
    files = read_page(page, Path(modelfile.read(options.model).name).read_bytes())
    try:
        server = PageServer(files, options.port)
    except OSError as error:
        raise SpeechGRUError(
            f"expected that port {options.port} can be used, found: {error.strerror}; "
            "--port N chooses another one, and --port 0 a free one"
        ) from error
    with server:
        print(server.url)
        flush_output()
        show("Ctrl-C ends the demo.")
        if not options.no_browser and _has_display():
            threading.Thread(target=_open_browser, args=(server.url,), daemon=True).start()
        server.serve_forever()
    return True


def _find_page() -> Path:
    for folder in PAGES:
        if (folder / "index.html").is_file():
            return folder
    folder = PAGES[-1] if PAGES[-1].parent.is_dir() else PAGES[0]
    steps = "run `npm ci && npm run build` in export/web of a clone of the repository"
    if folder is PAGES[0]:
        steps += ", then `pip install .` in the clone"
    expected = f"expected the built web page, found nothing; {steps}"
    raise FileNotFoundError(errno.ENOENT, expected, str(folder))


def _has_display() -> bool:
    """Whether a browser with windows can be expected. Else Python may start one in the terminal."""
    names = ("BROWSER", "DISPLAY", "WAYLAND_DISPLAY")
    return sys.platform in ("darwin", "win32") or any(map(os.environ.get, names))


def _open_browser(url: str) -> None:
    """Open the page. In a thread: some browsers return only when they are closed."""
    import webbrowser

    with contextlib.suppress(Exception):  # the address is printed; $BROWSER may be anything
        webbrowser.open(url)
