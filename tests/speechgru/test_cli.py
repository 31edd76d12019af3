"""The command line as its users see it: output, messages, exit codes."""

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

import speechgru
from speechgru import modelfile
from speechgru.cli import main

linux = pytest.mark.skipif(sys.platform != "linux", reason="needs Linux")
COMMAND = [sys.executable, "-c", "import sys; from speechgru.cli import main; sys.exit(main())"]


@pytest.fixture
def yes(samples):
    return str(min(samples.glob("yes-*.wav")))


@pytest.fixture
def stop(samples):
    return str(min(samples.glob("stop-*.wav")))


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


@pytest.mark.parametrize("content", [None, b"", b"no model"])
def test_a_bad_model_is_one_line(content, yes, tmp_path, capfd):
    path = tmp_path / "model.tflite"
    if content is not None:
        path.write_bytes(content)
    for arguments in (["recognize", "--model", str(path), yes], ["info", str(path)]):
        assert main(arguments) == 2
        output, errors = capfd.readouterr()
        assert output == ""
        assert str(path) in errors
        assert errors.count("\n") == 1


@pytest.mark.parametrize(
    "arguments",
    [[], ["recognize"], ["recognise", "a.wav"], ["recognize", "--top", "0", "a.wav"], ["--what"]],
)
def test_wrong_usage_exits_with_2(arguments, capfd):
    with pytest.raises(SystemExit) as caught:
        main(arguments)
    assert caught.value.code == 2
    assert "usage: speechgru" in capfd.readouterr().err


def test_info_tells_what_the_bundled_model_holds(capfd):
    assert main(["info"]) == 0
    output, errors = capfd.readouterr()
    model = modelfile.read(None)
    for fact in (
        "yes no up down left right on off stop go unknown silence",
        f"{model.settings['validation_accuracy']:.2%}",
        f"{Path(model.name).stat().st_size:,} bytes",
        "recognize stream features",
        "hop_length 320",
        "CC BY 4.0",
    ):
        assert fact in output
    assert errors == ""


def test_labels_of_several_words_can_be_told_apart(tmp_path, yes, capfd):
    model = modelfile.read("small")
    labels = ("lights on", "lights off", *model.labels[2:])
    described = {k: v for k, v in model.settings.items() if k != "flatbuffer_sha256"}
    path = tmp_path / "lights.tflite"
    modelfile.write(path, model.flatbuffer, labels, described)
    assert main(["info", str(path)]) == 0
    assert '"lights on" "lights off" up down left' in capfd.readouterr().out
    assert main(["recognize", "--top", "12", "--model", str(path), yes]) == 0
    assert '  "lights on" 1.000  unknown 0.' in capfd.readouterr().out


def test_info_about_a_model_that_states_little(tmp_path, capfd):
    model = modelfile.read("small")
    needed = ("front_end", "window_samples", "hop_samples")
    path = tmp_path / "plain.tflite"
    settings = {key: model.settings[key] for key in needed}
    modelfile.write(path, model.flatbuffer, model.labels, {**settings, "licence": "a\x1b\nb"})
    assert main(["info", str(path)]) == 0
    output = capfd.readouterr().out
    assert output.count("not stated") == 5
    assert r"a\x1b\nb" in output


def test_a_folder_stands_for_the_sound_files_in_it(yes, stop, tmp_path, capfd):
    for name in ("b/late.wav", "a.WAV", "b/.hidden.wav", "._a.wav", ".cache/c.wav", "b/notes.txt"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        shutil.copyfile(yes, tmp_path / name)
    assert main(["recognize", str(tmp_path), stop]) == 0
    names = [line.split()[0] for line in capfd.readouterr().out.splitlines()]
    assert names == [str(tmp_path / "a.WAV"), str(tmp_path / "b" / "late.wav"), stop]


def test_a_folder_without_sound_files_is_reported(yes, tmp_path, capfd):
    (tmp_path / "notes.txt").write_text("nothing")
    assert main(["recognize", str(tmp_path), yes]) == 2
    output, errors = capfd.readouterr()
    assert output.split()[1] == "yes"
    assert errors == f"speechgru: {tmp_path}: expected a folder with sound files, found none\n"


def test_a_folder_that_may_not_be_read_is_reported(yes, tmp_path, capfd, monkeypatch):
    def walk(folder, onerror):
        onerror(PermissionError(13, "Permission denied", f"{folder}/closed"))
        yield folder, [], ["a.wav"]

    shutil.copyfile(yes, tmp_path / "a.wav")
    monkeypatch.setattr(os, "walk", walk)
    assert main(["recognize", str(tmp_path)]) == 2
    output, errors = capfd.readouterr()
    assert output.split()[1] == "yes"
    assert errors == f"speechgru: {tmp_path}/closed: Permission denied\n"


@pytest.mark.parametrize("arguments", [["recognize", ""], ["recognize", "--model", "", "x"]])
def test_an_empty_name_is_shown(arguments, capfd):
    assert main(arguments) == 2
    assert capfd.readouterr().err.startswith("speechgru: '': expected a ")


@pytest.mark.parametrize("module", ["speechgru", "speechgru.cli"])
def test_python_dash_m_runs_the_command(module, yes):
    done = subprocess.run(
        [sys.executable, "-m", module, "recognize", yes, "none.wav"], capture_output=True, text=True
    )
    assert (done.returncode, done.stdout.split()[1]) == (2, "yes")
    assert done.stderr == "speechgru: none.wav: expected a sound file, found nothing\n"


def test_version_is_that_of_the_package(capfd):
    with pytest.raises(SystemExit) as caught:
        main(["--version"])
    assert caught.value.code == 0
    assert capfd.readouterr().out == f"speechgru {speechgru.__version__}\n"


def shell(script, *arguments, **options):
    """Run a shell script, in which "$@" is `speechgru` and the arguments."""
    return subprocess.run(
        ["bash", "-c", script, "bash", *COMMAND, *arguments],
        capture_output=True,
        text=True,
        timeout=60,
        # Python buffers what it writes, as it does for users.
        env={k: v for k, v in os.environ.items() if k != "PYTHONUNBUFFERED"},
        **options,
    )


@linux
@pytest.mark.parametrize("name", ["-", "/dev/stdin"])
def test_standard_input_is_read_from_a_pipe_and_from_a_file(name, yes):
    for script in (f'cat {yes} | "$@"', f'(sleep 0.5; cat {yes}) | "$@"', f'"$@" < {yes}'):
        done = shell(script, "recognize", name)
        assert (done.returncode, done.stdout.split()[:2], done.stderr) == (0, [name, "yes"], "")


@linux
def test_process_substitution_is_read(yes, stop):
    done = shell(f'"$@" <(cat {yes}) <(cat {stop})', "recognize", "--json")
    assert [json.loads(line)["label"] for line in done.stdout.splitlines()] == ["yes", "stop"]
    assert (done.returncode, done.stderr) == (0, "")


@linux
@pytest.mark.parametrize(
    ("script", "found"),
    [
        ('true | "$@"', "found no bytes"),
        ('"$@" < /dev/null', "found no bytes"),
        ('echo text | "$@"', "found: "),
        ('"$@" <&-', "found a closed stream"),
    ],
)
def test_standard_input_without_sound_is_reported(script, found, yes):
    done = shell(script, "recognize", "-", yes)
    assert (done.returncode, done.stdout.split()[1]) == (2, "yes")
    assert done.stderr.startswith("speechgru: <stdin>: expected ")
    assert found in done.stderr
    assert done.stderr.count("\n") == 1


@linux
@pytest.mark.parametrize(
    ("streams", "code"),
    [
        (">&-", 2),
        ("2>&-", 2),
        (">&- 2>&-", 2),
        ("<&- >&- 2>&-", 2),
        (">/dev/full", 2),
        ("2>/dev/full", 2),
        (">/dev/full 2>/dev/full", 2),
    ],
)
def test_closed_and_full_streams_are_no_traceback(streams, code, yes):
    done = shell(f'"$@" {streams}', "recognize", yes, "missing.wav")
    assert done.returncode == code
    assert "Traceback" not in done.stderr
    assert done.stderr.count("\n") <= 2
    if streams.startswith("2>"):
        assert done.stdout.split()[1] == "yes"


@linux
def test_closed_stdout_is_no_error_and_a_full_one_is(yes):
    done = shell('"$@" >&-', "recognize", yes)
    assert (done.returncode, done.stderr) == (0, "")
    for arguments in (["recognize", yes], ["info"], ["--help"], ["--version"]):
        done = shell('"$@" >/dev/full', *arguments)
        message = (
            "speechgru: expected an output that can be written, found: No space left on device\n"
        )
        assert (done.returncode, done.stderr) == (2, message)
    done = shell('PYTHONUNBUFFERED=1 "$@" >/dev/full', "--version")
    assert (done.returncode, done.stderr) == (2, message)


NAMES = ("a\x1b[31m.wav", "x\nb.wav", "r\rb.wav", "evil\u202egnp.wav", "c\x9b1m\x7f.wav")


@linux
def test_control_characters_in_names_are_escaped_everywhere(yes, tmp_path, capfd):
    for name in NAMES:
        shutil.copyfile(yes, tmp_path / name)
        (tmp_path / f"bad {name}").write_text("no sound")
    names = [str(tmp_path / name) for name in NAMES]
    bad = [str(tmp_path / f"bad {name}") for name in NAMES]
    missing = [str(tmp_path / f"no {name}") for name in NAMES]
    for options in ([], ["--json"]):
        assert main(["recognize", *options, *names, *bad, *missing]) == 2
        output, errors = capfd.readouterr()
        assert len(output.splitlines()) == len(NAMES)
        assert len(errors.splitlines()) == 2 * len(NAMES)
        assert all(line.isprintable() for line in (output + errors).split("\n"))
        assert r"bad evil\u202egnp.wav" in errors
        if options:
            assert [json.loads(line)["file"] for line in output.splitlines()] == names
        else:
            assert r"a\x1b[31m.wav" in output
    assert main(["recognize", "--model", missing[0], yes]) == 2
    assert main(["info", bad[0]]) == 2
    with pytest.raises(SystemExit):
        main(["recognize", yes, "--\x1b[31m"])
    assert "\x1b" not in capfd.readouterr().err


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


def test_debug_shows_the_traceback(tmp_path):
    bad = tmp_path / "bad.wav"
    bad.write_text("not a sound")
    done = subprocess.run(
        [*COMMAND, "recognize", "--debug", str(bad)], capture_output=True, text=True
    )
    assert "Traceback" in done.stderr
    assert "AudioError" in done.stderr


@linux
def test_ctrl_c_exits_with_130_and_no_traceback(yes, interrupt):
    folder, name = os.path.split(yes)
    command = [*COMMAND, "recognize", *[name] * 15_000]
    code, _, errors = interrupt(command, begins=name, timeout=60, cwd=folder)
    assert code == 130
    assert errors == ""


@linux
def test_a_name_that_is_no_text_is_answered(yes, tmp_path):
    path = os.fsencode(tmp_path) + b"/\xff.wav"
    shutil.copyfile(yes, path)
    done = subprocess.run(
        [*COMMAND, "recognize", path],
        capture_output=True,
        text=True,
        env={**os.environ, "PYTHONIOENCODING": "utf-8:strict"},
    )
    assert (done.returncode, done.stdout.split()[1], done.stderr) == (0, "yes", "")


@linux
def test_closed_stderr_is_no_error(yes):
    done = subprocess.run(
        ["sh", "-c", '"$@" 2>&-', "sh", *COMMAND, "recognize", "missing.wav", yes],
        capture_output=True,
        text=True,
    )
    assert (done.returncode, done.stdout.split()[1]) == (2, "yes")


@linux
def test_a_reader_that_goes_away_is_no_error(yes):
    done = subprocess.run(
        ["sh", "-c", '"$@" | head -n 1', "sh", *COMMAND, "recognize", *[yes] * 3000],
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.stdout.split()[1] == "yes"
    assert done.stderr == ""
