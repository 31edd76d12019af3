"""`speechgru listen`: commands in live sound, as they are spoken."""

import argparse
import contextlib
import dataclasses
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Protocol

import numpy.typing as npt

from speechgru.audio import microphone
from speechgru.cli import arguments, output
from speechgru.cli.level_meter import level_text
from speechgru.cli.piped_sound import PipedSound, detect
from speechgru.cli.programs import Programs
from speechgru.cli.saved_detections import SavedDetections
from speechgru.cli.sources import STANDARD_INPUT, StandardInput
from speechgru.cli.standard_streams import complain, flush_output, print_result
from speechgru.cli.status_line import StatusLine
from speechgru.errors import AudioError, escape
from speechgru.recognizer import Recognizer


class _LiveSound(Protocol):
    @property
    def sample_rate(self) -> int: ...

    def blocks(self) -> Iterator[npt.NDArray[Any]]: ...


def add_command(commands: Any) -> argparse.ArgumentParser:
    """Add the command and its arguments to the parser."""
    command: argparse.ArgumentParser = commands.add_parser(
        "listen", help="print the commands that are spoken into the microphone"
    )
    command.add_argument(
        "source",
        nargs="?",
        choices=("-",),
        metavar="-",
        help="read raw samples or WAV from standard input (default: record from the microphone)",
    )
    arguments.add_device(command)
    command.add_argument("--list-devices", action="store_true", help="list the microphones")
    arguments.add_model(command)
    arguments.add_threshold(command)
    command.add_argument("--json", action="store_true", help="print one JSON object a line")
    command.add_argument(
        "--exec",
        type=_programs,
        metavar="COMMAND",
        help="run a program at each detection, without a shell; {label}, {time} and {confidence} "
        "are replaced in its words",
    )
    arguments.add_save_detections(command)
    arguments.add_raw_format(command)
    command.set_defaults(run=_run, usage_error=command.error)
    return command


def _programs(template: str) -> Programs:
    try:
        return Programs(template)
    except ValueError as error:
        raise argparse.ArgumentTypeError(
            f"expected a program and its arguments, found {template!r}: {error}"
        ) from None


def _run(options: argparse.Namespace) -> bool:
    if options.list_devices:
        for device in microphone.list_devices():
            if options.json:
                print(output.json_line(dataclasses.asdict(device)))
                continue
            mark = "*" if device.is_default else " "
            print(f"{mark} {device.number:3}  {escape(device.name)}, {device.sample_rate} Hz")
        return True
    if (options.rate or options.format) and options.source is None:
        options.usage_error("--rate and --format need the argument -")
    if options.device is not None and options.source is not None:
        options.usage_error("--device and - exclude each other")
    recognizer = Recognizer(options.model)
    folder: Path | None = options.save_detections
    saved = SavedDetections(folder, recognizer.window_seconds) if folder is not None else None
    if options.source is None:
        device = microphone.find_device(options.device)
        with microphone.Microphone(device) as recorder:
            _listen(recognizer, recorder, escape(device.name), saved, options)
    else:
        _listen(recognizer, _piped_sound(options), STANDARD_INPUT, saved, options)
    return True


def _piped_sound(options: argparse.Namespace) -> PipedSound:
    sound = StandardInput().open_sound(options.rate, options.format or "s16le")
    if sound is None:
        raise AudioError(
            f"{STANDARD_INPUT}: expected raw samples, or WAV with PCM of 8, 16, 24 or 32 bits or "
            "floats, found WAV with another encoding"
        )
    return sound


def _listen(
    recognizer: Recognizer,
    sound: _LiveSound,
    name: str,
    saved: SavedDetections | None,
    options: argparse.Namespace,
) -> None:
    """Print detections until the sound ends."""
    meter = _Meter(sound)
    programs: Programs | None = options.exec
    if programs is not None:
        programs.write_to_stderr = options.json  # stdout is for JSON only

    def blocks() -> Iterator[npt.NDArray[Any]]:
        for block in sound.blocks():
            yield block
            if programs is not None:
                programs.check()
            meter.update(block)

    with (
        recognizer.stream(sound.sample_rate, threshold=options.threshold) as stream,
        contextlib.closing(meter),
        programs or contextlib.nullcontext(),
    ):
        pieces = saved.remember(blocks(), sound.sample_rate) if saved else blocks()
        for detection in detect(stream, pieces, name):
            record = output.detection_record(detection)
            line = output.json_line(record) if options.json else output.detection_line(detection)
            print_result(line)
            flush_output()
            if programs is not None:
                programs.run(detection)
            if saved is not None:
                saved.save(detection)


class _Meter:
    """Shows the time, the level and how often sound was lost."""

    def __init__(self, sound: _LiveSound) -> None:
        self._sound = sound
        self._status = StatusLine()
        self._frames = 0

    def update(self, block: npt.NDArray[Any]) -> None:
        """Count a block of samples, and show its level."""
        self._frames += len(block)
        if not self._status.due():
            return
        time = output.clock(self._frames / self._sound.sample_rate)
        lost = f"  lost sound {self._overflows} times" if self._overflows else ""
        self._status.draw(f"{time} {level_text(block)}{lost}")

    def close(self) -> None:
        """Remove the line, and report lost sound."""
        self._status.hide()
        if self._overflows:
            complain(f"lost sound {self._overflows} times, as it was not read in time")

    @property
    def _overflows(self) -> int:
        return getattr(self._sound, "overflows", 0)  # a pipe has none
