"""`speechgru detect`: detections of files and pipes as a table, JSON, CSV and a label track."""

import csv
import io
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import soundfile

from speechgru import Recognizer
from speechgru.cli import main
from tests.speechgru.cli.commands import COMMAND, in_terminal, linux

WORDS = ["yes", "stop", "go"]


def test_each_detection_is_a_line_with_its_time(recording, capfd):
    assert main(["detect", recording]) == 0
    output, errors = capfd.readouterr()
    expected = [
        f"{recording}  0:00:{found.time:05.2f}  {found.label} {found.confidence:.3f}"
        for found in Recognizer().detect(recording)
    ]
    assert [line.split()[-2] for line in expected] == WORDS
    assert (output.splitlines(), errors) == (expected, "")


def test_json_has_one_object_a_line(recording, capfd):
    assert main(["detect", "--json", recording]) == 0
    records = [json.loads(line) for line in capfd.readouterr().out.splitlines()]
    assert [list(record) for record in records] == [["file", "label", "time", "confidence"]] * 3
    assert [record["label"] for record in records] == WORDS
    assert {record["file"] for record in records} == {recording}
    found = Recognizer().detect(recording)
    assert [record["time"] for record in records] == [round(one.time, 3) for one in found]


def test_csv_has_a_header_and_survives_any_name(recording, tmp_path, capfd):
    path = tmp_path / 'a, "b"\n.wav'
    shutil.copyfile(recording, path)
    assert main(["detect", "--csv", str(path)]) == 0
    text = capfd.readouterr().out
    rows = list(csv.reader(io.StringIO(text)))
    assert rows[0] == ["file", "label", "time", "confidence"]
    assert [row[1] for row in rows[1:]] == WORDS
    assert rows[1][0] == str(tmp_path / r'a, "b"\n.wav')
    assert len(text.splitlines()) == 4


def test_labels_are_a_track_of_regions_that_end_with_the_words(recording, tmp_path, capfd):
    path = tmp_path / "labels.txt"
    path.write_text("old")
    assert main(["detect", "--labels", str(path), recording]) == 0
    assert len(capfd.readouterr().out.splitlines()) == 3
    rows = [line.split("\t") for line in path.read_text().splitlines()]
    assert [row[2] for row in rows] == WORDS
    for (start, end, _), found in zip(rows, Recognizer().detect(recording), strict=True):
        assert float(end) == pytest.approx(found.time)
        assert 0 <= float(start) < float(end)


def test_labels_stay_as_they_were_if_the_recording_is_bad(tmp_path, capfd):
    (tmp_path / "bad.wav").write_text("no sound")
    path = tmp_path / "labels.txt"
    path.write_text("old")
    assert main(["detect", "--labels", str(path), str(tmp_path / "bad.wav")]) == 2
    assert path.read_text() == "old"
    assert sorted(os.listdir(tmp_path)) == ["bad.wav", "labels.txt"]
    assert main(["detect", "--labels", str(tmp_path / "no" / "labels.txt"), "x.wav"]) == 2
    assert str(tmp_path / "no" / "labels.txt") in capfd.readouterr().err


def test_a_threshold_of_one_detects_nothing_and_a_low_one_more(recording, capfd):
    assert main(["detect", "--threshold", "1", recording]) == 0
    assert capfd.readouterr().out == ""
    assert main(["detect", "--threshold", "0.05", recording]) == 0
    assert len(capfd.readouterr().out.splitlines()) >= 3


def test_bad_files_do_not_stop_the_others(recording, tmp_path, capfd):
    (tmp_path / "bad.wav").write_text("no sound")
    missing = str(tmp_path / "missing.wav")
    assert main(["detect", str(tmp_path), missing, recording, missing]) == 2
    output, errors = capfd.readouterr()
    assert [line.split()[-2] for line in output.splitlines()] == WORDS
    assert len(errors.splitlines()) == 3
    assert "bad.wav: expected" in errors
    assert errors.count(missing) == 2


@pytest.mark.parametrize(
    "arguments",
    [
        ["--threshold", "0", "a.wav"],
        ["--threshold", "1.1", "a.wav"],
        ["--threshold", "nan", "a.wav"],
        ["--json", "--csv", "a.wav"],
        ["--labels", "x.txt", "a.wav", "b.wav"],
        ["--rate", "8000", "a.wav"],
        ["--format", "s16le", "a.wav"],
        ["--format", "u8", "-"],
        ["--rate", "0", "-"],
        ["--save-detections", "", "a.wav"],
    ],
)
def test_wrong_usage_exits_with_2(arguments, capfd):
    with pytest.raises(SystemExit) as caught:
        main(["detect", *arguments])
    assert caught.value.code == 2
    assert "usage: speechgru detect" in capfd.readouterr().err


def detect(data, *arguments):
    done = subprocess.run(
        [*COMMAND, "detect", "--json", *arguments, "-"], input=data, capture_output=True, timeout=60
    )
    records = [json.loads(line) for line in done.stdout.splitlines()]
    return done.returncode, [record["label"] for record in records], done.stderr.decode()


@pytest.mark.parametrize(
    ("form", "subtype"),
    [("WAV", "PCM_16"), ("WAV", "PCM_24"), ("WAV", "ALAW"), ("RF64", "FLOAT"), ("FLAC", "PCM_16")],
)
def test_standard_input_has_a_header(form, subtype, three_words):
    file = io.BytesIO()
    soundfile.write(file, np.stack([three_words] * 2, 1), 16000, format=form, subtype=subtype)
    assert detect(file.getvalue()) == (0, WORDS, "")


def test_standard_input_is_raw_if_its_rate_or_format_is_stated(three_words):
    pcm = (three_words * 32767).astype("<i2").tobytes()
    floats = np.repeat(three_words, 2).astype("<f4").tobytes()
    assert detect(pcm, "--rate", "16000") == (0, WORDS, "")
    assert detect(pcm, "--format", "s16le") == (0, WORDS, "")
    assert detect(floats, "--format", "f32le", "--rate", "32000") == (0, WORDS, "")


@pytest.mark.parametrize(
    ("data", "arguments", "message"),
    [
        (b"", [], "expected encoded sound, found no bytes"),
        (b"", ["--rate", "8000"], "expected sound, found no samples"),
        (b"\1" * 999, [], "expected sound that libsndfile can decode"),
        (b"\1" * 999, ["--rate", "3000"], "expected a sample rate of 4000 to 192000 Hz"),
        (b"\xff" * 999, ["--format", "f32le"], "expected finite samples, found NaN"),
        (b"RIFF\0\0\0\0WAVEfmt ", [], "expected a WAV header, found only its beginning"),
    ],
)
def test_bad_standard_input_is_one_line(data, arguments, message):
    code, words, errors = detect(data, *arguments)
    assert (code, words, errors.count("\n")) == (2, [], 1)
    assert errors.startswith(f"speechgru: <stdin>: {message}")


def test_a_wav_stream_with_another_rate_than_the_stated_one_is_an_error(recording):
    with open(recording, "rb") as file:
        code, words, errors = detect(file.read(), "--rate", "8000")
    assert (code, words) == (2, [])
    assert errors == "speechgru: <stdin>: expected a sample rate of 8000 Hz, found 16000 Hz\n"


@linux
def test_a_terminal_shows_the_time_of_the_audio(tmp_path):
    soundfile.write(tmp_path / "long.wav", np.zeros(16000 * 120), 16000)
    code, output, shown = in_terminal([*COMMAND, "detect", str(tmp_path / "long.wav")])
    assert (code, output) == (0, b"")
    assert " of 0:02:00 (" in shown
    assert shown.endswith("\r")
    assert "\n" not in shown


@linux
def test_memory_does_not_grow_with_the_recording(tmp_path):
    """A reader that held the samples would need 230 MB for each hour."""
    path = tmp_path / "long.wav"
    with soundfile.SoundFile(path, "w", 16000, 1, "PCM_16") as file:
        for _ in range(60):
            file.write(np.zeros(16000 * 30, np.int16))
    code = "import resource, sys; from speechgru.cli import main; main(sys.argv[1:]);"
    code += "print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024)"
    command = [sys.executable, "-c", code, "detect"]
    short, long = (
        int(subprocess.run([*command, name], capture_output=True, check=True).stdout)
        for name in (str(tmp_path / "none.wav"), str(path))
    )
    assert long < short + 30


def test_a_label_track_does_not_replace_a_recording(recording, tmp_path, capfd):
    copy = tmp_path / "copy.wav"
    shutil.copyfile(recording, copy)
    for name in (str(copy), recording):
        assert main(["detect", name, "--labels", str(copy)]) == 2
        output, errors = capfd.readouterr()
        assert output == ""
        assert errors.startswith(f"speechgru: {copy}: expected a text file or none, found")
    assert copy.read_bytes() == Path(recording).read_bytes()


def test_the_sound_before_each_detection_is_saved_by_file_and_time(recording, yes, tmp_path, capfd):
    out = tmp_path / "alarms"
    assert main(["detect", recording, yes, "--csv", "--save-detections", str(out)]) == 0
    rows = list(csv.reader(capfd.readouterr().out.splitlines()))[1:]
    assert [row[1] for row in rows] == ["yes", "stop", "go", "yes"]
    expected = [
        f"{label}/{Path(file).stem}_{float(time):.2f}_{float(confidence):.3f}.wav"
        for file, label, time, confidence in rows
    ]
    assert sorted(p.relative_to(out).as_posix() for p in out.rglob("*") if p.is_file()) == sorted(
        expected
    )


def test_detections_are_the_same_where_their_sound_is_saved(recording, samples, tmp_path, capfd):
    files = [recording, *map(str, sorted(samples.glob("*-stereo.wav")))]
    assert main(["detect", *files]) == 0
    expected = capfd.readouterr().out
    assert main(["detect", *files, "--save-detections", str(tmp_path)]) == 0
    assert capfd.readouterr().out == expected


def test_a_file_that_cannot_be_read_is_one_line_where_detections_are_saved(yes, tmp_path, capfd):
    (tmp_path / "bad.wav").write_bytes(b"no sound")
    out = tmp_path / "out"
    bad = str(tmp_path / "bad.wav")
    assert main(["detect", bad, "nothing.wav", yes, "--save-detections", str(out)]) == 2
    output, errors = capfd.readouterr()
    assert output.split()[-2] == "yes"
    assert [line.split(": ")[1] for line in errors.splitlines()] == [bad, "nothing.wav"]
