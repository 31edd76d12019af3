"""The command line: `speechgru` and its commands, one module each."""

from collections.abc import Sequence

from speechgru.cli import interruption


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line.

    Args:
        arguments: the words after `speechgru`. Default: those of the process.

    Returns:
        The exit code: 0, 2 for wrong input, 130 for Ctrl-C.

    Raises:
        SystemExit: 2 for wrong usage, 0 after `--help` and `--version`, 143 after SIGTERM.
    """
    with interruption.leaving_at_once():
        from speechgru.cli.commands import run  # imports numpy and LiteRT
    return run(arguments)
