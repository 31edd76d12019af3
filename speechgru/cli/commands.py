"""Runs the commands: arguments, exit codes and errors."""

import argparse
import traceback
from collections.abc import Sequence
from typing import Any, NoReturn

import speechgru
from speechgru.cli import demo, detect, info, listen, recognize, record, standard_streams
from speechgru.cli.interruption import INTERRUPTED, tidying_up
from speechgru.errors import SpeechGRUError, escape

OK, BAD_INPUT = 0, 2
_COMMANDS = (recognize, detect, listen, record, info, demo)


def run(arguments: Sequence[str] | None) -> int:
    """Run a command, as `main` does."""
    try:
        standard_streams.open_standard_streams()
        with tidying_up():
            try:
                return _run(arguments)
            finally:
                standard_streams.flush_output()
    except KeyboardInterrupt:  # before or after the command itself
        return INTERRUPTED
    except BrokenPipeError:  # the reader has closed the pipe, as `head` does
        standard_streams.discard(1)
        return OK
    except OSError as error:
        standard_streams.discard(1)
        if error.filename is None:
            standard_streams.complain(
                f"expected an output that can be written, found: {error.strerror}"
            )
        else:
            standard_streams.complain(standard_streams.message(error))
        return BAD_INPUT


def _run(arguments: Sequence[str] | None) -> int:
    options = _parse(arguments)
    try:
        with standard_streams.silent_libraries(options.debug):
            succeeded: bool = options.run(options)
        return OK if succeeded else BAD_INPUT
    except KeyboardInterrupt:
        if options.debug:
            traceback.print_exc()
        return INTERRUPTED
    except (SpeechGRUError, FileNotFoundError) as error:
        if options.debug:
            raise
        standard_streams.complain(standard_streams.message(error))
        return BAD_INPUT


class _Parser(argparse.ArgumentParser):
    def _print_message(self, message: str, file: Any = None) -> None:
        """Print help, version or usage. An error of writing is not ignored, as it is by default."""
        if message and file is not None:
            file.write(message)

    def error(self, message: str) -> NoReturn:
        super().error(escape(message))


def _parse(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = _Parser(prog="speechgru", description="Recognise spoken commands.")
    parser.add_argument("--version", action="version", version=f"%(prog)s {speechgru.__version__}")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    for module in _COMMANDS:
        command = module.add_command(commands)
        command.add_argument("--debug", action="store_true", help="show the traceback of an error")
    return parser.parse_args(arguments)
