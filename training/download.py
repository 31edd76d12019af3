"""Download Speech Commands, check it and unpack it into a cache folder.

    python training/download.py --version v0.02

The cache folder is `--cache`, else $SPEECHGRU_CACHE, else `speechgru` in $XDG_CACHE_HOME or
~/.cache. After an interruption, run the same command again: the download continues where it
stopped. The last line printed is the folder of the data set.
"""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

if __name__ == "__main__":  # the repository instead of this folder, whose names could hide packages
    sys.path[0] = str(Path(__file__).resolve().parents[1])

from training.output.script import script


def parse_arguments(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument(
        "--version", default="v0.02", metavar="V", help="v0.01 or v0.02 (default: %(default)s)"
    )
    parser.add_argument("--cache", type=Path, metavar="DIR", help="folder of data sets")
    return parser.parse_args(arguments)


@script
def main(arguments: Sequence[str] | None = None) -> None:
    options = parse_arguments(arguments)
    from training.data.official_release import speech_commands

    print(speech_commands(options.version, options.cache))


if __name__ == "__main__":
    sys.exit(main())
