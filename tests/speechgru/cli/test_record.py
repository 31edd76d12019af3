"""`speechgru record`: takes from a microphone whose sound a test decides, and from files."""

import io
import itertools
import os
import re
import subprocess
import sys
import time

import numpy as np
import pytest
import soundfile

from speechgru import audio
from speechgru.audio import microphone
from speechgru.cli import main
from speechgru.cli.interruption import INTERRUPTED
from tests.speechgru.audio.fake_sounddevice import FakeSoundDevice, PortAudioError
from tests.speechgru.audio.words import RATE, in_room, noise, word
from tests.speechgru.cli.commands import COMMAND, in_terminal, linux

GOOD = in_room([(1.0, word())])
QUIET = noise(1)
PROMPTED = "speak now"


class FakeMicrophone:
    """Delivers another sound after each `discard`, and then the noise of the room."""

    sample_rate = RATE

    def __init__(self, device, sounds, overflows):
        self.device = device
        self.overflows = 0
        self._sounds = iter(sounds)
        self._overflows = iter(overflows)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        pass

    def discard(self):
        self._sound = next(self._sounds, QUIET)
        self.overflows = next(self._overflows, 0)

    def blocks(self):
        block = RATE // 20
        for number in itertools.count():
            piece = self._sound[number * block : (number + 1) * block]
            rest = noise((block - len(piece)) / RATE, seed=number)
            yield np.concatenate([piece, rest])[:, np.newaxis]


class Keys(io.StringIO):
    """A terminal at which a user types."""

    def isatty(self):
        return True


@pytest.fixture
def sounddevice(monkeypatch):
    module = FakeSoundDevice()
    monkeypatch.setitem(sys.modules, "sounddevice", module)
    return module


@pytest.fixture
def record(sounddevice, monkeypatch, tmp_path, capfd):
    """Record what a microphone delivers: the exit code, the files, stdout and stderr."""

    def run(sounds, *arguments, keys=None, overflows=()):
        monkeypatch.setattr(
            microphone, "Microphone", lambda device: FakeMicrophone(device, sounds, overflows)
        )
        monkeypatch.setattr(sys, "stdin", io.StringIO() if keys is None else keys)
        code = main(["record", *arguments, "--out", str(tmp_path), "--speaker", "anna"])
        files = sorted(path.relative_to(tmp_path).as_posix() for path in tmp_path.rglob("*.wav"))
        return code, files, *capfd.readouterr()

    return run


def test_each_word_is_prompted_recorded_played_and_saved(record, sounddevice, tmp_path):
    code, files, output, errors = record([GOOD] * 4, "lights on", "stop", "--takes", "2")
    names = [f"{name}/anna_nohash_{take}.wav" for name in ("lights on", "stop") for take in (0, 1)]
    assert (code, files) == (0, names)
    assert output.splitlines() == [
        f"2 takes of lights on: {tmp_path}/lights on/anna_nohash_0.wav to anna_nohash_1.wav",
        f"2 takes of stop: {tmp_path}/stop/anna_nohash_0.wav to anna_nohash_1.wav",
    ]
    assert [line for line in errors.splitlines() if PROMPTED in line] == [
        f"{name}, take {take} of 2: speak now" for name in ("lights on", "stop") for take in (1, 2)
    ]
    assert len(sounddevice.played) == 4
    finding = pytest.importorskip("training.clips.finding", reason="needs training/")
    assert {(clip.word, clip.speaker) for clip in finding.find_clips(tmp_path)} == {
        ("lights on", "anna"),
        ("stop", "anna"),
    }


def test_a_take_is_the_word_with_the_quiet_around_it(record, tmp_path):
    record([GOOD], "stop", "--takes", "1")
    sound, rate = soundfile.read(tmp_path / "stop" / "anna_nohash_0.wav")
    assert rate == RATE
    assert len(sound) == pytest.approx(1.2 * RATE, abs=0.1 * RATE)
    at = round((1.0 - 0.3) * RATE)  # where the margin begins in what was heard
    shifts = [np.abs(GOOD[at + s : at + s + 9600] - sound[:9600]).max() for s in range(-800, 800)]
    assert min(shifts) < 1e-4


@pytest.mark.parametrize(
    ("sound", "reason"),
    [
        (QUIET, "nothing was louder than the room"),
        (np.zeros(5 * RATE, np.float32), "nothing was louder than the room"),
        (np.clip(in_room([(1.0, 50 * word())]), -1, 1), "too loud: the sound is clipped"),
        (in_room([(1.0, word(4.0))]), "it had not ended after 2 s; --seconds S gives more time"),
        (in_room([(0.25, word(1.0))]), "it began before the prompt"),
    ],
)
def test_a_take_that_cannot_be_used_is_recorded_again(sound, reason, record):
    code, files, _, errors = record([sound, GOOD], "stop", "--takes", "1", "--seconds", "2")
    assert (code, files) == (0, ["stop/anna_nohash_0.wav"])
    assert f"  {reason}. Once more:\nstop, take 1 of 1: speak now" in errors


def test_a_take_in_which_sound_was_lost_is_recorded_again(record):
    code, files, _, errors = record([GOOD, GOOD], "stop", "--takes", "1", overflows=[1, 0])
    assert (code, files) == (0, ["stop/anna_nohash_0.wav"])
    assert "  sound was lost, as the machine was too busy. Once more:" in errors


def test_a_microphone_without_sound_ends_it(record):
    code, files, output, errors = record([GOOD], "stop")
    assert (code, files) == (2, ["stop/anna_nohash_0.wav"])
    assert output.startswith("1 take of stop")
    assert errors.endswith(
        "speechgru: Built-in Mic: expected a take that can be used, found 5 in a row that cannot; "
        "--device chooses another microphone\n"
    )


def test_a_user_saves_repeats_skips_and_stops(record):
    keys = Keys("\nr\nwhat\nR\n\ns\n\nq\n")
    code, files, output, errors = record([GOOD] * 9, "a", "b", "c", "--takes", "3", keys=keys)
    assert code == 0
    assert files == ["a/anna_nohash_0.wav", "a/anna_nohash_1.wav", "b/anna_nohash_0.wav"]
    assert re.findall(r"([a-c], take \d) of 3: speak now", errors) == [
        *("a, take 1", "a, take 2", "a, take 2", "a, take 2", "a, take 3"),
        *("b, take 1", "b, take 2"),
    ]
    assert errors.count("or q? ") == 8
    assert len(output.splitlines()) == 2


def test_the_end_of_what_the_user_types_stops_it(record):
    code, files, _, _ = record([GOOD] * 3, "a", keys=Keys("\n"))
    assert (code, files) == (0, ["a/anna_nohash_0.wav"])


def test_ctrl_c_ends_it_and_saved_takes_stay(record):
    class Interrupted(Keys):
        def readline(self, *_):
            line = super().readline()
            if not line:
                raise KeyboardInterrupt
            return line

    code, files, output, errors = record([GOOD] * 3, "a", keys=Interrupted("\n"))
    assert (code, files) == (INTERRUPTED, ["a/anna_nohash_0.wav"])
    assert output.startswith("1 take of a: ")
    assert "Traceback" not in errors


def test_takes_are_not_played_where_nothing_plays(record, sounddevice):
    sounddevice.playback_failure = PortAudioError("Device unavailable", -9985)
    code, files, _, errors = record([GOOD] * 3, "a", "--takes", "3")
    assert (code, len(files)) == (0, 3)
    assert errors.count("found: Device unavailable; takes are not played\n") == 1


def test_playback_can_be_disabled(record, sounddevice):
    record([GOOD], "a", "--takes", "1", "--no-playback")
    assert sounddevice.played == []


def test_silence_is_a_second_of_the_room(record, tmp_path):
    code, files, _, errors = record([QUIET], "silence", "--takes", "1")
    assert (code, files) == (0, ["silence/anna_nohash_0.wav"])
    assert "silence, take 1 of 1: say nothing" in errors
    assert soundfile.info(tmp_path / files[0]).frames == RATE


def test_a_word_is_recorded_once_however_often_it_is_named(record):
    _, files, _, _ = record([GOOD] * 2, "lights on", " lights  on", "--takes", "1")
    assert files == ["lights on/anna_nohash_0.wav"]


def test_a_full_disk_is_one_line_that_names_the_file(record, monkeypatch):
    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("pathlib.Path.write_bytes", full)
    code, files, output, errors = record([GOOD], "a")
    assert (code, files, output) == (2, [], "")
    assert errors.endswith("a/anna_nohash_0.wav: No space left on device\n")


@pytest.mark.parametrize(
    ("change", "arguments", "message"),
    [
        (lambda module: module.devices.clear(), [], "expected a microphone, found no device"),
        (lambda module: None, ["--device", "9"], "9: expected the number or name of a device"),
        (
            lambda module: setattr(module, "failure", PortAudioError("Device unavailable", -9985)),
            [],
            "Built-in Mic: expected a device that records, found: Device unavailable",
        ),
    ],
)
def test_a_microphone_that_cannot_be_used_is_one_line(
    change, arguments, message, sounddevice, tmp_path, capfd
):
    change(sounddevice)
    assert main(["record", "a", "--out", str(tmp_path), *arguments]) == 2
    output, errors = capfd.readouterr()
    assert (output, errors.count("\n")) == ("", 1)
    assert errors.startswith(f"speechgru: {message}")


def test_no_sounddevice_is_one_line(monkeypatch, tmp_path, capfd):
    monkeypatch.setitem(sys.modules, "sounddevice", None)
    assert main(["record", "a", "--out", str(tmp_path)]) == 2
    assert "expected the Python package sounddevice, found none: pip" in capfd.readouterr().err


def cut(capfd, path, *arguments, word="stop"):
    out = path.parent / "out"
    code = main(["record", word, "--from", str(path), "--out", str(out), *arguments])
    files = sorted(file.relative_to(out).as_posix() for file in out.rglob("*.wav"))
    return code, files, *capfd.readouterr()


LONG = in_room([(1, word(0.5)), (0.8, word(0.7)), (1.5, word(0.6))])


@pytest.mark.parametrize(
    ("name", "rate", "channels"),
    [("x.wav", 16000, 1), ("x.flac", 44100, 2), ("x.ogg", 48000, 2), ("x.wav", 8000, 1)],
)
def test_a_file_of_any_format_is_cut_at_its_pauses(name, rate, channels, tmp_path, capfd):
    import soxr

    sound = np.stack([soxr.resample(LONG, RATE, rate)] * channels, axis=1)
    soundfile.write(tmp_path / name, sound, rate)
    code, files, output, errors = cut(capfd, tmp_path / name, "--speaker", "anna")
    assert (code, errors) == (0, "")
    assert files == [f"stop/anna_nohash_{take}.wav" for take in range(3)]
    folder = tmp_path / "out" / "stop"
    assert output == f"3 takes of stop: {folder}/anna_nohash_0.wav to anna_nohash_2.wav\n"
    seconds = [soundfile.info(tmp_path / "out" / file).duration for file in files]
    assert seconds == pytest.approx([1.1, 1.3, 1.2], abs=0.08)


def test_takes_of_a_second_file_go_on_with_the_numbers(tmp_path, capfd):
    soundfile.write(tmp_path / "x.wav", LONG, RATE)
    cut(capfd, tmp_path / "x.wav", "--speaker", "anna")
    _, files, output, _ = cut(capfd, tmp_path / "x.wav", "--speaker", "anna")
    assert len(files) == 6
    assert "anna_nohash_3.wav to anna_nohash_5.wav" in output


def test_pieces_that_cannot_be_used_are_named_with_their_times(tmp_path, capfd):
    clipped = np.clip(40 * word(), -1, 1)
    parts = [(1, word(level=0.3)), (1, clipped), (1, word(4.0, level=0.3)), (1, word(level=0.01))]
    soundfile.write(tmp_path / "x.wav", in_room(parts), RATE)
    code, files, output, errors = cut(capfd, tmp_path / "x.wav")
    assert (code, len(files)) == (0, 1)
    assert output.startswith("1 take of stop: ")
    lines = errors.splitlines()
    assert [line.split(": ")[1] for line in lines] == [f"{tmp_path}/x.wav"] * 3
    times = [float(line.split(": ")[2].removeprefix("0:00:")) for line in lines]
    assert times == pytest.approx([2.6, 4.2, 9.2], abs=0.06)
    reasons = ["too loud", "too long", "too faint"]
    assert [line.split(": ")[3] for line in lines] == reasons


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (None, "expected a sound file, found nothing"),
        (b"hello, this is text\n" * 20, "expected sound that libsndfile can decode"),
        (QUIET, "expected speech between pauses, found no usable take"),
    ],
)
def test_a_file_that_cannot_be_cut_is_one_line_that_names_it(content, message, tmp_path, capfd):
    path = tmp_path / "x.wav"
    if isinstance(content, bytes):
        path.write_bytes(content)
    elif content is not None:
        soundfile.write(path, content, RATE)
    code, files, output, errors = cut(capfd, path)
    assert (code, files, output, errors.count("\n")) == (2, [], "", 1)
    assert errors.startswith(f"speechgru: {path}: {message}")


def test_a_file_can_come_from_a_pipe(tmp_path):
    soundfile.write(tmp_path / "x.wav", LONG, RATE)
    done = subprocess.run(
        [*COMMAND, "record", "stop", "--from", "-", "--out", str(tmp_path / "out")],
        input=(tmp_path / "x.wav").read_bytes(),
        capture_output=True,
        timeout=60,
    )
    assert (done.returncode, done.stderr) == (0, b"")
    assert len(list((tmp_path / "out" / "stop").iterdir())) == 3


@pytest.mark.parametrize("place", ["file", "file/folder"])
def test_a_folder_that_is_a_file_is_one_line(place, tmp_path, capfd):
    (tmp_path / "file").touch()
    soundfile.write(tmp_path / "x.wav", LONG, RATE)
    out = tmp_path / place
    assert main(["record", "a", "--from", str(tmp_path / "x.wav"), "--out", str(out)]) == 2
    output, errors = capfd.readouterr()
    assert (output, errors.count("\n")) == ("", 1)
    assert errors.startswith(f"speechgru: {out}: expected a folder")


@pytest.mark.parametrize(
    "arguments",
    [
        [],
        ["a"],
        ["--out", "o"],
        ["a", "--out", ""],
        ["a", "b", "--out", "o", "--from", "x.wav"],
        ["silence", "--out", "o", "--from", "x.wav"],
        ["a", "--out", "o", "--from", "x.wav", "--takes", "3"],
        ["a", "--out", "o", "--from", "x.wav", "--device", "1"],
        ["a", "--out", "o", "--from", "x.wav", "--no-playback"],
        ["a", "--out", "o", "--takes", "0"],
        ["a", "--out", "o", "--seconds", "0"],
        ["a", "--out", "o", "--seconds", "nan"],
        ["a", "--out", "o", "--seconds", "60"],
    ],
)
def test_wrong_usage_exits_with_2(arguments, capfd):
    with pytest.raises(SystemExit) as caught:
        main(["record", *arguments])
    assert caught.value.code == 2
    assert "usage: speechgru record" in capfd.readouterr().err


@pytest.mark.parametrize("arguments", [["a/b"], ["a", ".."], ["a", "--speaker", "x/y"]])
def test_names_that_are_not_safe_are_one_line_before_anything_is_recorded(
    arguments, tmp_path, capfd
):
    out = tmp_path / "out"
    assert main(["record", *arguments, "--out", str(out)]) == 2
    assert capfd.readouterr().err.count("\n") == 1
    assert not out.exists()


def test_the_login_name_is_the_usual_speaker(tmp_path, monkeypatch, capfd):
    soundfile.write(tmp_path / "x.wav", LONG, RATE)
    monkeypatch.setattr("getpass.getuser", lambda: "CORP\\anna")
    assert cut(capfd, tmp_path / "x.wav")[1][0] == "stop/CORP_anna_nohash_0.wav"

    def nobody():
        raise OSError("No username set in the environment")

    monkeypatch.setattr("getpass.getuser", nobody)
    assert cut(capfd, tmp_path / "x.wav")[1][-1] == "stop/speaker_nohash_2.wav"


@linux
def test_a_real_microphone_and_a_terminal(sound_server, tmp_path):
    environment, _ = sound_server
    listed = subprocess.run(
        [*COMMAND, "listen", "--list-devices"], capture_output=True, text=True, env=environment
    )
    if "pulse" not in listed.stdout:
        pytest.skip("needs ALSA's plugin for PulseAudio")
    soundfile.write(tmp_path / "words.wav", in_room([(1.5, word())] * 5, level=0), RATE)
    player = subprocess.Popen(["paplay", tmp_path / "words.wav"], env=environment)
    try:
        time.sleep(0.5)
        arguments = ["--device", "pulse", "--takes", "1", "--no-playback", "--speaker", "anna"]
        code, output, shown = in_terminal(
            [*COMMAND, "record", "a", *arguments, "--out", str(tmp_path / "out")],
            stdin=subprocess.DEVNULL,
            env=environment,
        )
    finally:
        player.kill()
        player.wait()
    assert code == 0, shown
    assert b"1 take of a: " in output
    assert " dB" in shown
    for name in os.listdir(tmp_path / "out" / "a"):
        sound = audio.load(tmp_path / "out" / "a" / name)
        assert len(sound) == pytest.approx(1.2 * RATE, abs=0.15 * RATE)
