"""What every script does around its own work: report errors, return exit codes."""

import functools
import inspect
import io
import os
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

from speechgru.errors import SpeechGRUError, escape

OK, BAD_INPUT, INTERRUPTED = 0, 2, 130
OURS = ("speechgru", "training", "export", "benchmarks")


def script(main: Callable[[Sequence[str] | None], int | None]) -> Callable[..., int]:
    """Turn a script's `main` into a function that reports errors and returns an exit code.

    An error that a user can mend is one line on stderr, behind the script's name:
    ``train.py: runs/medium: No such file or directory``. Other exceptions are bugs and keep
    their traceback.

    Args:
        main: parses the arguments (None: those of the command line) and does the work. It returns
            None, or an exit code of its own.

    Returns:
        `main`, which returns 0; 2 after a ``SpeechGRUError``, ``OSError`` or ``MemoryError`` or
        without a package that the script needs; 130 after Ctrl-C.

    Example:
        >>> @script
        ... def main(arguments=None):
        ...     raise FileNotFoundError(2, "No such file or directory", "model.keras")
        >>> main([])  # prints "<name of this file>: model.keras: No such file or directory"
        2
    """
    name = Path(inspect.getfile(main)).name

    @functools.wraps(main)
    def run(arguments: Sequence[str] | None = None) -> int:
        if isinstance(sys.stdout, io.TextIOWrapper):  # a path may hold bytes that are not text
            sys.stdout.reconfigure(errors="backslashreplace")
        try:
            code = main(arguments)
            if sys.stdout is not None:
                sys.stdout.flush()
        except KeyboardInterrupt:
            return INTERRUPTED
        except BrokenPipeError:  # the reader of stdout has read enough, as `head` does
            _discard_stdout()
            return OK
        except ImportError as error:
            if error.name and error.name.split(".")[0] in OURS:
                raise
            missing = f"expected the Python package {error.name}: pip install -e '.[train]'"
            report(name, missing if isinstance(error, ModuleNotFoundError) else str(error))
            return BAD_INPUT
        except (SpeechGRUError, OSError, MemoryError) as error:
            if isinstance(error, OSError):
                _discard_stdout()
            report(name, describe(error))
            return BAD_INPUT
        return code or OK

    return run


def report(name: str, message: str) -> None:
    """Write `name: message` to stderr as one line, unless stderr is closed."""
    if sys.stderr is not None:
        print(f"{name}: {one_line(message)}", file=sys.stderr)


def describe(error: BaseException) -> str:
    """Return an error's message as one printable line; a file's error starts with its path."""
    if isinstance(error, OSError) and error.filename is not None:
        name = error.filename  # a number where a file was opened by its descriptor
        name = name if isinstance(name, int) else os.fsdecode(name)
        return one_line(f"{name}: {error.strerror}")
    if isinstance(error, OSError) and error.strerror:
        return one_line(error.strerror)  # without the error's number
    if isinstance(error, MemoryError):
        return one_line(f"out of memory: {error}").removesuffix(":")
    return one_line(str(error)) or type(error).__name__


def one_line(text: str) -> str:
    """Return text with each run of white space as one space and other control characters escaped.

    Example:
        >>> one_line("a\\n  b\\x1b[31m")
        'a b\\\\x1b[31m'
    """
    return escape(" ".join(text.split()))


def _discard_stdout() -> None:
    """Let Python's own flush at exit succeed where stdout cannot be written to."""
    try:
        sys.stdout.flush()
    except OSError:
        with open(os.devnull, "w") as nowhere:
            os.dup2(nowhere.fileno(), sys.stdout.fileno())
    except AttributeError:  # stdout is closed
        pass
