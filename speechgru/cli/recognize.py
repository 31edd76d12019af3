"""`speechgru recognize`: the word in each sound file."""

import argparse
import json
from typing import Any

from speechgru.cli import arguments
from speechgru.cli.output import quote
from speechgru.cli.sources import StandardInput, find_files
from speechgru.cli.streams import complain, message
from speechgru.errors import SpeechGRUError, escape
from speechgru.recognizer import Recognition, Recognizer


def add_command(commands: Any) -> argparse.ArgumentParser:
    """Add the command and its arguments to the parser."""
    command: argparse.ArgumentParser = commands.add_parser(
        "recognize", help="name the word in each sound file"
    )
    command.add_argument(
        "files",
        nargs="+",
        metavar="FILE",
        help="WAV, FLAC, OGG, AIFF, MP3 ...; a folder: all sound files in it; -: standard input",
    )
    arguments.add_model(command)
    command.add_argument(
        "--top",
        type=arguments.positive,
        default=1,
        metavar="N",
        help="print the N likeliest labels",
    )
    command.add_argument("--json", action="store_true", help="print one JSON object a line")
    command.set_defaults(run=_run)
    return command


def _run(options: argparse.Namespace) -> bool:
    recognizer = Recognizer(options.model)
    files, problems = find_files(options.files)
    for problem in problems:
        complain(problem)
    succeeded = not problems
    width = max((len(escape(name)) for name in files), default=0)
    for name in files:
        try:
            recognition = recognizer.recognize(
                StandardInput().read_encoded() if name == "-" else name
            )
        except (SpeechGRUError, FileNotFoundError) as error:
            if options.debug:
                raise
            complain(message(error))
            succeeded = False
        else:
            print(
                _json_line(name, recognition)
                if options.json
                else _line(name, recognition, width, options.top)
            )
    return succeeded


def _line(name: str, recognition: Recognition, width: int, top: int) -> str:
    best = list(recognition.scores.items())[:top]
    scores = "  ".join(f"{quote(label)} {score:.3f}" for label, score in best)
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
