"""`speechgru record`: takes of words to train with, from the microphone or from a recording."""

import argparse
import getpass
import math
from typing import Any

from speechgru import audio
from speechgru.audio import microphone, takes, wav_files
from speechgru.audio.take_folder import TakeFolder, default_speaker
from speechgru.cli import arguments, output
from speechgru.cli.recording_session import RecordingSession
from speechgru.cli.sources import STANDARD_INPUT, StandardInput
from speechgru.cli.standard_streams import complain, print_result
from speechgru.cli.status_line import StatusLine, bar
from speechgru.detection import SILENCE
from speechgru.errors import SpeechGRUError, escape

_TAKES = 10
_SECONDS, _LEAST_SECONDS, _MOST_SECONDS = 3.0, 0.5, 5.0


def add_command(commands: Any) -> argparse.ArgumentParser:
    """Add the command and its arguments to the parser."""
    command: argparse.ArgumentParser = commands.add_parser(
        "record",
        help="record words to train with, or cut them out of a recording",
        description="Record takes of words from the microphone, or cut them out of a recording. "
        "They are saved as OUT/WORD/SPEAKER_nohash_NUMBER.wav, the layout that training reads.",
    )
    command.add_argument("words", nargs="+", metavar="WORD", help='word or phrase: "lights on"')
    command.add_argument(
        "--out",
        type=arguments.folder,
        required=True,
        metavar="DIR",
        help="folder of the words' folders",
    )
    command.add_argument(
        "--from",
        dest="source",
        metavar="FILE",
        help="cut takes of one WORD out of a recording, at its pauses; -: standard input",
    )
    command.add_argument("--speaker", metavar="NAME", help="who speaks (default: the login name)")
    command.add_argument(
        "--seconds",
        type=_seconds,
        default=_SECONDS,
        metavar="S",
        help="longest take in seconds (default: %(default)g)",
    )
    command.add_argument(
        "--takes",
        type=arguments.positive,
        metavar="N",
        help=f"takes of each word (default: {_TAKES})",
    )
    arguments.add_device(command)
    command.add_argument(
        "--no-playback",
        dest="playback",
        action="store_false",
        help="do not play the takes after they are recorded",
    )
    command.set_defaults(run=_run, usage_error=command.error)
    return command


def _seconds(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not _LEAST_SECONDS <= value <= _MOST_SECONDS:
        raise argparse.ArgumentTypeError(
            f"expected seconds from {_LEAST_SECONDS:g} to {_MOST_SECONDS:g}, found {text!r}"
        )
    return value


def _run(options: argparse.Namespace) -> bool:
    if options.source is not None:
        _check_usage_with_file(options)
    speaker = _login() if options.speaker is None else options.speaker
    folders = {
        folder.word: folder
        for folder in (TakeFolder(options.out, word, speaker) for word in options.words)
    }
    if options.source is not None:
        _cut(options.source, next(iter(folders.values())), options)
        return True
    device = microphone.find_device(options.device)
    wav_files.make_folder(options.out)
    with microphone.Microphone(device) as recorder:
        session = RecordingSession(recorder, options.seconds, playback=options.playback)
        session.record(list(folders.values()), options.takes or _TAKES)
    return True


def _check_usage_with_file(options: argparse.Namespace) -> None:
    if len(options.words) > 1:
        options.usage_error(f"--from needs one word, found {len(options.words)}")
    if options.words[0].casefold() == SILENCE:
        options.usage_error("--from finds no silence; put the recording into _background_noise_")
    if options.takes is not None or options.device is not None or not options.playback:
        options.usage_error("--takes, --device and --no-playback exclude --from")


def _login() -> str:
    try:
        return default_speaker(getpass.getuser())
    except (OSError, KeyError, ImportError):  # a user without a name, as in a container
        return "speaker"


def _cut(source: str, folder: TakeFolder, options: argparse.Namespace) -> None:
    """Cut the takes of one word out of a recording."""
    samples = audio.load(StandardInput() if source == "-" else source)
    name = STANDARD_INPUT if source == "-" else escape(source)
    wav_files.make_folder(options.out)
    usable = []
    for take in takes.find_takes(samples, options.seconds):
        if take.problem is None:
            usable.append(take)
        else:
            complain(f"{name}: {output.clock(take.start, 2)}: {take.problem}")
    if not usable:
        raise SpeechGRUError(f"{name}: expected speech between pauses, found no usable take")
    status = StatusLine()
    try:
        for number, take in enumerate(usable):
            if status.due():
                status.draw(f"{bar(number / len(usable))} take {number} of {len(usable)}")
            folder.save(take.samples)
    finally:  # what is saved stays, also after Ctrl-C or on a full disk
        status.hide()
        if folder.saved:
            print_result(folder.summary())
