"""`speechgru detect`: when each command is spoken in recordings of any length."""

import argparse
import contextlib
import itertools
import os
import stat
import time
from collections.abc import Callable, Generator, Iterator
from pathlib import Path
from typing import Any

import numpy.typing as npt

from speechgru import atomic_files, audio
from speechgru.audio import wav_files
from speechgru.cli import arguments, output
from speechgru.cli.piped_sound import detect
from speechgru.cli.saved_detections import SavedDetections
from speechgru.cli.sources import STANDARD_INPUT, StandardInput, find_files
from speechgru.cli.standard_streams import complain, flush_output, message, print_result
from speechgru.cli.status_line import StatusLine, bar
from speechgru.detection import Detection
from speechgru.errors import SpeechGRUError, escape
from speechgru.recognizer import Recognizer

_LABEL_SECONDS = 0.6
"""Length of a region in a label track: a detection states only the end of the word."""

_HEAD_BYTES = 4096  # in which every sound or model file has a zero byte


def add_command(commands: Any) -> argparse.ArgumentParser:
    """Add the command and its arguments to the parser."""
    command: argparse.ArgumentParser = commands.add_parser(
        "detect", help="find the commands in recordings of any length, with their times"
    )
    command.add_argument(
        "files",
        nargs="+",
        metavar="FILE",
        help="sound file; a folder: all sound files in it; -: standard input",
    )
    arguments.add_model(command)
    arguments.add_threshold(command)
    arguments.add_form(command)
    command.add_argument(
        "--labels",
        type=Path,
        metavar="OUT.txt",
        help="write a label track for Audacity, of one FILE",
    )
    arguments.add_save_detections(command)
    arguments.add_raw_format(command)
    command.set_defaults(run=_run, usage_error=command.error)
    return command


def _run(options: argparse.Namespace) -> bool:
    if (options.rate or options.format) and "-" not in options.files:
        options.usage_error("--rate and --format need the file -")
    recognizer = Recognizer(options.model)
    folder: Path | None = options.save_detections
    saved = SavedDetections(folder, recognizer.window_seconds) if folder is not None else None
    files, problems = find_files(options.files)
    if options.labels is not None and len(files) > 1:
        options.usage_error(f"--labels needs one file, found {len(files)}")
    for problem in problems:
        complain(problem)
    succeeded = not problems
    width = max((len(escape(name)) for name in files), default=0)
    if options.csv:
        print_result(output.csv_line(output.DETECTION_COLUMNS))
    for name in files:
        try:
            _detect(recognizer, name, width, saved, options)
        except (SpeechGRUError, FileNotFoundError) as error:
            if options.debug:
                raise
            complain(message(error))
            succeeded = False
    return succeeded


def _detect(
    recognizer: Recognizer,
    name: str,
    width: int,
    saved: SavedDetections | None,
    options: argparse.Namespace,
) -> None:
    status = StatusLine()
    progress = _Progress(status, name)
    try:
        with _label_track(options.labels) as add_label:
            for detection in _detections(recognizer, name, saved, options, progress.update):
                add_label(detection)
                print_result(_line(name, detection, width, options))
                flush_output()
                if saved is not None:
                    saved.save(detection)
    finally:
        status.hide()


def _detections(
    recognizer: Recognizer,
    name: str,
    saved: SavedDetections | None,
    options: argparse.Namespace,
    progress: Callable[[float], None],
) -> Iterator[Detection]:
    source: str | StandardInput = name
    if name == "-":
        source = StandardInput()
        sound = source.open_sound(options.rate, options.format)
        if sound is not None:
            blocks = ((sound.sample_rate, block) for block in sound.blocks())
            return _detect_in_blocks(recognizer, blocks, name, saved, options.threshold, progress)
    if saved is None:
        return recognizer.iter_detections(source, options.threshold, progress=progress)
    blocks = audio.read_blocks(source)
    return _detect_in_blocks(recognizer, blocks, name, saved, options.threshold, progress)


def _detect_in_blocks(
    recognizer: Recognizer,
    blocks: Generator[tuple[int, npt.NDArray[Any]], None, None],
    name: str,
    saved: SavedDetections | None,
    threshold: float | None,
    progress: Callable[[float], None],
) -> Iterator[Detection]:
    """Detect in a pipe, or in a file where the sound of detections is saved."""
    rate, first = next(blocks)

    def samples() -> Iterator[npt.NDArray[Any]]:
        frames = 0
        for _, block in itertools.chain([(rate, first)], blocks):
            yield block
            frames += len(block)
            progress(frames / rate)

    pieces = samples()
    if saved is not None:
        stem = None if name == "-" else wav_files.safe_name(Path(name).stem)
        pieces = saved.remember(pieces, rate, stem)
    with contextlib.closing(blocks), recognizer.stream(rate, threshold=threshold) as stream:
        yield from detect(stream, pieces, STANDARD_INPUT if name == "-" else audio.describe(name))


@contextlib.contextmanager
def _label_track(path: Path | None) -> Iterator[Callable[[Detection], None]]:
    """Write a label track for Audacity: start, end and text of a region in each line."""
    if path is None:
        yield lambda detection: None
        return
    _check_label_track(path)
    with (
        atomic_files.replacing(path) as unfinished,
        unfinished.open("w", encoding="utf-8", newline="\n") as track,
    ):

        def add(detection: Detection) -> None:
            start = max(0.0, detection.time - _LABEL_SECONDS)
            track.write(f"{start:.6f}\t{detection.time:.6f}\t{escape(detection.label)}\n")

        yield add


def _check_label_track(path: Path) -> None:
    """Refuse to replace a file that is not text, such as the recording itself."""
    if not path.is_file():
        return  # `replacing` reports what it cannot write
    with path.open("rb") as file:
        if b"\0" in file.read(_HEAD_BYTES):
            raise SpeechGRUError(
                f"{escape(str(path))}: expected a text file or none, found a binary file"
            )


class _Progress:
    """Shows how much of a recording has been read, and how fast."""

    def __init__(self, status: StatusLine, name: str) -> None:
        self._status = status
        self._name = escape(STANDARD_INPUT if name == "-" else os.path.basename(name))
        self._duration = _duration(name) if status.visible else None
        self._start = time.monotonic()

    def update(self, seconds: float) -> None:
        """Show the seconds of audio that have been processed."""
        if not self._status.due():
            return
        speed = seconds / max(time.monotonic() - self._start, 1e-3)
        done = output.clock(seconds)
        if self._duration:
            done = f"{bar(seconds / self._duration)} {done} of {output.clock(self._duration)}"
        self._status.draw(f"{done} ({speed:.0f} times real time) {self._name}")


def _duration(name: str) -> float | None:
    """Seconds of sound that a file's header states, or None."""
    try:
        if not stat.S_ISREG(os.stat(name).st_mode):
            return None
        import soundfile

        with open(name, "rb") as file:
            return float(soundfile.info(file).duration)
    except Exception:  # recognition reports what is wrong with the file
        return None


def _line(name: str, detection: Detection, width: int, options: argparse.Namespace) -> str:
    record = {"file": name, **output.detection_record(detection)}
    if options.json:
        return output.json_line(record)
    if options.csv:
        return output.csv_line(list(record.values()))
    return f"{escape(name):{width}}  {output.detection_line(detection)}"
