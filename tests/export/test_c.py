"""The C program: scores and detections are those of Python, errors are one line."""

import base64
import importlib.metadata
import json
import os
import shlex
import shutil
import subprocess
import zipfile
from pathlib import Path

import ai_edge_litert
import numpy as np
import pytest
import soundfile

from export.tflite.runner import ModelRunner
from export.verification.golden_vectors import golden_stream
from speechgru import Recognizer, audio, modelfile
from speechgru.detection import Detection, default_settings

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
    warnings = ["-Wall", "-Wextra", "-Wpedantic", "-Wconversion", "-Werror"]
    command = ["cc", "-std=c11", *warnings, "-O2", str(FOLDER / "stream.c")]
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


def detections(result):
    """Label, time and confidence of each line."""
    assert result.returncode == 0, result.stderr
    lines = map(shlex.split, result.stdout.decode().splitlines())
    return [(label, float(time), float(confidence)) for time, label, confidence in lines]


def same_detections(found, expected):
    assert [label for label, *_ in found] == [one.label for one in expected]
    for (_, time, confidence), one in zip(found, expected, strict=True):
        assert time == pytest.approx(one.time, abs=0.04)
        assert confidence == pytest.approx(one.confidence, abs=1e-3)


@pytest.mark.parametrize("model", modelfile.BUNDLED)
def test_the_detections_are_those_of_the_golden_file(model, program, tmp_path):
    file = modelfile.read(model)
    golden = golden_stream(ModelRunner(file.flatbuffer), file)
    path = tmp_path / "stream.wav"
    pcm = np.frombuffer(base64.b64decode(golden["samples"]), "<i2")
    expected = [Detection(**one) for one in golden["detections"]]
    assert expected
    same_detections(detections(run(program, file.name, write(path, pcm))), expected)
    same_detections(detections(run(program, file.name, "-", sound=pcm.tobytes())), expected)


WORDS = (
    "yes-espeak-male-8k-ulaw",
    "window-festival-kal-12k-pcm24",
    "stop-festival-kal-22k05-pcm16",
    "go-flite-rms-11k025-pcm8",
)


@pytest.fixture(scope="module")
def words(samples, tmp_path_factory):
    """A WAV file that ends right after its last word."""
    parts = [
        part for name in WORDS for part in (np.zeros(16000), audio.load(samples / f"{name}.wav"))
    ]
    sound = np.concatenate(parts)
    sound += 1e-3 * np.random.default_rng(0).normal(size=sound.size)
    return write(tmp_path_factory.mktemp("words") / "words.wav", sound)


@pytest.mark.parametrize("threshold", [None, 0.2, 0.95])
def test_the_detections_are_those_of_python(threshold, program, words):
    expected = Recognizer().detect(words, threshold)
    options = [] if threshold is None else ["--threshold", threshold]
    same_detections(detections(run(program, *options, modelfile.locate(None), words)), expected)
    assert {None: 1, 0.2: 3, 0.95: 0}[threshold] <= len(expected)


@pytest.mark.parametrize(
    "changes",
    [
        {"thresholds": {"yes": 0.9, "stop": 0.2}},
        {"smoothing_hops": 5, "context_hops": 10, "context_weight": 0},
        {"max_context": 0.1, "context_weight": 0.5, "wait_hops": 10},
        {"refractory_hops": 70, "word_end_hops": 0},
        {"wait_hops": 40, "refractory_hops": 0, "context_weight": 1e1},
    ],
    ids=str,
)
def test_the_constants_are_those_of_the_model_file(changes, program, words, tmp_path):
    bundled, path = modelfile.read(None), tmp_path / "changed.tflite"
    detection = default_settings(bundled.labels) | changes
    detection["thresholds"] = dict.fromkeys(bundled.detection_rule().commands, 0.4) | (
        changes.get("thresholds", {})
    )
    settings = bundled.settings | {"detection": detection}
    modelfile.write(path, bundled.flatbuffer, bundled.labels, settings)
    expected = Recognizer(path).detect(words)
    assert expected
    same_detections(detections(run(program, path, words)), expected)


def test_a_label_with_spaces_is_quoted(program, samples, tmp_path):
    bundled, named = modelfile.read(None), tmp_path / "named.tflite"
    path = write(tmp_path / "yes.wav", audio.load(samples / "yes-espeak-male-8k-ulaw.wav"))
    for label in ("oh yes", 'say "yes"\\', "\u00fc\u20ac \U0001f600"):  # escaped in the settings
        labels = tuple(label if one == "yes" else one for one in bundled.labels)
        settings = bundled.settings | {"detection": default_settings(labels)}
        modelfile.write(named, bundled.flatbuffer, labels, settings)
        assert [one for one, *_ in detections(run(program, named, path))] == [label]


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
    front_end = {"front_end": model.settings["front_end"]}
    modelfile.write(bad, model.flatbuffer, (*model.labels, "more"), front_end)
    result = run(program, bad, write(tmp_path / "sound.wav", pcm))
    assert result.returncode == 2
    assert b"expected 4 labels, found 5" in result.stderr


def with_settings(path, text):
    """Write the bundled model with another text as its settings."""
    bundled = modelfile.read(None)
    path.write_bytes(bundled.flatbuffer)
    with zipfile.ZipFile(path, "a") as archive:
        archive.writestr("labels.txt", "".join(f"{label}\n" for label in bundled.labels))
        archive.writestr("speechgru.json", text)


@pytest.fixture(scope="module")
def settings():
    bundled = modelfile.read(None)
    detection = default_settings(bundled.labels)
    return bundled.settings | {"format_version": 2, "detection": detection}


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({"format_version": 3}, "expected format_version to be a number from 1 to 2, found 3"),
        ({"format_version": "2"}, 'expected format_version to be a number from 1 to 2, found "2"'),
        ({"format_version": 1.5}, "expected format_version to be an integer, found 1.5"),
        ({"front_end": {"sample_rate": 8000}}, "expected sample_rate"),
        ({"front_end": 1}, "expected an object front_end"),
        ({"detection": None}, "expected an object detection, found none"),
        ({"detection": []}, "expected an object detection, found none"),
        ({"smoothing_hops": 0}, "expected smoothing_hops to be a number from 1 to 10000, found 0"),
        ({"smoothing_hops": 2.5}, "expected smoothing_hops to be an integer, found 2.5"),
        ({"context_hops": 10_001}, "expected context_hops"),
        ({"context_weight": -1}, "expected context_weight"),
        ({"context_weight": 1e300}, "expected context_weight"),
        ({"max_context": True}, "expected max_context to be a number from 0 to 1, found true"),
        ({"wait_hops": None}, "expected wait_hops, found none"),
        ({"thresholds": {}}, "expected a threshold of yes, found none"),
        ({"thresholds": {"yes": 0}}, "expected thresholds above 0"),
        ({"thresholds": {"yes": 1.5}}, "expected yes to be a number from 0 to 1, found 1.5"),
        ({"thresholds": {"more": 0.5}}, "expected thresholds of 10 commands, found 11"),
    ],
    ids=str,
)
def test_other_constants_are_one_line(change, expected, settings, program, words, tmp_path):
    detection = settings["detection"]
    if change.get("thresholds"):
        change = {"thresholds": detection["thresholds"] | change["thresholds"]}
    top = {name: value for name, value in change.items() if name in settings}
    rest = {name: value for name, value in change.items() if name not in settings}
    with_settings(
        tmp_path / "bad.tflite",
        json.dumps(settings | {"detection": detection | rest} | top),
    )
    one_error(run(program, tmp_path / "bad.tflite", words), "bad.tflite", expected)


def test_text_that_is_no_json_is_one_line(settings, program, words, tmp_path):
    text, path = json.dumps(settings | {"threshold": 0.5}), tmp_path / "bad.tflite"
    for bad in (
        "",
        "{",
        "[]",
        "{}",
        text[:-1],
        text + "}",
        text.replace(",", ";", 1),
        text.replace('"threshold": 0.5', '"threshold": 0.'),
        text.replace('"threshold": 0.5', '"threshold": NaN'),
        text.replace('"threshold": 0.5', '"threshold": 00.5'),
        text.replace('"threshold": 0.5', '"threshold": "\\x"'),
        text.replace('"threshold": 0.5', '"threshold": "\\u12"'),
        text.replace('"wait_hops": 2', '"wait_hops": 2, "wait_hops": 2'),
        '{"a":' * 100_000,
        "[" * 100_000,
        text.replace("detection", "d\0tection"),
    ):
        with_settings(path, bad)
        one_error(run(program, path, words), "bad.tflite", "speechgru.json")


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
            run(program, model_file, path),
            "sound.wav",
            "16-bit PCM, mono, 16000 Hz, found",
            found,
            "to convert it: ffmpeg -i",
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
