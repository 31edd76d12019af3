"""The C code: scores of LiteRT, detections of Python, any block size, no undefined behaviour."""

import shutil
import subprocess
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from export.c99.compiling import WARNINGS
from export.c99.from_run import Trained, recogniser_of_step
from export.c99.generate import generate
from export.c99.library import CLibrary
from export.tflite.conversion import convert
from export.tflite.runner import ModelRunner
from export.tflite.streaming_model import StreamingModel
from export.verification.golden_vectors import golden_stream_samples
from speechgru import MFCCConfig, audio, build_model
from speechgru.conversion import flatbuffer
from speechgru.detection import DetectionRule, Detector
from speechgru.recording import tail_hops

HOP = 640
FUZZED = Path(__file__).with_name("fuzzed.c")
OWN_PRODUCT = Path(__file__).with_name("own_product.c")


@pytest.fixture(scope="module")
def words(samples):
    """All samples one after another, as int16."""
    clips = [audio.load(path) for path in sorted(samples.glob("*.wav"))]
    sound = np.concatenate([np.pad(clip, (3200, 3200)) for clip in clips])
    noise = 1e-3 * np.random.default_rng(0).normal(size=sound.size)
    return np.round((sound + noise)[: sound.size // HOP * HOP] * 32767).astype(np.int16)


def scores_of(library, pcm):
    rows = []
    for hop in pcm.reshape(-1, HOP):
        library.feed(hop)
        rows.append(library.scores)
    return np.array(rows)


@pytest.mark.parametrize("fixed", [False, True])
def test_the_scores_are_those_of_litert(fixed, open_library, runner, words):
    library = open_library(fixed)
    equal, labels = [], []
    for window in words[: words.size // 16000 * 16000].reshape(-1, 16000):
        library.reset()
        expected, _ = runner.stream(window.astype(np.float32) / 32768)
        found = scores_of(library, window)
        equal.append((found == expected).all(axis=1))
        labels.append(found.argmax(axis=1) == expected.argmax(axis=1))
    # Rounding changes an MFCC now and then, and a state of int8 does not forget it.
    assert np.shape(equal) >= (30, 25)
    assert np.mean(equal) > (0.5 if fixed else 0.9)
    assert np.mean(labels) > 0.99
    assert np.mean(np.array(labels)[:, -1]) == 1


def detections(rule, scores):
    """What Python's rule detects: labels, samples and confidences."""
    detector = Detector(rule)
    found = [one for row in scores.tolist() if (one := detector.push(row))]
    if (awaited := detector.flush()) is not None:
        found.append(awaited)
    index = rule.labels.index
    return [(index(one.label), round(one.time * 16000), one.confidence) for one in found]


def same(found, expected):
    assert [one[:2] for one in found] == [one[:2] for one in expected]
    np.testing.assert_allclose([one[2] for one in found], [one[2] for one in expected], atol=1e-5)


def tuples(found):
    return [(one.label, one.sample, one.confidence) for one in found]


def test_the_detections_are_those_of_the_golden_stream(open_library, runner, recogniser):
    pcm = golden_stream_samples(16000, HOP)
    library = open_library(False)
    scores, _ = runner.stream(pcm.astype(np.float32) / 32768)
    expected = detections(recogniser.rule, scores)
    assert len(expected) >= 2
    found = tuples(library.feed(pcm))
    assert [one[:2] for one in found] == [one[:2] for one in expected]
    np.testing.assert_allclose([one[2] for one in found], [one[2] for one in expected], atol=0.02)


def test_the_end_of_the_audio_is_that_of_python(open_library, recogniser, words):
    """The last hop is filled, silence follows, and no time is after the end."""
    library, rule = open_library(False), recogniser.rule
    for length, least in ((words.size - 3000, 10), (20 * 16000 + 123, 1), (100, 0), (0, 0)):
        pcm = words[:length]
        silence = -length % HOP + HOP * tail_hops(rule.hop_seconds)
        expected = detections(rule, scores_of(library, np.pad(pcm, (0, silence))))
        assert len(expected) >= least
        library.reset()
        found = tuples(library.feed(pcm) + library.finish())
        same(found, [(label, min(end, length), p) for label, end, p in expected])
        assert not library.scores.any()  # a new stream


@pytest.mark.parametrize(
    "constants",
    [
        {"smoothing_hops": 1, "context_hops": 1, "wait_hops": 0, "refractory_hops": 0},
        {"smoothing_hops": 5, "context_weight": 0.0, "wait_hops": 7, "word_end_hops": 0},
        {"max_context": 0.3, "refractory_hops": 3, "wait_hops": 12, "context_hops": 100},
    ],
)
def test_other_constants_of_the_rule_give_the_same_detections(
    constants, recogniser, open_library, words
):
    open_library(False)  # skips without a compiler
    labels = recogniser.rule.labels
    thresholds = dict.fromkeys(recogniser.rule.commands, 0.3)
    rule = DetectionRule(labels, 0.04, thresholds, **constants)
    files = generate(recogniser._replace(rule=rule), "kws", False)
    library = CLibrary(files, len(labels), HOP)
    expected = detections(rule, scores_of(library, words))
    assert len(expected) > 10
    library.reset()
    found = tuples(library.feed(words))
    same(found, expected[: len(found)])
    assert len(expected) - len(found) <= 1  # the one that is awaited at the end


def test_other_sizes_give_the_scores_of_litert_and_the_detections_of_python(tmp_path):
    """300 labels, 20 coefficients, a shorter hop and an average over 10,000 hops."""
    config = MFCCConfig(n_mfcc=20, n_mels=31, hop_length=160, frame_length=400, n_fft=1024)
    labels = (*(f"word {n}" for n in range(298)), "unknown", "silence")
    model = build_model("small", labels, config, window_seconds=1.2)
    path = tmp_path / "model.keras"
    model.save(path)
    streaming = StreamingModel(model)
    noise = np.random.default_rng(0).normal(size=(4, 19200))
    int8 = convert(streaming, "int8", (0.1 * noise).astype(np.float32))
    trained = Trained(path, model, labels, {}, None)
    recogniser = recogniser_of_step(trained, flatbuffer.load(int8.step), "noise")
    thresholds = dict.fromkeys(labels[:-2], 0.0001)
    rule = DetectionRule(labels, 0.02, thresholds, smoothing_hops=10_000, context_weight=0.0)
    library = CLibrary(generate(recogniser._replace(rule=rule), "kws", False), 300, 320)
    pcm = np.round(1000 * noise.ravel()[:48000]).astype(np.int16)
    rows = []
    for hop in pcm.reshape(-1, 320):
        library.feed(hop)
        rows.append(library.scores)
    expected, _ = ModelRunner(int8.flatbuffer).stream(pcm.astype(np.float32) / 32768)
    np.testing.assert_allclose(rows, expected, atol=2 / 256)
    assert np.mean(np.array(rows) == expected) > 0.95
    library.reset()
    found = [(one.label, one.sample, one.confidence) for one in library.feed(pcm)]
    wanted = detections(rule, np.array(rows))
    assert wanted
    same(found, wanted[: len(found)])
    assert len(wanted) - len(found) <= 1


@given(sizes=st.lists(st.integers(0, 1500), min_size=1, max_size=60), fixed=st.booleans())
@settings(max_examples=15, deadline=None)
def test_blocks_may_have_any_size(sizes, fixed, open_library, words):
    library = open_library(fixed)
    blocks = np.split(words[: 3 * 16000], np.minimum(np.cumsum(sizes), 3 * 16000))
    found = [one for block in blocks for one in library.feed(block)]
    scores = library.scores
    library.reset()
    assert found == library.feed(words[: 3 * 16000])
    np.testing.assert_array_equal(scores, library.scores)


def test_silence_is_silence_and_the_loudest_sound_is_no_error(open_library, recogniser):
    silence = recogniser.rule.labels.index("silence")
    for fixed in (False, True):
        library = open_library(fixed)
        assert not library.feed(np.zeros(32000, np.int16))
        assert library.scores.argmax() == silence
        loud = np.where(np.arange(32000) // 40 % 2, 32767, -32768).astype(np.int16)
        library.feed(loud)
        assert library.scores.sum() == pytest.approx(1, abs=0.05)


@pytest.mark.parametrize("compiler", ["gcc", "clang"])
def test_there_is_no_warning_and_the_sanitizers_find_nothing(compiler, c_files, tmp_path):
    if not shutil.which(compiler):
        pytest.skip(f"needs {compiler}")
    random = np.random.default_rng(0)
    for fixed in (False, True):
        folder = tmp_path / str(fixed)
        folder.mkdir()
        (folder / "kws.c").write_text(c_files(fixed).code)
        (folder / "kws.h").write_text(c_files(fixed).header)
        program = folder / "fuzzed"
        command = [
            compiler,
            "-std=c99",
            *WARNINGS,
            "-Werror",
            "-O1",
            "-g",
            "-fsanitize=address,undefined",
        ]
        command += ["-fno-sanitize-recover", f"-I{folder}", "-o", str(program)]
        command += [str(FUZZED), str(folder / "kws.c"), "-lm"]
        built = subprocess.run(command, capture_output=True, text=True)
        if "cannot find" in built.stderr and "libclang_rt" in built.stderr:
            pytest.skip(f"needs the sanitizers of {compiler}")
        assert (built.returncode, built.stderr) == (0, "")
        inputs = [
            b"",
            random.bytes(80_000),
            bytes(40_000),
            np.where(random.random(40_000) < 0.5, 32767, -32768).astype("<i2").tobytes(),
            (random.integers(-3, 4, 40_000)).astype("<i2").tobytes(),
        ]
        for given_bytes in inputs:
            done = subprocess.run([program], input=given_bytes, capture_output=True, timeout=60)
            assert (done.returncode, done.stderr) == (0, b"")


def test_two_recognisers_fit_into_one_program_also_in_cpp(recogniser, tmp_path):
    if not shutil.which("g++"):
        pytest.skip("needs g++")
    for prefix in ("kws", "other"):
        files = generate(recogniser, prefix, False)
        (tmp_path / f"{prefix}.c").write_text(files.code)
        (tmp_path / f"{prefix}.h").write_text(files.header)
    (tmp_path / "main.cpp").write_text(
        '#include "kws.h"\n#include "other.h"\nstatic kws_t one;\nstatic other_t two;\n'
        "int main() { kws_reset(&one); other_reset(&two);\n"
        "return !(kws_size() == other_size() && KWS_LABELS == OTHER_LABELS); }\n"
    )
    for prefix in ("kws", "other"):
        command = ["gcc", "-std=c99", *WARNINGS, "-Werror", "-c", f"{prefix}.c"]
        subprocess.run(command, cwd=tmp_path, check=True)
    command = ["g++", *WARNINGS, "-Werror", "main.cpp", "kws.o", "other.o", "-o", "main"]
    subprocess.run(command, cwd=tmp_path, check=True)
    assert subprocess.run([tmp_path / "main"]).returncode == 0


def test_another_matrix_product_can_be_used(c_files, open_library, words, tmp_path):
    """KWS_PRODUCT names a function, which a program may take from CMSIS-NN."""
    library = open_library(False)
    (tmp_path / "kws.c").write_text(c_files(False).code)
    (tmp_path / "kws.h").write_text(c_files(False).header)
    command = ["gcc", "-std=c99", *WARNINGS, "-Werror", "-O2", "-DKWS_PRODUCT=my_product"]
    command += ["-I.", str(OWN_PRODUCT), "kws.c", "-lm", "-o", "main"]
    subprocess.run(command, cwd=tmp_path, check=True)
    pcm = words[:64000].tobytes()
    done = subprocess.run([tmp_path / "main"], input=pcm, capture_output=True, check=True)
    library.feed(words[:64000])
    np.testing.assert_array_equal(np.array(done.stdout.split(), np.float32), library.scores)
