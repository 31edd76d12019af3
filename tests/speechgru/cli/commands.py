"""Ways to run `speechgru` that several tests use."""

import os
import subprocess
import sys
import threading

import pytest

linux = pytest.mark.skipif(sys.platform != "linux", reason="needs Linux")
COMMAND = [sys.executable, "-c", "import sys; from speechgru.cli import main; sys.exit(main())"]


def shell(script, *arguments, **options):
    """Run a shell script, in which "$@" is `speechgru` and the arguments."""
    return subprocess.run(
        ["bash", "-c", script, "bash", *COMMAND, *arguments],
        capture_output=True,
        text=True,
        timeout=60,
        # Python buffers what it writes, as it does for users.
        env={k: v for k, v in os.environ.items() if k != "PYTHONUNBUFFERED"},
        **options,
    )


def in_terminal(command, **streams):
    """Run a command whose stderr is a terminal: its exit code, stdout and what the terminal shows.

    With `stdout=True`, stdout is the terminal, too.
    """
    import pty  # which Windows does not have

    terminal, side = pty.openpty()
    shown = bytearray()

    def read():
        try:
            while data := os.read(terminal, 1 << 16):
                shown.extend(data)
        except OSError:  # the other side is closed
            pass

    reader = threading.Thread(target=read)
    reader.start()
    stdout = side if streams.pop("stdout", False) else subprocess.PIPE
    done = subprocess.run(command, stdout=stdout, stderr=side, timeout=60, **streams)
    os.close(side)
    reader.join()
    os.close(terminal)
    return done.returncode, done.stdout, shown.decode()
