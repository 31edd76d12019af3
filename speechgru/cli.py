"""The command line: `speechgru recognize` and `speechgru info`."""

import argparse
import contextlib
import io
import json
import os
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

from speechgru import modelfile
from speechgru.audio import AudioError
from speechgru.modelfile import ModelError

OK, BAD_INPUT, INTERRUPTED = 0, 2, 130
NAMES = ", ".join(modelfile.BUNDLED)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; returns the exit code: 0, 2 for wrong input, 130 for Ctrl-C."""
    options = _parse(arguments)
    if isinstance(sys.stdout, io.TextIOWrapper):  # a file may have a name that is no text
        sys.stdout.reconfigure(errors="backslashreplace")
    try:
        code: int = options.run(options)
        sys.stdout.flush()
        return code
    except KeyboardInterrupt:
        if options.debug:
            raise
        return INTERRUPTED
    except BrokenPipeError:  # the reader has had enough, as `head` has
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
        return OK
    except (ModelError, OSError) as error:
        if options.debug:
            raise
        _complain(error)
        return BAD_INPUT


def _parse(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="speechgru", description="Recognise spoken commands.")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")

    recognize = commands.add_parser("recognize", help="name the word in each sound file")
    recognize.add_argument("files", nargs="+", metavar="FILE", help="WAV, FLAC, OGG, AIFF, MP3 ...")
    recognize.add_argument(
        "--model", metavar="M", help=f"model file, or a bundled model: {NAMES} (default: the first)"
    )
    recognize.add_argument(
        "--top", type=_positive, default=1, metavar="N", help="print the N likeliest labels"
    )
    recognize.add_argument("--json", action="store_true", help="one JSON object a line")
    recognize.set_defaults(run=_recognize)

    info = commands.add_parser("info", help="what a model file holds")
    info.add_argument(
        "model",
        nargs="?",
        metavar="MODEL",
        help=f"model file, or a bundled model: {NAMES} (default: the first)",
    )
    info.set_defaults(run=_info)

    for command in (recognize, info):
        command.add_argument("--debug", action="store_true", help="show the traceback of an error")
    return parser.parse_args(arguments)


def _positive(text: str) -> int:
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"expected a whole number from 1, found {text!r}")
    return int(text)


def _recognize(options: argparse.Namespace) -> int:
    from speechgru.recognizer import Recognizer

    with _quiet_loading(options.debug):
        recognizer = Recognizer(options.model)
    width = max(len(name) for name in options.files)
    code = OK
    for name in options.files:
        try:
            answer = recognizer.recognize(name)
        except (AudioError, FileNotFoundError) as error:
            if options.debug:
                raise
            _complain(error)
            code = BAD_INPUT
            continue
        if options.json:
            scores = {label: round(score, 6) for label, score in answer.scores.items()}
            record = {"file": name, "label": answer.label, "confidence": scores[answer.label]}
            print(json.dumps({**record, "scores": scores}))
        else:
            best = list(answer.scores.items())[: options.top]
            print(f"{name:{width}}  " + "  ".join(f"{label} {score:.3f}" for label, score in best))
    return code


def _info(options: argparse.Namespace) -> int:
    from speechgru.recognizer import Recognizer

    with _quiet_loading(options.debug):
        Recognizer(options.model)  # it loads, not only reads
    model = modelfile.read(options.model)
    settings = model.settings
    front_end = ", ".join(f"{name} {value:g}" for name, value in settings["front_end"].items())
    accuracy = settings.get("validation_accuracy")
    rows = {
        "model": model.name,
        "labels": " ".join(model.labels),
        "front end": front_end,
        "window": f"{model.window_samples} samples",
        "hop": f"{settings['hop_samples']} samples",
        "signatures": " ".join(modelfile.SIGNATURES),
        "size": f"{Path(model.name).stat().st_size:,} bytes",
        "parameters": settings.get("parameters", "not stated"),
        "quantisation": settings.get("quantization", "not stated"),
        "training data": settings.get("training_data") or "not stated",
        "validation accuracy": f"{accuracy:.2%}" if isinstance(accuracy, float) else "not stated",
        "licence": settings.get("licence") or "not stated",
        "made with": " ".join(f"{k} {v}" for k, v in settings.get("versions", {}).items()),
    }
    for name, value in rows.items():
        print(f"{name:20} {value}")
    return OK


def _complain(error: Exception) -> None:
    if isinstance(error, OSError) and error.filename is not None:
        message = f"{error.filename}: {error.strerror}"
    else:
        message = str(error)
    if sys.stderr is not None:
        print(f"speechgru: {' '.join(message.split())}", file=sys.stderr)


@contextlib.contextmanager
def _quiet_loading(debug: bool) -> Iterator[None]:
    """Keep what LiteRT prints while it loads a model off stderr, which is for messages alone."""
    if debug or sys.stderr is None:  # None: the caller has closed it
        yield
        return
    sys.stderr.flush()
    kept, sink = os.dup(2), os.open(os.devnull, os.O_WRONLY)
    try:
        os.dup2(sink, 2)
        yield
    finally:
        os.dup2(kept, 2)
        os.close(kept)
        os.close(sink)


if __name__ == "__main__":
    sys.exit(main())
