"""The C program: the same scores as in Python, commands by name, errors as one line."""

import importlib.metadata
import os
import shlex
import shutil
import subprocess
from pathlib import Path

import ai_edge_litert
import numpy as np
import pytest
import soundfile

from export.tflite.runner import ModelRunner
from speechgru import audio, modelfile

FOLDER = Path(__file__).resolve().parents[2] / "export" / "c"
LITERT = Path(ai_edge_litert.__path__[0])


@pytest.fixture(scope="module")
def program(tmp_path_factory):
    if not shutil.which("cc"):
        pytest.skip("needs a C compiler")
    version = importlib.metadata.version("ai-edge-litert")
    if tuple(map(int, version.split(".")[:3])) < (2, 1, 6):
        pytest.skip(f"needs the C API of LiteRT 2.1.6, found {version}")
    path = tmp_path_factory.mktemp("c") / "stream"
    command = ["cc", "-std=c11", "-Wall", "-Wextra", "-Werror", "-O2", str(FOLDER / "stream.c")]
    library = [f"-L{LITERT}", "-lLiteRt", f"-Wl,-rpath,{LITERT}"]
    subprocess.run([*command, "-o", str(path), *library], check=True)
    return path


def run(program, *arguments, sound=b""):
    return subprocess.run(
        [str(program), *map(str, arguments)], input=sound, capture_output=True, timeout=60
    )


def numbers(output):
    return np.array([line.split() for line in output.splitlines()], float)


def write(path, samples, **options):
    soundfile.write(path, samples, **{"samplerate": 16000, "subtype": "PCM_16"} | options)
    return path


@pytest.fixture(scope="module")
def pcm(samples):
    """Words of several voices, one after another, as int16."""
    words = [audio.load(samples / name) for name in sorted(os.listdir(samples))[1:12:3]]
    return np.round(np.concatenate(words) * 32767).astype(np.int16)


def test_the_scores_are_those_of_python(program, model_file, pcm, tmp_path):
    runner = ModelRunner(modelfile.read(model_file).flatbuffer)
    expected, _ = runner.stream((pcm / 32768).astype(np.float32))
    assert len(expected) > 50
    path = write(tmp_path / "words.wav", pcm)
    for result in (
        run(program, "--scores", model_file, path),
        run(program, "--scores", model_file, "-", sound=pcm.astype("<i2").tobytes()),
    ):
        assert result.returncode == 0, result.stderr
        np.testing.assert_allclose(numbers(result.stdout), expected, atol=1e-4)


def test_a_command_is_detected_once_by_name(program, samples, tmp_path):
    pause = np.zeros(16000)
    words = (
        "yes-espeak-male-8k-ulaw",
        "window-festival-kal-12k-pcm24",
        "stop-espeak-male-12k-pcm24",
    )
    sounds = [np.concatenate([audio.load(samples / f"{name}.wav"), pause]) for name in words]
    path = write(tmp_path / "words.wav", np.concatenate([pause, *sounds]))
    result = run(program, modelfile.locate(None), path)
    assert result.returncode == 0, result.stderr
    lines = [line.split() for line in result.stdout.decode().splitlines()]
    assert [label for _, label, _ in lines] == ["yes", "stop"]
    stop = 16000 + len(sounds[0]) + len(sounds[1])
    assert 1 < float(lines[0][0]) < 2
    assert stop / 16000 < float(lines[1][0]) < stop / 16000 + 1
    assert all(0.5 < float(score) <= 1 for _, _, score in lines)


def test_a_label_with_spaces_is_quoted(program, samples, tmp_path):
    bundled, named = modelfile.read(None), tmp_path / "named.tflite"
    labels = ("oh yes", *bundled.labels[1:])
    modelfile.write(named, bundled.flatbuffer, labels, bundled.settings)
    path = write(tmp_path / "yes.wav", audio.load(samples / "yes-espeak-male-8k-ulaw.wav"))
    (line,) = run(program, named, path).stdout.decode().splitlines()
    assert shlex.split(line)[1] == "oh yes"


def test_no_score_reaches_a_threshold_of_1(program, samples, tmp_path):
    path = write(tmp_path / "yes.wav", audio.load(samples / "yes-espeak-male-8k-ulaw.wav"))
    assert run(program, modelfile.locate(None), path).stdout
    assert run(program, "--threshold", "1", modelfile.locate(None), path).stdout == b""


def test_samples_after_the_last_whole_hop_are_left_out(program, model_file, pcm, tmp_path):
    path = write(tmp_path / "short.wav", pcm[:1999])
    assert len(numbers(run(program, "--scores", model_file, path).stdout)) == 3
    for sound in (b"", b"\0", bytes(1279)):
        result = run(program, model_file, "-", sound=sound)
        assert (result.returncode, result.stdout) == (0, b"")


def test_every_form_of_wav_header_is_read(program, model_file, pcm, tmp_path):
    plain = write(tmp_path / "plain.wav", pcm[:6400])
    other = tmp_path / "other.wav"
    content = plain.read_bytes()
    note = b"note\3\0\0\0abc\0"
    other.write_bytes(content[:12] + note + content[12:36] + note + content[36:])
    extensible = write(tmp_path / "extensible.wav", pcm[:6400], format="WAVEX")
    expected = run(program, "--scores", model_file, plain).stdout
    assert len(numbers(expected)) == 10
    unfinished = tmp_path / "unfinished.wav"  # its writer could not go back to the size
    unfinished.write_bytes(content[:40] + bytes(4) + content[44:])
    for path in (other, extensible, unfinished):
        assert run(program, "--scores", model_file, path).stdout == expected


def one_error(result, *words):
    lines = result.stderr.decode().splitlines()
    assert (result.returncode, result.stdout, len(lines)) == (2, b"", 1), lines
    for word in words:
        assert word in lines[0]


def test_a_file_that_is_no_model_is_one_line(program, model_file, pcm, tmp_path):
    path = write(tmp_path / "sound.wav", pcm)
    one_error(run(program, tmp_path / "none.tflite", path), "none.tflite", "No such file")
    one_error(run(program, tmp_path, path), str(tmp_path), "expected a model file")
    bad = tmp_path / "bad.tflite"
    bad.write_text("some text\n" * 100)
    one_error(run(program, bad, path), "bad.tflite", "expected a TFLite model")
    bad.write_bytes(b"")
    one_error(run(program, bad, path), "bad.tflite", "expected a TFLite model")
    bad.write_bytes(modelfile.read(model_file).flatbuffer)
    one_error(run(program, bad, path), "bad.tflite", "expected labels.txt")
    bad.write_bytes(model_file.read_bytes().replace(b"stream", b"strand"))
    one_error(run(program, bad, path), "bad.tflite", "expected a signature stream")


def test_labels_that_do_not_fit_are_an_error(program, model_file, pcm, tmp_path):
    bad = tmp_path / "bad.tflite"
    model = modelfile.read(model_file)
    modelfile.write(bad, model.flatbuffer, (*model.labels, "more"), {})
    result = run(program, bad, write(tmp_path / "sound.wav", pcm))
    assert result.returncode == 2
    assert b"expected 4 labels, found 5" in result.stderr


def test_audio_of_another_format_is_one_line(program, model_file, pcm, tmp_path):
    path = tmp_path / "sound.wav"
    for samples, options, found in (
        (pcm, {"samplerate": 8000}, "16-bit PCM, 1 channel(s), 8000 Hz"),
        (np.stack([pcm, pcm], 1), {}, "16-bit PCM, 2 channel(s), 16000 Hz"),
        (pcm, {"subtype": "PCM_24"}, "24-bit PCM, 1 channel(s), 16000 Hz"),
        (pcm, {"subtype": "ULAW"}, "8-bit samples of another kind"),
        (pcm, {"format": "FLAC"}, "another file"),
    ):
        write(path, samples, **options)
        one_error(
            run(program, model_file, path), "sound.wav", "16-bit PCM, mono, 16000 Hz, found", found
        )
    content = write(path, pcm).read_bytes()
    for length in (0, 4, 11, 12, 20, 30, 43):
        path.write_bytes(content[:length])
        one_error(run(program, model_file, path), "sound.wav", "found")
    one_error(run(program, model_file, tmp_path / "none.wav"), "none.wav", "No such file")
    one_error(run(program, model_file, tmp_path), str(tmp_path), "directory")


@pytest.mark.parametrize(
    "arguments", [[], ["a"], ["a", "b", "c"], ["--threshold"], ["--threshold", "loud", "a", "b"]]
)
def test_wrong_arguments_are_one_line(arguments, program):
    one_error(run(program, *arguments), "expected")
