"""Run the synthesisers that are programs of their own."""

import subprocess
from functools import partial
from pathlib import Path

from training.voices.errors import SynthesisError

TIMEOUT = 60  # seconds for one call


def run_program(*command: str, folder: Path | None = None) -> str:
    """Run a synthesiser in `folder` and return what it printed.

    Raises:
        SynthesisError: the program is not installed, fails, or takes longer than ``TIMEOUT``.
    """
    name = command[0]
    run = partial(subprocess.run, capture_output=True, text=True, errors="replace")
    try:
        done = run(command, cwd=folder, stdin=subprocess.DEVNULL, timeout=TIMEOUT)
    except FileNotFoundError:
        message = f"{name} is not installed: install the Debian package {name}"
        raise SynthesisError(message) from None
    except subprocess.TimeoutExpired:
        raise SynthesisError(f"{name}: expected an answer within {TIMEOUT} s, found none") from None
    if done.returncode:
        reason = " ".join(done.stderr.split())[:200]
        raise SynthesisError(f"{name} failed with code {done.returncode}: {reason}")
    return str(done.stdout)
