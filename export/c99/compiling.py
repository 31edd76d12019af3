"""Runs C compilers, for this computer and for emulated cores."""

import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path

from export.errors import ExportError

WARNINGS = ("-Wall", "-Wextra", "-Wpedantic", "-Wconversion")
_NO_ROOM = ("overflowed by", "no room for a stack")  # the linker's words, and those of memory.ld


class MissingToolError(ExportError):
    """A compiler or another tool is not installed."""


class DoesNotFitError(ExportError):
    """The program needs more memory than the core has."""


def run_compiler(command: Sequence[str], name: str, folder: Path | None = None) -> None:
    """Compile or link.

    Args:
        command: the compiler and its arguments.
        name: what is compiled, for messages.
        folder: where to run it. Default None: the current folder.

    Raises:
        DoesNotFitError: the linker found no room.
        ExportError: the compiler failed.
        MissingToolError: there is no such compiler.
    """
    done = _run(command, folder)
    if any(words in done.stderr for words in _NO_ROOM):
        raise DoesNotFitError(f"{name}: expected a program that fits, found: {done.stderr}")
    if done.returncode:
        lines = [line for line in done.stderr.splitlines() if "error" in line] or [done.stderr]
        raise ExportError(f"{name}: expected C that {command[0]} compiles, found: {lines[0]}")


def flash_bytes(tool: str, path: Path) -> int:
    """Return the bytes of code, constants and start values of variables in a program.

    Args:
        tool: `size` of the compiler's binutils.
        path: the program or object file.

    Raises:
        MissingToolError: there is no such tool.
    """
    text, data = _run([tool, str(path)]).stdout.splitlines()[1].split()[:2]
    return int(text) + int(data)


def _run(command: Sequence[str], folder: Path | None = None) -> subprocess.CompletedProcess[str]:
    if not shutil.which(command[0]):
        raise MissingToolError(f"{command[0]}: expected it to be installed, found none")
    return subprocess.run(command, cwd=folder, capture_output=True, text=True)
