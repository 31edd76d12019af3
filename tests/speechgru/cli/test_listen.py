"""`speechgru listen`: detections of live sound, from a fake microphone and from pipes."""

import json
import re
import shutil
import signal
import subprocess
import sys
import time

import numpy as np
import pytest
import soundfile

from speechgru import audio
from speechgru.cli import main
from tests.speechgru.audio.fake_sounddevice import FakeSoundDevice, PortAudioError, blocks_of
from tests.speechgru.cli.commands import COMMAND, in_terminal, linux, shell

WORDS = ["yes", "stop", "go"]
UNPLUGGED = "expected a device that records, found that it has stopped; it may have been unplugged"


@pytest.fixture
def sounddevice(monkeypatch, three_words):
    module = FakeSoundDevice()
    module.blocks = list(blocks_of(np.repeat(three_words, 3)))  # 48 kHz
    monkeypatch.setitem(sys.modules, "sounddevice", module)
    return module


def test_words_come_from_the_microphone_until_it_is_unplugged(sounddevice, capfd):
    assert main(["listen"]) == 2
    output, errors = capfd.readouterr()
    assert [line.split()[1] for line in output.splitlines()] == WORDS
    assert output.startswith("0:00:01.")
    assert errors == f"speechgru: Built-in Mic: {UNPLUGGED}\n"


def test_json_is_one_object_a_line(sounddevice, capfd):
    assert main(["listen", "--json", "--device", "usb", "--threshold", "0.6"]) == 2
    records = [json.loads(line) for line in capfd.readouterr().out.splitlines()]
    assert [record["label"] for record in records] == WORDS
    assert [list(record) for record in records] == [["label", "time", "confidence"]] * 3


def test_devices_are_listed(sounddevice, capfd):
    assert main(["listen", "--list-devices"]) == 0
    assert capfd.readouterr().out == "*   1  Built-in Mic, 48000 Hz\n    2  USB Mic, 48000 Hz\n"
    assert main(["listen", "--list-devices", "--json"]) == 0
    devices = [json.loads(line) for line in capfd.readouterr().out.splitlines()]
    assert [(device["number"], device["is_default"]) for device in devices] == [
        (1, True),
        (2, False),
    ]


def test_lost_sound_is_counted_and_reported(sounddevice, capfd):
    sounddevice.blocks = [
        (block, number < 7) for number, (block, _) in enumerate(sounddevice.blocks)
    ]
    assert main(["listen"]) == 2
    errors = capfd.readouterr().err.splitlines()
    assert errors[0] == "speechgru: lost sound 7 times, as it was not read in time"
    assert len(errors) == 2


@pytest.mark.parametrize(
    ("change", "arguments", "message"),
    [
        (lambda module: module.devices.clear(), [], "expected a microphone, found no device"),
        (
            lambda module: module.devices.clear(),
            ["--list-devices"],
            "expected a microphone, found no device",
        ),
        (lambda module: None, ["--device", "9"], "9: expected the number or name of a device"),
        (lambda module: None, ["--device", ""], "'': expected the number or name of a device"),
        (
            lambda module: setattr(module, "failure", PortAudioError("Device unavailable", -9985)),
            [],
            "Built-in Mic: expected a device that records, found: Device unavailable",
        ),
    ],
)
def test_a_microphone_that_cannot_be_used_is_one_line(
    change, arguments, message, sounddevice, capfd
):
    change(sounddevice)
    assert main(["listen", *arguments]) == 2
    output, errors = capfd.readouterr()
    assert (output, errors.count("\n")) == ("", 1)
    assert errors.startswith(f"speechgru: {message}")


def test_no_sounddevice_is_one_line(monkeypatch, capfd):
    monkeypatch.setitem(sys.modules, "sounddevice", None)
    for arguments in ([], ["--list-devices"]):
        assert main(["listen", *arguments]) == 2
        errors = capfd.readouterr().err
        assert "expected the Python package sounddevice, found none: pip install" in errors
        assert errors.count("\n") == 1


@pytest.mark.parametrize(
    "arguments",
    [
        ["x"],
        ["--device", "1", "-"],
        ["--rate", "8000"],
        ["--format", "s16le"],
        ["--exec", ""],
        ["--exec", "'"],
        ["--threshold", "2"],
    ],
)
def test_wrong_usage_exits_with_2(arguments, sounddevice, capfd):
    with pytest.raises(SystemExit) as caught:
        main(["listen", *arguments])
    assert caught.value.code == 2
    assert "usage: speechgru listen" in capfd.readouterr().err


def listen(data, *arguments):
    done = subprocess.run(
        [*COMMAND, "listen", "--json", *arguments, "-"], input=data, capture_output=True, timeout=60
    )
    records = [json.loads(line) for line in done.stdout.splitlines()]
    return done.returncode, [record["label"] for record in records], done.stderr.decode()


def test_raw_samples_are_16_bit_at_16_khz_unless_stated(three_words):
    assert listen((three_words * 32767).astype("<i2").tobytes()) == (0, WORDS, "")
    half = audio.load(np.repeat(three_words, 2), 32000)
    floats = np.repeat(half, 3).astype("<f4").tobytes()
    assert listen(floats, "--rate", "48000", "--format", "f32le") == (0, WORDS, "")


@pytest.mark.parametrize(
    ("data", "arguments", "message"),
    [
        (b"\xff" * 999, ["--format", "f32le"], "expected finite samples, found NaN"),
        (b"\x7f" * 999, ["--format", "f32le"], "expected samples in [-1, 1], found a peak of"),
        (b"RIFF\0\0\0\0WAVEfmt ", [], "expected a WAV header, found only its beginning"),
        (b"", ["--rate", "200000"], "expected a sample rate of 4000 to 192000 Hz"),
    ],
)
def test_bad_samples_are_one_line(data, arguments, message):
    code, words, errors = listen(data, *arguments)
    assert (code, words, errors.count("\n")) == (2, [], 1)
    assert errors.startswith(f"speechgru: <stdin>: {message}")


def test_a_wav_stream_in_another_encoding_is_one_line(samples):
    code, words, errors = listen((samples / "go-festival-kal-8k-alaw.wav").read_bytes())
    assert (code, words) == (2, [])
    assert errors.startswith("speechgru: <stdin>: expected raw samples, or WAV with PCM")


def test_a_detection_is_printed_as_soon_as_it_is_known(three_words):
    pcm = (three_words * 32767).astype("<i2").tobytes()
    end = pcm.index(bytes(12000), 64000)  # the quiet after the first word
    with subprocess.Popen(
        [*COMMAND, "listen", "-"], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as process:
        process.stdin.write(pcm[: end + 28000])
        process.stdin.flush()
        assert process.stdout.readline().split()[1] == b"yes"  # while the pipe is open
        output, _ = process.communicate(pcm[end + 28000 :])
    assert [line.split()[1] for line in output.splitlines()] == [b"stop", b"go"]


@linux
@pytest.mark.parametrize("pause", [0, 1])
def test_ctrl_c_exits_with_130_and_no_traceback(pause):
    with subprocess.Popen(
        [*COMMAND, "listen", "-"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    ) as process:
        process.stdin.write(bytes(64000))
        process.stdin.flush()
        time.sleep(2 + pause)
        process.send_signal(signal.SIGINT)
        output, errors = process.communicate(timeout=30)
    assert (process.returncode, output, errors) == (130, b"", b"")


@linux
def test_a_reader_that_goes_away_ends_it_quietly(recording):
    done = shell(
        f"for i in 1 2 3 4 5; do tail -c +45 '{recording}'; done | "
        '{ "$@"; echo code $? >&2; } | head -n 1',
        "listen",
        "-",
    )
    assert done.stdout.split()[1] == "yes"
    assert done.stderr == "code 0\n"


@linux
@pytest.mark.skipif(shutil.which("ffmpeg") is None, reason="needs ffmpeg")
@pytest.mark.parametrize(
    "options", ["-f s16le -ar 16000 -ac 1", "-f wav", "-f wav -ar 44100 -ac 2 -c:a pcm_f32le"]
)
def test_the_output_of_ffmpeg_can_be_piped(options, recording):
    done = shell(f"ffmpeg -v error -i '{recording}' {options} - | \"$@\"", "listen", "-")
    assert [line.split()[1] for line in done.stdout.splitlines()] == WORDS
    assert (done.returncode, done.stderr) == (0, "")


def test_a_program_runs_at_each_detection(sounddevice, capfd):
    program = f"{sys.executable} -c 'import sys; print(sys.argv[1:])'"
    assert main(["listen", "--exec", f"{program} {{label}} 'at {{time}}'"]) == 2
    printed = [line for line in capfd.readouterr().out.splitlines() if line.startswith("[")]
    assert sorted(line[2:6].strip("',") for line in printed) == ["go", "stop", "yes"]
    assert all("', 'at " in line for line in printed)


def test_a_program_that_is_not_there_is_a_line(sounddevice, capfd):
    assert main(["listen", "--exec", "/nowhere {label}"]) == 2
    output, errors = capfd.readouterr()
    assert [line.split()[1] for line in output.splitlines()] == WORDS
    assert errors.count("speechgru: /nowhere: No such file or directory\n") == 3


def test_the_failure_of_a_program_is_reported_when_the_sound_ends(three_words):
    pcm = (three_words * 32767).astype("<i2").tobytes()
    code, words, errors = listen(pcm, "--exec", "false {label}")
    assert (code, words) == (0, WORDS)
    assert errors == "speechgru: false: ended with exit code 1\n" * 3


@linux
def test_a_terminal_shows_time_and_level_and_words_stand_on_lines_of_their_own(recording):
    with open(recording, "rb") as file:
        code, _, shown = in_terminal([*COMMAND, "listen", "-"], stdin=file, stdout=True)
    assert code == 0
    assert " dB" in shown
    for line, word in zip(shown.split("\r\n"), WORDS, strict=False):
        assert line.rpartition("\r")[2].split()[1] == word


@linux
def test_a_real_microphone_is_heard_and_unplugged(sound_server, recording):
    environment, server = sound_server
    listed = subprocess.run(
        [*COMMAND, "listen", "--list-devices"], capture_output=True, text=True, env=environment
    )
    if "pulse" not in listed.stdout:
        pytest.skip("needs ALSA's plugin for PulseAudio")
    with subprocess.Popen(
        [*COMMAND, "listen", "--threshold", "0.3", "--device", "pulse"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=environment,
    ) as process:
        time.sleep(2)
        subprocess.run(["paplay", recording], check=True, env=environment, timeout=60)
        time.sleep(2)
        server.kill()
        output, errors = process.communicate(timeout=30)
    assert [line.split()[1] for line in output.splitlines()] == WORDS
    assert (process.returncode, errors) == (2, f"speechgru: pulse: {UNPLUGGED}\n")


@linux
@pytest.mark.skipif(shutil.which("arecord") is None, reason="needs arecord")
def test_the_output_of_arecord_can_be_piped(sound_server, recording):
    environment, _ = sound_server
    script = (
        'arecord -q -D pulse -f S16_LE -r 16000 -t raw -d 9 | "$@" & '
        f"sleep 2; paplay '{recording}'; wait"
    )
    done = subprocess.run(
        ["bash", "-c", script, "bash", *COMMAND, "listen", "--threshold", "0.3", "-"],
        capture_output=True,
        text=True,
        env=environment,
        timeout=60,
    )
    if "audio open error" in done.stderr:
        pytest.skip("needs ALSA's plugin for PulseAudio")
    assert [line.split()[1] for line in done.stdout.splitlines()] == WORDS


def test_the_output_of_programs_is_not_between_lines_of_json(three_words):
    pcm = (three_words * 32767).astype("<i2").tobytes()
    code, words, errors = listen(pcm, "--exec", "echo {label}")
    assert (code, words, sorted(errors.split())) == (0, WORDS, sorted(WORDS))


def test_no_sound_in_a_pipe_is_one_line():
    message = "speechgru: <stdin>: expected sound, found no samples\n"
    assert listen(b"") == listen(b"\0") == (2, [], message)


def test_the_sound_before_each_detection_is_saved(sounddevice, tmp_path, capfd):
    out = tmp_path / "alarms" / "monday"
    assert main(["listen", "--save-detections", str(out)]) == 2
    names = sorted(path.relative_to(out).as_posix() for path in out.rglob("*.wav"))
    assert [name.split("/")[0] for name in names] == sorted(WORDS)
    printed = dict(line.split()[1:3] for line in capfd.readouterr().out.splitlines())
    for name in names:
        label, file = name.split("/")
        assert re.fullmatch(rf"\d{{8}}-\d{{6}}-\d{{3}}_{printed[label]}\.wav", file)
        info = soundfile.info(out / name)
        assert (info.samplerate, info.channels, info.subtype) == (16000, 1, "PCM_16")
        assert info.frames <= 2 * 16000  # the window of the model and a second
        assert main(["detect", str(out / name), "--threshold", "0.1"]) == 0
        assert f"  {label} " in capfd.readouterr().out


def test_a_full_disk_is_one_line_and_listening_goes_on(sounddevice, monkeypatch, tmp_path, capfd):
    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("pathlib.Path.write_bytes", full)
    assert main(["listen", "--save-detections", str(tmp_path)]) == 2
    output, errors = capfd.readouterr()
    assert [line.split()[1] for line in output.splitlines()] == WORDS
    first, last = errors.splitlines()
    assert first.startswith(f"speechgru: {tmp_path}/yes/")
    assert first.endswith("No space left on device; not every detection is saved")
    assert last == f"speechgru: Built-in Mic: {UNPLUGGED}"
    assert list(tmp_path.rglob("*.wav")) == []


def test_a_folder_that_cannot_be_written_is_one_line_before_anything_is_heard(
    sounddevice, tmp_path, capfd
):
    (tmp_path / "file").touch()
    assert main(["listen", "--save-detections", str(tmp_path / "file")]) == 2
    output, errors = capfd.readouterr()
    assert output == ""
    assert errors == f"speechgru: {tmp_path}/file: expected a folder or nothing, found a file\n"
