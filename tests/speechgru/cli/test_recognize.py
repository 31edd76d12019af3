"""`speechgru recognize`: output and messages for each file, processes, resumption."""

import io
import json
import shutil
import signal
import subprocess
import time

import numpy as np
import pytest
import soundfile

from speechgru.cli import main
from tests.speechgru.cli.commands import COMMAND, in_terminal, linux, shell


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


def test_csv_has_a_header(yes, stop, capfd):
    assert main(["recognize", "--csv", yes, stop]) == 0
    header, first, second = capfd.readouterr().out.splitlines()
    assert header == "file,label,confidence"
    assert first.split(",")[:2] == [yes, "yes"]
    assert second.split(",")[:2] == [stop, "stop"]
    assert 0 < float(first.split(",")[2]) <= 1


def test_output_and_messages_do_not_depend_on_the_number_of_processes(
    yes, stop, samples, tmp_path, capfd
):
    (tmp_path / "bad.wav").write_text("no sound")
    bad, missing = str(tmp_path / "bad.wav"), str(tmp_path / "missing.wav")
    names = [yes, bad, str(samples), missing, stop, bad]
    for form in ([], ["--json"], ["--csv"]):
        expected = (main(["recognize", *form, *names]), capfd.readouterr())
        assert expected[0] == 2
        assert len(expected[1].err.splitlines()) == 3
        found = (main(["recognize", "--workers", "2", *form, *names]), capfd.readouterr())
        assert found == expected


@linux
def test_workers_leave_pipes_to_the_main_process(yes, stop):
    script = f'cat {yes} | "$@" - <(cat {stop}) {yes} /dev/stdin'
    done = shell(script, "recognize", "--json", "--workers", "2")
    assert [json.loads(line)["label"] for line in done.stdout.splitlines()] == [
        "yes",
        "stop",
        "yes",
    ]
    assert (done.returncode, done.stderr.count("\n")) == (2, 1)  # the pipe is empty


def test_a_second_run_writes_what_the_first_did_not(yes, stop, tmp_path, capfd):
    out, bad = tmp_path / "results.jsonl", tmp_path / "bad.wav"
    bad.write_text("no sound")
    assert main(["recognize", "--json", "--resume", str(out), yes, str(bad)]) == 2
    first = out.read_text()
    out.write_text(first + '{"file": "cut')
    assert main(["recognize", "--json", "--resume", str(out), yes, str(bad), stop]) == 2
    assert out.read_text().startswith(first)
    records = [json.loads(line) for line in out.read_text().splitlines()]
    assert [record["label"] for record in records] == ["yes", "stop"]
    shutil.copyfile(yes, bad)
    assert main(["recognize", "--resume", str(out), yes, str(bad), stop]) == 0
    labels = [json.loads(line)["label"] for line in out.read_text().splitlines()]
    assert labels == ["yes", "stop", "yes"]
    assert capfd.readouterr().out == ""


def test_an_output_that_is_something_else_is_one_line(yes, tmp_path, capfd):
    out = tmp_path / "notes.txt"
    out.write_text("my notes\n")
    for path in (str(out), str(tmp_path), str(tmp_path / "none" / "out")):
        assert main(["recognize", "--resume", path, yes]) == 2
        output, errors = capfd.readouterr()
        assert (output, errors.count("\n")) == ("", 1)
        assert errors.startswith(f"speechgru: {path}: ")
    assert out.read_text() == "my notes\n"


@linux
@pytest.mark.parametrize("workers", ["1", "2"])
def test_an_interrupted_run_leaves_complete_lines_and_can_be_resumed(workers, yes, tmp_path):
    folder = tmp_path / "clips"
    folder.mkdir()
    for number in range(3000):
        (folder / f"{number:04}.wav").symlink_to(yes)
    out = tmp_path / "results.csv"
    command = [*COMMAND, "recognize", "--workers", workers, "--csv", "--resume"]
    with subprocess.Popen(
        [*command, str(out), str(folder)],
        stderr=subprocess.PIPE,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    ) as process:
        deadline = time.monotonic() + 60
        while not (out.exists() and out.stat().st_size) and time.monotonic() < deadline:
            time.sleep(0.01)
        process.send_signal(signal.SIGINT)
        _, errors = process.communicate(timeout=60)
    assert (process.returncode, errors) == (130, b"")
    interrupted = out.read_bytes()
    assert interrupted.endswith(b"\n")
    count = len(interrupted.splitlines())
    assert 1 < count < 3000
    subprocess.run([*command, str(out), str(folder)], check=True, timeout=60)
    content = out.read_bytes()
    assert content.startswith(interrupted)
    names = [line.split(b",")[0].decode() for line in content.splitlines()[1:]]
    assert names == sorted(str(path) for path in folder.iterdir())


@linux
def test_a_disk_that_fills_is_one_line_and_the_run_can_be_resumed(yes, tmp_path):
    names = [shutil.copyfile(yes, tmp_path / f"{number}.wav") for number in range(30)]
    out = tmp_path / "out.jsonl"
    arguments = ["recognize", "--resume", str(out), *map(str, names)]
    done = shell('ulimit -f 2; "$@"', *arguments)
    assert (done.returncode, done.stderr) == (2, f"speechgru: {out}: File too large\n")
    assert 0 < out.stat().st_size <= 2048
    assert shell('"$@"', *arguments).returncode == 0
    records = [json.loads(line) for line in out.read_text().splitlines()]
    assert [record["file"] for record in records] == list(map(str, names))


@linux
def test_a_terminal_shows_how_many_files_are_left(yes):
    code, output, shown = in_terminal(
        [*COMMAND, "recognize", "--workers", "2", "missing.wav", *[yes] * 1000]
    )
    assert (code, output.count(b"\n")) == (2, 1000)
    lines = [line.rpartition("\r")[2] for line in shown.split("\r\n")]
    assert lines == ["speechgru: missing.wav: expected a sound file, found nothing", ""]
    assert " of 1,001 files (" in shown
    assert shown.count("files (") < 100  # it is not drawn for each file


@pytest.mark.parametrize(
    "arguments", [["--workers", "0"], ["--workers", "257"], ["--json", "--csv"], ["--resume"]]
)
def test_wrong_options_exit_with_2(arguments, yes, capfd):
    with pytest.raises(SystemExit) as caught:
        main(["recognize", yes, *arguments])
    assert caught.value.code == 2
    assert "usage: speechgru recognize" in capfd.readouterr().err


@pytest.mark.parametrize("form", ["--json", "--csv"])
def test_results_of_another_model_are_reported_and_stay(form, samples, tmp_path, capfd):
    results = tmp_path / "results"
    command = ["recognize", form, "--resume", str(results)]
    assert main([*command, str(samples)]) == 0
    content = results.read_bytes()
    assert main([*command, str(samples)]) == 0
    assert capfd.readouterr() == ("", "")
    assert main([*command, "--model", "small", str(samples)]) == 0
    output, errors = capfd.readouterr()
    assert (output, errors.count("\n")) == ("", 1)
    assert errors.startswith(
        f"speechgru: {results}: expected results of this model and these files"
    )
    assert results.read_bytes() == content
