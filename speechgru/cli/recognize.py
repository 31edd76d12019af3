"""`speechgru recognize`: the word in each sound file."""

import argparse
import contextlib
import csv
import json
import math
import time
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any

from speechgru.cli import arguments, output
from speechgru.cli.resumable_output import open_resumable
from speechgru.cli.sources import StandardInput, find_files
from speechgru.cli.standard_streams import complain, message, print_result
from speechgru.cli.status_line import StatusLine, bar
from speechgru.errors import SpeechGRUError, escape
from speechgru.recognizer import Recognition, Recognizer
from speechgru.workers import recognize_all

_COLUMNS = ("file", "label", "confidence")
_SAME_CONFIDENCE = 0.01  # other processors round otherwise


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
        help="print the N most probable labels",
    )
    arguments.add_form(command)
    command.add_argument(
        "--workers",
        type=arguments.workers,
        default=1,
        metavar="N",
        help="number of processes, such as one for each core (default: 1)",
    )
    command.add_argument(
        "--resume",
        type=Path,
        metavar="OUT",
        help="append to the file OUT what it does not hold yet, as JSON or, with --csv, as CSV",
    )
    command.set_defaults(run=_run)
    return command


def _run(options: argparse.Namespace) -> bool:
    recognizer = Recognizer(options.model)
    files, problems = find_files(options.files)
    for problem in problems:
        complain(problem)
    header = output.csv_line(_COLUMNS) if options.csv else None
    if options.resume is None:
        if header is not None:
            print_result(header)
        succeeded = _recognize(recognizer, files, options, print_result)
    else:
        options.json = not options.csv
        with open_resumable(options.resume, header) as results:
            _warn_of_changes(recognizer, files, results.last, options)
            missing = results.missing(files)
            succeeded = _recognize(recognizer, missing, options, results.write)
    return succeeded and not problems


def _warn_of_changes(
    recognizer: Recognizer, files: Sequence[str], lines: Iterable[str], options: argparse.Namespace
) -> None:
    """Recognise files with a result again: it may be that of another model, or of another file."""
    paths = {escape(path) if options.csv else path: path for path in files if path != "-"}
    for name, label, confidence in (_values(line, options) for line in lines):
        try:
            now = recognizer.recognize(paths[name])
        except (KeyError, SpeechGRUError, FileNotFoundError):  # there is nothing to compare
            continue
        if now.label != label or abs(now.confidence - confidence) > _SAME_CONFIDENCE:
            complain(
                f"{options.resume}: expected results of this model and these files, "
                f"found {label} {confidence:.3f} for {name}, now {now.label} {now.confidence:.3f}"
            )
            return


def _values(line: str, options: argparse.Namespace) -> tuple[str, str, float]:
    """File, label and confidence of a line of JSON or CSV; NaN where they are not there."""
    if options.csv:
        name, label, confidence = next(csv.reader([line]))
    else:
        record = json.loads(line)
        name, label, confidence = (record.get(key) for key in _COLUMNS)
    try:
        return name, str(label), float(confidence)
    except (TypeError, ValueError):
        return name, str(label), math.nan


def _recognize(
    recognizer: Recognizer,
    files: Sequence[str],
    options: argparse.Namespace,
    write: Callable[[str], None],
) -> bool:
    """Write a line for each file, or a message on stderr. Return whether there are no messages."""
    sources = (StandardInput() if name == "-" else name for name in files)
    width = max((len(escape(name)) for name in files), default=0)
    progress = _Progress(len(files))
    succeeded = True
    with (
        contextlib.closing(recognize_all(recognizer, sources, workers=options.workers)) as results,
        contextlib.closing(progress),
    ):
        for name, result in zip(files, results, strict=True):
            if isinstance(result, Recognition):
                write(_line(name, result, width, options))
            else:
                if options.debug:
                    raise result
                complain(message(result))
                succeeded = False
            progress.advance()
    return succeeded


class _Progress:
    """Shows how many files have been recognised, and how long the rest will take."""

    def __init__(self, total: int) -> None:
        self._status = StatusLine()
        self._total = total
        self._done = 0
        self._start = time.monotonic()

    def close(self) -> None:
        """Remove the line."""
        self._status.hide()

    def advance(self) -> None:
        """Count a file."""
        self._done += 1
        if self._status.due():
            rate = self._done / max(time.monotonic() - self._start, 1e-3)
            left = output.clock((self._total - self._done) / rate)
            self._status.draw(
                f"{bar(self._done / self._total)} {self._done:,} of {self._total:,} files "
                f"({rate:.0f}/s, {left} left)"
            )


def _line(name: str, recognition: Recognition, width: int, options: argparse.Namespace) -> str:
    scores = {label: round(score, 6) for label, score in recognition.scores.items()}
    label, confidence = recognition.label, scores[recognition.label]
    if options.json:
        return output.json_line(
            {"file": name, "label": label, "confidence": confidence, "scores": scores}
        )
    if options.csv:
        return output.csv_line([name, label, confidence])
    best = list(recognition.scores.items())[: options.top]
    shown = "  ".join(f"{output.quote(label)} {score:.3f}" for label, score in best)
    return f"{escape(name):{width}}  {shown}"
