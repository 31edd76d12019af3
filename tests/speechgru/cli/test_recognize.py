"""`speechgru recognize`: output and messages for each file."""

import io
import json

import numpy as np
import pytest
import soundfile

from speechgru.cli import main
from tests.speechgru.cli.commands import linux, shell


def test_each_file_gets_a_line(yes, stop, capfd):
    assert main(["recognize", yes, stop]) == 0
    output, errors = capfd.readouterr()
    first, second = output.splitlines()
    assert first.split()[:2] == [yes, "yes"]
    assert second.split()[:2] == [stop, "stop"]
    assert 0 < float(first.split()[2]) <= 1
    assert errors == ""


def test_json_is_one_object_a_line(yes, capfd):
    assert main(["recognize", "--json", yes]) == 0
    record = json.loads(capfd.readouterr().out)
    assert list(record) == ["file", "label", "confidence", "scores"]
    assert (record["file"], record["label"]) == (yes, "yes")
    assert record["confidence"] == max(record["scores"].values())
    assert sum(record["scores"].values()) == pytest.approx(1, abs=1e-4)


def test_top_prints_more_labels(yes, capfd):
    assert main(["recognize", "--top", "3", yes]) == 0
    assert len(capfd.readouterr().out.split()) == 1 + 2 * 3


def test_a_bad_file_between_good_ones_is_reported_and_the_rest_answered(yes, stop, tmp_path, capfd):
    bad = tmp_path / "bad.wav"
    bad.write_text("not a sound")
    missing = str(tmp_path / "missing.wav")
    assert main(["recognize", yes, str(bad), missing, stop]) == 2
    output, errors = capfd.readouterr()
    assert [line.split()[1] for line in output.splitlines()] == ["yes", "stop"]
    assert [str(bad) in errors.splitlines()[0], missing in errors.splitlines()[1]] == [True, True]
    assert len(errors.splitlines()) == 2


def raw_samples(start):
    noise = np.random.default_rng(3).normal(size=16000) * 3
    return start + noise.astype("<i2").tobytes()


def damaged_mp3(yes):
    """An MP3 with a broken frame, a stray tag and a junk tail, and one that only looks like one."""
    sound, rate = soundfile.read(yes)
    file = io.BytesIO()
    soundfile.write(file, sound, rate, format="MP3")
    data = file.getvalue()
    layer_1 = bytes.fromhex("fffe1044").ljust(32, b"\xff")  # more bits than a frame has
    return [data[:1000] + b"TAG" * 99 + data[1000:] + b"junk" * 99, data * 2, layer_1 * 99]


@linux
def test_one_line_a_bad_file_whatever_the_libraries_print(yes, tmp_path):
    starts = [b"\xff\xff\x01\0", b"\xff\xfd\0\0", b"\xff\xfe\xff\xff", b"\xff\xff\xfe\xff"]
    files = [*map(raw_samples, starts), *damaged_mp3(yes)]
    for number, data in enumerate(files):
        (tmp_path / f"{number}.mp3").write_bytes(data)
    done = shell('"$@"', "recognize", *(str(tmp_path / f"{n}.mp3") for n in range(len(files))))
    assert all(line.startswith("speechgru: ") for line in done.stderr.splitlines())
    assert len(done.stderr.splitlines()) + len(done.stdout.splitlines()) == len(files)
    assert len(done.stderr.splitlines()) >= len(starts)
