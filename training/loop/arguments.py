"""The command line of train.py."""

import argparse
import dataclasses
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Literal, NoReturn

from speechgru import pretrained
from speechgru.errors import SpeechGRUError


class UsageError(SpeechGRUError, ValueError):
    """Options that cannot be used. The message names the option."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class Options:
    """The options of train.py, as its --help describes them.

    Attributes:
        given: the names of the options that were typed.
        command: the arguments as they were typed.
    """

    data: Path | None = None
    recipe: str = "medium"
    words: tuple[str, ...] | None = None
    phrases: tuple[str, ...] | None = None
    language: str = "en"
    negative: tuple[Path, ...] = ()
    noise: Path | None = None
    synthetic: Path | None = None
    epochs: int | None = None
    batch: int | Literal["auto"] | None = None
    seed: int | None = None
    start: Path | None = None
    teachers: tuple[Path, ...] = ()
    features: Literal["graph", "librosa"] = "graph"
    device: Literal["auto", "cpu", "gpu"] = "auto"
    strategy: Literal["none", "mirrored", "multiworker"] = "none"
    out: Path
    resume: bool = False
    given: frozenset[str] = frozenset()
    command: tuple[str, ...] = ()

    def from_folder(self, folder: Path) -> "Options":
        """Return the same options with paths that do not depend on the current folder.

        Args:
            folder: the folder in which the command was typed.
        """
        names = ("data", "noise", "synthetic", "start", "out")
        given = {name: getattr(self, name) for name in names}
        if self.start and is_bundled(self.start):
            del given["start"]
        paths = {name: folder / path for name, path in given.items() if path is not None}
        negative = tuple(folder / path for path in self.negative)
        teachers = tuple(folder / teacher for teacher in self.teachers)
        return dataclasses.replace(self, **paths, negative=negative, teachers=teachers)


def is_bundled(start: Path) -> bool:
    """Return whether this is the name of a bundled model, and no folder has the same name."""
    return str(start) in pretrained.NAMES and not start.exists()


def _check_phrases(given: frozenset[str]) -> None:
    for name in ("words", "synthetic", "teachers", "features", "strategy"):
        if name in given:
            raise UsageError(f"--phrases: expected no --{name} beside it, found one")


class _Parser(argparse.ArgumentParser):
    """A parser whose errors are exceptions, and so one line each."""

    def error(self, message: str) -> NoReturn:
        raise UsageError(f"{message.removeprefix('argument ')} (--help lists the options)")


def parse_arguments(arguments: Sequence[str]) -> Options:
    """Read the options of train.py from the command line.

    Raises:
        UsageError: an option is unknown, or its value cannot be used.
    """
    values = vars(_parser().parse_args(list(arguments)))
    given = frozenset(values)
    if "resume" in given and "out" not in given:
        raise UsageError("--resume: expected --out with the folder of the run as well")
    values.setdefault("out", Path("runs") / time.strftime("%Y%m%d-%H%M%S"))
    for name in given & {"negative", "words", "phrases", "teachers"}:
        values[name] = tuple(values[name])
    if "phrases" in given:
        _check_phrases(given)
        values.setdefault("recipe", "own_words")
    elif "language" in given:
        raise UsageError("--language: expected --phrases beside it, found none")
    return Options(**values, given=given, command=tuple(arguments))


def _parser() -> argparse.ArgumentParser:
    parser = _Parser(
        prog="train.py",
        description="Train a speech-command model.",
        argument_default=argparse.SUPPRESS,  # `Options` has the defaults
    )
    _add_data_options(parser)
    _add_training_options(parser)
    add = parser.add_argument
    add("--out", type=_path, metavar="DIR", help="folder of the run (default: runs/<date>-<time>)")
    add(
        "--resume",
        action="store_true",
        help="continue the run in --out after an interruption, or lengthen it (--epochs)",
    )
    return parser


def _add_data_options(parser: argparse.ArgumentParser) -> None:
    add = parser.add_argument_group("data").add_argument
    add(
        "--data",
        type=_path,
        metavar="DIR",
        help="folder of <word>/*.wav (default: download Speech Commands v0.02)",
    )
    add(
        "--words",
        type=_word,
        nargs="+",
        metavar="W",
        help='command words, or "all" (default: the ten usual words if present, else all)',
    )
    add(
        "--phrases",
        type=_word,
        nargs="+",
        metavar="P",
        help="make a model of these words or phrases from text: the installed voices speak them, "
        "and --data, if given, holds recordings of them, too",
    )
    add("--language", metavar="CODE", help="language of --phrases (default: en)")
    add(
        "--negative",
        type=_path,
        nargs="+",
        metavar="DIR",
        help="speech without commands, of any length",
    )
    add("--noise", type=_path, metavar="DIR", help="more background noise, of any length")
    add("--synthetic", type=_path, metavar="DIR", help="<word>/*.wav for training only")


def _add_training_options(parser: argparse.ArgumentParser) -> None:
    add = parser.add_argument_group("training").add_argument
    add(
        "--recipe",
        metavar="NAME|FILE",
        help="name of a recipe in training/recipes/, or a TOML file (default: medium)",
    )
    add(
        "--epochs",
        type=_whole_number,
        metavar="N",
        help="epochs (default: the recipe's). With --resume, a larger number than the run's "
        "lengthens it; in the added epochs the learning rate rises and falls once more",
    )
    add(
        "--batch",
        type=_batch,
        metavar="N|auto",
        help="clips in a batch; auto: the recipe's gpu_batch_size on a GPU. The learning rate, the "
        "weight decay and the steps are scaled with it (default: the recipe's batch_size)",
    )
    add("--seed", type=_whole_number, metavar="N", help="random seed (default: the recipe's)")
    add(
        "--start",
        type=_path,
        metavar="RUN_DIR|NAME",
        help="continue from the models of this run, or from the bundled model of this name, also "
        "with other words (default: new models)",
    )
    add(
        "--teachers",
        type=_path,
        nargs="+",
        metavar="RUN_DIR",
        help="distil the models of these runs: all models learn from the labels and from the "
        "teachers' mean probabilities (default: no teachers)",
    )
    add(
        "--features",
        choices=("graph", "librosa"),
        help="compute features in the graph, from augmented audio, or once by librosa, from the "
        "clips as they are (default: graph)",
    )
    add("--device", choices=("auto", "cpu", "gpu"), help="default: a GPU if there is one")
    add(
        "--strategy",
        choices=("none", "mirrored", "multiworker"),
        help="split each batch over the GPUs of this machine (mirrored) or over the machines in "
        "TF_CONFIG (multiworker) (default: none)",
    )


def _path(text: str) -> Path:
    if not text:
        raise argparse.ArgumentTypeError("expected a path, found ''")
    return Path(text)


def _word(text: str) -> str:
    if not text.strip():
        raise argparse.ArgumentTypeError(f"expected a word, found {text!r}")
    return text


def _batch(text: str) -> int | Literal["auto"]:
    if text == "auto":
        return "auto"
    if not text.isdecimal() or len(text) > 9 or not int(text):
        found = repr(text[:40])
        raise argparse.ArgumentTypeError(f"expected a number of clips or auto, found {found}")
    return int(text)


def _whole_number(text: str) -> int:
    try:
        return int(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"expected a whole number, found {text[:40]!r}") from None
