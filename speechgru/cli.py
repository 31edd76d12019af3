"""The command line: `speechgru recognize` and `speechgru info`."""

import argparse
import contextlib
import io
import json
import os
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, NoReturn

import speechgru
from speechgru import modelfile, sound_files
from speechgru.audio import EXTENSIONS
from speechgru.errors import AudioError, SpeechGRUError, escape
from speechgru.recognizer import Recognition, Recognizer

OK, BAD_INPUT, INTERRUPTED = 0, 2, 130
_NAMES = ", ".join(modelfile.BUNDLED)
_STANDARD_INPUT = "<stdin>"


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line.

    Args:
        arguments: the words after `speechgru`. Default: those of the process.

    Returns:
        The exit code: 0, 2 for wrong input, 130 for Ctrl-C.

    Raises:
        SystemExit: 2 for wrong usage, 0 after `--help` and `--version`.
    """
    _open_standard_streams()
    try:
        try:
            return _run(arguments)
        finally:
            _flush_output()
    except BrokenPipeError:  # the reader has had enough, as `head` has
        _discard(1)
        return OK
    except OSError as error:
        _discard(1)
        _complain(f"expected an output that can be written, found: {error.strerror}")
        return BAD_INPUT


def _run(arguments: Sequence[str] | None) -> int:
    options = _parse(arguments)
    try:
        with _silent_libraries(options.debug):
            code: int = options.run(options)
        return code
    except KeyboardInterrupt:
        if options.debug:
            raise
        return INTERRUPTED
    except (SpeechGRUError, FileNotFoundError) as error:
        if options.debug:
            raise
        _complain(_message(error))
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

    recognize = commands.add_parser("recognize", help="name the word in each sound file")
    recognize.add_argument(
        "files",
        nargs="+",
        metavar="FILE",
        help="WAV, FLAC, OGG, AIFF, MP3 ...; a folder: all sound files in it; -: standard input",
    )
    recognize.add_argument(
        "--model",
        metavar="M",
        help=f"model file, or a bundled model: {_NAMES} (default: the first)",
    )
    recognize.add_argument(
        "--top", type=_positive, default=1, metavar="N", help="print the N likeliest labels"
    )
    recognize.add_argument("--json", action="store_true", help="print one JSON object a line")
    recognize.set_defaults(run=_recognize)

    info = commands.add_parser("info", help="print what a model file holds")
    info.add_argument(
        "model",
        nargs="?",
        metavar="MODEL",
        help=f"model file, or a bundled model: {_NAMES} (default: the first)",
    )
    info.set_defaults(run=_info)

    for command in (recognize, info):
        command.add_argument("--debug", action="store_true", help="show the traceback of an error")
    return parser.parse_args(arguments)


def _positive(text: str) -> int:
    if not text.isdecimal() or len(text) > 9 or int(text) < 1:
        raise argparse.ArgumentTypeError(f"expected a whole number from 1, found {text!r}")
    return int(text)


def _recognize(options: argparse.Namespace) -> int:
    recognizer = Recognizer(options.model)
    files, problems = _find_files(options.files)
    for problem in problems:
        _complain(problem)
    code = BAD_INPUT if problems else OK
    width = max((len(escape(name)) for name in files), default=0)
    for name in files:
        try:
            recognition = recognizer.recognize(_standard_input() if name == "-" else name)
        except (SpeechGRUError, FileNotFoundError) as error:
            if options.debug:
                raise
            _complain(_message(error))
            code = BAD_INPUT
        else:
            print(
                _json_line(name, recognition)
                if options.json
                else _line(name, recognition, width, options.top)
            )
    return code


def _find_files(names: Sequence[str]) -> tuple[list[str], list[str]]:
    """Replace folders by the sound files in them, sorted, without hidden files and folders.

    Returns:
        The files, and messages about folders that cannot be read or hold no sound files.
    """
    files: list[str] = []
    errors: list[OSError] = []
    problems: list[str] = []
    for name in names:
        if not os.path.isdir(name):
            files.append(name)
            continue
        earlier = len(errors)
        found = sorted(_walk(name, errors))
        if not found and len(errors) == earlier:
            problems.append(f"{escape(name)}: expected a folder with sound files, found none")
        files += found
    return files, [*problems, *map(_message, errors)]


def _walk(folder: str, errors: list[OSError]) -> Iterator[str]:
    for path, folders, names in os.walk(folder, onerror=errors.append):
        folders[:] = [name for name in folders if not name.startswith(".")]
        for name in names:
            if not name.startswith(".") and Path(name).suffix.lower() in EXTENSIONS:
                yield os.path.join(path, name)


class _StandardInput(io.BytesIO):
    name = _STANDARD_INPUT  # for messages


def _standard_input() -> _StandardInput:
    if sys.stdin is None:
        raise AudioError(f"{_STANDARD_INPUT}: expected encoded sound, found a closed stream")
    try:
        return _StandardInput(sound_files.read_stream(sys.stdin.buffer, _STANDARD_INPUT))
    except OSError as error:  # such as a folder
        raise AudioError(
            f"{_STANDARD_INPUT}: expected encoded sound, found: {error.strerror}"
        ) from error


def _line(name: str, recognition: Recognition, width: int, top: int) -> str:
    best = list(recognition.scores.items())[:top]
    scores = "  ".join(f"{_quote(label)} {score:.3f}" for label, score in best)
    return f"{escape(name):{width}}  {scores}"


def _json_line(name: str, recognition: Recognition) -> str:
    scores = {label: round(score, 6) for label, score in recognition.scores.items()}
    record = {
        "file": name,
        "label": recognition.label,
        "confidence": scores[recognition.label],
        "scores": scores,
    }
    return json.dumps(record).replace("\x7f", "\\u007f")  # the control character that JSON allows


def _quote(label: str) -> str:
    """Put a label of several words into quotation marks."""
    label = escape(label)
    return f'"{label}"' if " " in label else label


def _info(options: argparse.Namespace) -> int:
    Recognizer(options.model)  # it loads, not only reads
    model = modelfile.read(options.model)
    settings = model.settings
    accuracy = settings.get("validation_accuracy")
    rows = {
        "model": model.name,
        "labels": " ".join(map(_quote, model.labels)),
        "front end": ", ".join(
            f"{name} {value:g}" for name, value in settings["front_end"].items()
        ),
        "window": f"{model.window_samples} samples",
        "hop": f"{settings['hop_samples']} samples",
        "signatures": " ".join(modelfile.SIGNATURES),
        "size": f"{Path(model.name).stat().st_size:,} bytes",
        "parameters": settings.get("parameters"),
        "quantisation": settings.get("quantization"),
        "training data": settings.get("training_data"),
        "validation accuracy": None if accuracy is None else f"{accuracy:.2%}",
        "licence": settings.get("licence"),
        "made with": " ".join(f"{k} {v}" for k, v in settings.get("versions", {}).items()),
    }
    for name, value in rows.items():
        print(f"{name:20} {escape(str(value)) if value else 'not stated'}")
    return OK


def _message(error: Exception) -> str:
    if isinstance(error, OSError) and error.filename is not None:
        return f"{escape(str(error.filename)) or repr('')}: {error.strerror}"
    return str(error)


def _complain(message: str) -> None:
    """Print a message on stderr, in one line."""
    if sys.stderr is None:
        return
    try:
        print(f"speechgru: {escape(' '.join(message.split()))}", file=sys.stderr)
    except OSError:  # stderr is closed or full: there is nobody to tell
        _discard(2)


# Standard streams


def _open_standard_streams() -> None:
    """Open the null device in place of closed streams, lest a file gets their number.

    Characters that the encoding of stdout does not have are escaped.
    """
    for descriptor in range(3):
        try:
            os.fstat(descriptor)
        except OSError:
            os.open(os.devnull, os.O_RDWR)  # gets the lowest free number
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="backslashreplace")


def _flush_output() -> None:
    if sys.stdout is not None:
        sys.stdout.flush()


def _discard(descriptor: int) -> None:
    """Send what a stream still holds nowhere, so that Python does not fail to write it at exit."""
    sink = os.open(os.devnull, os.O_WRONLY)
    os.dup2(sink, descriptor)
    os.close(sink)


@contextlib.contextmanager
def _silent_libraries(debug: bool) -> Iterator[None]:
    """Keep what libraries such as LiteRT and libmpg123 print off stderr, but not our messages."""
    if debug:
        yield
        return
    copy, sink = os.dup(2), os.open(os.devnull, os.O_WRONLY)
    try:
        with _messages_to(copy):
            os.dup2(sink, 2)
            yield
    finally:
        os.dup2(copy, 2)
        os.close(copy)
        os.close(sink)


@contextlib.contextmanager
def _messages_to(descriptor: int) -> Iterator[None]:
    """Let `sys.stderr` write to a descriptor, if it writes to descriptor 2."""
    stream = sys.stderr
    try:
        redirect = stream is not None and stream.fileno() == 2
    except (OSError, ValueError):  # not a file
        redirect = False
    if not redirect:
        yield
        return
    # No `with`: an error of close() is ignored, one of the block is not.
    messages = open(  # noqa: SIM115
        descriptor, "w", buffering=1, errors="backslashreplace", closefd=False
    )
    try:
        with contextlib.redirect_stderr(messages):
            yield
    finally:
        with contextlib.suppress(OSError):  # of messages that could not be written
            messages.close()


if __name__ == "__main__":
    sys.exit(main())
