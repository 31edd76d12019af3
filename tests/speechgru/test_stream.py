"""Streams of live audio: the same detections whatever the blocks, and nothing spoils a stream."""

import copy
import itertools
import os
import pickle
import shutil
import subprocess
import sys
import threading
import tracemalloc

import numpy as np
import pytest
import soxr
from hypothesis import given, settings
from hypothesis import strategies as st

import speechgru
from speechgru import AudioError, Recognizer, modelfile
from speechgru.detection import default_settings

RATES = (4000, 8000, 11025, 15999, 16000, 22050, 44100, 48000, 96000, 192000)
WORDS = ("yes-festival-kal-32k-pcm16.wav", "left-espeak-male-44k1-pcm24-stereo.wav")


@pytest.fixture(scope="module")
def recognizer(tmp_path_factory):
    """The bundled `small` with the default thresholds, which its words reach."""
    path = tmp_path_factory.mktemp("model") / "small.tflite"
    shutil.copy(modelfile.BUNDLED["small"], path)
    model = modelfile.read(path)
    modelfile.write_detection(path, default_settings(model.labels))
    return Recognizer(path)


@pytest.fixture(scope="module")
def words(samples):
    """Two words with pauses, 16 kHz."""
    pause = np.zeros(8000, np.float32)
    loaded = [speechgru.audio.load(samples / name) for name in WORDS]
    return np.concatenate([part for word in loaded for part in (pause, word, pause, pause)])


@pytest.fixture(scope="module")
def signals(words):
    """The words at each rate."""
    return {rate: soxr.resample(words, 16000, rate) if rate != 16000 else words for rate in RATES}


def feed(stream, signal, sizes):
    """All detections of a signal that is fed in blocks of given sizes, which repeat."""
    found, start, sizes = [], 0, itertools.cycle(sizes)
    while start < len(signal):
        size = next(sizes)
        found += stream.feed(signal[start : start + size])
        start += size
    return found + stream.finish()


@pytest.mark.parametrize("rate", RATES[1:])  # 4 kHz leave too little of a word
def test_words_are_detected_at_any_rate(recognizer, signals, rate):
    found = feed(recognizer.stream(rate), signals[rate], [rate // 10])
    assert [detection.label for detection in found] == ["yes", "left"]
    expected = feed(recognizer.stream(), signals[16000], [1600])
    times = [detection.time for detection in found]
    assert times == pytest.approx([detection.time for detection in expected], abs=0.121)


def feed_and_record(stream, signal, sizes):
    """The detections, and the scores that the network gave after each hop."""
    recorded = []
    push = stream._detector.push
    stream._detector.push = lambda scores: recorded.append(scores) or push(scores)
    return feed(stream, signal, sizes), recorded


@settings(max_examples=40, deadline=None)
@given(
    rate=st.sampled_from(RATES),
    sizes=st.lists(st.integers(0, 60) | st.integers(1, 5000), min_size=1, max_size=6),
    channels=st.sampled_from([None, 1, 2, 3]),
    dtype=st.sampled_from(["int16", "int32", "uint8", "float32", "float64", "float16"]),
)
def test_scores_and_detections_do_not_depend_on_the_blocks(
    recognizer, signals, rate, sizes, channels, dtype
):
    sizes = [*sizes, rate // 100]  # lest there are too many blocks
    signal = signals[rate][: 7 * rate // 4]  # the first word
    if channels is not None:
        weights = np.array([1.0, -0.9, 0.5])[:channels]
        signal = (signal[:, np.newaxis] * weights).astype(np.float32)
    signal = to_dtype(signal, dtype)
    expected = feed_and_record(recognizer.stream(rate), signal, [len(signal)])
    if rate > 8000 and dtype != "uint8":  # otherwise too little of the word may be left
        assert len(expected[0]) == 1
    assert feed_and_record(recognizer.stream(rate), signal, sizes) == expected


def to_dtype(signal, dtype):
    if dtype == "uint8":
        return np.round(128 + 127 * signal).astype(np.uint8)
    if dtype.startswith("int"):
        return np.round(signal.astype(np.float64) * np.iinfo(dtype).max).astype(dtype)
    return signal.astype(dtype)


def test_blocks_of_one_sample_give_the_same_detections(recognizer, signals):
    signal = signals[8000][:14000]
    expected = feed_and_record(recognizer.stream(8000), signal, [len(signal)])
    assert len(expected[0]) == 1
    assert feed_and_record(recognizer.stream(8000), signal, [1]) == expected


def test_channels_that_cancel_out_are_inverted(recognizer, words):
    stereo = np.stack([words, -words], axis=1)
    expected = feed(recognizer.stream(), words, [1000])
    found = feed(recognizer.stream(), stereo, [1000])
    assert [d.label for d in found] == [d.label for d in expected]
    left_only = np.stack([words, np.zeros_like(words)], axis=1)
    assert [d.label for d in feed(recognizer.stream(), left_only, [1000])] == ["yes", "left"]


BAD_BLOCKS = (
    (np.array([0.1, np.nan], np.float32), "expected finite samples, found NaN"),
    (np.array([np.inf, 0.1]), "expected finite samples, found infinity"),
    (np.array([0.0, -20.0], np.float32), "expected samples in .*, found a peak of 20"),
    (np.array([[0.1, np.nan], [0.0, 0.0]]), "expected finite samples, found NaN|expected 1 chan"),
    (np.zeros(5, np.int64), "expected a dtype of .*int16.*, found dtype"),
    (np.zeros(5, complex), "expected a dtype of .*, found dtype"),
    (np.array(["a"]), "expected a dtype of .*, found dtype"),
    (np.zeros((2, 3, 4), np.int16), r"expected samples shaped .*, found shape \(2, 3, 4\)"),
    (np.float32(0.5), "expected a numpy array, found float32"),
    (np.array(0.5), r"expected samples shaped .*, found shape \(\)"),
    (np.zeros((4, 0), np.int16), r"expected samples shaped .*, found shape \(4, 0\)"),
    (np.zeros((3, 2000), np.int16), "at most 1024 channels"),
    ([0.0, 0.1], "expected a numpy array, found list"),
    (b"\0\0", "expected a numpy array, found bytes"),
    (None, "expected a numpy array, found NoneType"),
    (np.zeros((7, 2), np.float32), r"expected 1 channel\(s\) as in the first block, found 2"),
)


@pytest.mark.parametrize(("bad", "message"), BAD_BLOCKS)
def test_a_bad_block_is_named_and_changes_nothing(recognizer, words, bad, message):
    expected = feed(recognizer.stream(), words, [1234])
    stream = recognizer.stream()
    found = []
    for start in range(0, len(words), 1234):
        found += stream.feed(words[start : start + 1234])
        if start % 5 == 0:
            with pytest.raises(AudioError, match=message) as caught:
                stream.feed(bad)
            assert "<block>: expected" in str(caught.value)
    assert found + stream.finish() == expected


def test_a_bad_first_block_does_not_decide_the_channels(recognizer, words):
    stream = recognizer.stream()
    with pytest.raises(AudioError, match="NaN"):
        stream.feed(np.full((100, 2), np.nan))
    assert stream.feed(np.empty((0, 2))) == []
    assert len(stream.feed(words) + stream.finish()) == 2


@pytest.mark.parametrize("rate", [3999, 192001, 0, -1, 44100.5, None, "16000", True, float("nan")])
def test_a_rate_out_of_range_is_refused(recognizer, rate):
    with pytest.raises(AudioError, match="expected a sample rate of 4000 to 192000 Hz, found"):
        recognizer.stream(rate)


def test_a_threshold_out_of_range_is_refused(recognizer, words):
    for threshold in (0, -1, 1.01, "0.5", float("nan")):
        with pytest.raises(ValueError, match="threshold"):
            recognizer.stream(threshold=threshold)
        with pytest.raises(ValueError, match="threshold"):
            recognizer.iter_detections(words, threshold, sample_rate=16000)


def test_a_threshold_replaces_those_of_the_file(recognizer, words):
    for threshold, found in ((0.3, 2), (0.6, 2), (1.0, 0)):
        detections = feed(recognizer.stream(threshold=threshold), words, [1600])
        assert len(detections) == found
        assert all(detection.confidence >= threshold for detection in detections)


def test_reset_and_leaving_the_context_start_anew(recognizer, words):
    stream = recognizer.stream()
    expected = feed(stream, words, [1600])
    stream.feed(words[:9000])
    stream.reset()
    assert feed(stream, words, [777]) == expected
    with stream as same:
        assert same is stream
        stream.feed(words[:20001].reshape(-1, 3))  # another number of channels
    assert feed(stream, words, [777]) == expected


def test_a_word_that_ends_with_the_recording_is_detected(recognizer, samples):
    word = speechgru.audio.load(samples / WORDS[0])
    loud = np.flatnonzero(np.abs(word) > 0.02)
    signal = np.concatenate([np.zeros(16000, np.float32), word[: loud[-1]]])
    [detection] = recognizer.detect(signal, sample_rate=16000)
    assert detection.label == "yes"
    assert 1 < detection.time <= len(signal) / 16000


def test_detect_gives_what_a_stream_gives(recognizer, words, signals, tmp_path):
    expected = feed(recognizer.stream(), words, [1000])
    assert recognizer.detect(words, sample_rate=16000) == expected
    import soundfile

    path = tmp_path / "words.wav"
    soundfile.write(path, signals[44100], 44100, "FLOAT")
    expected = feed(recognizer.stream(44100), signals[44100], [1000])
    for source in (path, path.read_bytes()):
        assert recognizer.detect(source) == expected
    seconds = []
    assert list(recognizer.iter_detections(path, progress=seconds.append)) == expected
    assert seconds == sorted(seconds)
    assert seconds[-1] == pytest.approx(len(words) / 16000, abs=1e-3)


def test_detect_names_a_bad_source(recognizer, tmp_path):
    with pytest.raises(FileNotFoundError, match=r"none\.wav"):
        recognizer.detect(tmp_path / "none.wav")
    (tmp_path / "bad.wav").write_text("words")
    with pytest.raises(AudioError, match=r"bad\.wav: expected"):
        recognizer.detect(tmp_path / "bad.wav")
    with pytest.raises(AudioError, match="<array>: expected finite samples"):
        recognizer.detect(np.full(100_000, np.nan), sample_rate=16000)
    with pytest.raises(AudioError, match="<array>: expected a sample_rate"):
        recognizer.detect(np.zeros(100))
    with pytest.raises(AudioError, match="<list>: expected a path"):
        recognizer.detect([np.zeros(100)], sample_rate=16000)


def test_detect_uses_the_bundled_model(words):
    assert speechgru.detect(words, sample_rate=16000) == Recognizer().detect(
        words, sample_rate=16000
    )


def test_streams_in_threads_are_independent(recognizer, signals):
    rates = (8000, 16000, 44100, 48000)
    expected = {rate: feed(recognizer.stream(rate), signals[rate], [500]) for rate in rates}
    found = {}

    def run(rate):
        found[rate] = feed(recognizer.stream(rate), signals[rate], [333])

    threads = [threading.Thread(target=run, args=(rate,)) for rate in rates]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == expected


def test_a_stream_does_not_wait_for_another(recognizer, words):
    busy = recognizer.stream()
    with busy._lock, recognizer._lock:  # as while another thread uses them
        assert len(feed(recognizer.stream(), words, [1000])) == 2


def test_a_stream_is_not_pickled_or_copied_but_its_recognizer_is(recognizer, words):
    stream = recognizer.stream()
    stream.feed(words[:5000])
    for use in (pickle.dumps, copy.copy, copy.deepcopy):
        with pytest.raises(TypeError, match="a Stream cannot be pickled or copied"):
            use(stream)
    other = pickle.loads(pickle.dumps(recognizer))
    assert feed(other.stream(), words, [500]) == feed(recognizer.stream(), words, [500])


FORKED = """
import os, sys, threading
import numpy as np
import speechgru

signal = speechgru.audio.load(sys.argv[1])
signal = np.concatenate([np.zeros(8000, np.float32), signal, np.zeros(16000, np.float32)])
recognizer = speechgru.Recognizer("small")

def feed(stream, signal):
    return [d for i in range(0, len(signal), 500) for d in stream.feed(signal[i : i + 500])]

expected = feed(recognizer.stream(), signal)
recognizer.recognize(signal, 16000)
busy, half, stop = recognizer.stream(), recognizer.stream(), threading.Event()
begun = feed(half, signal[:12345])

def keep_busy():
    while not stop.is_set():
        busy.feed(signal)

thread = threading.Thread(target=keep_busy)
thread.start()
codes = []
for _ in range(6):
    if (child := os.fork()) == 0:
        same = begun + feed(half, signal[12345:]) == expected  # goes on
        busy.reset()
        same = same and feed(busy, signal) == expected
        same = same and feed(recognizer.stream(), signal) == expected
        recognizer.recognize(signal, 16000)
        os._exit(0 if same else 1)
    codes.append(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
stop.set()
thread.join()
print(codes, len(expected), begun + feed(half, signal[12345:]) == expected)
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
def test_streams_work_in_a_forked_process(samples):
    done = subprocess.run(
        [sys.executable, "-c", FORKED, str(samples / WORDS[0])],
        capture_output=True,
        text=True,
        timeout=100,
    )
    assert done.stdout == f"{[0] * 6} 1 True\n", done.stderr


def test_memory_and_times_stay_as_they_are(recognizer, words):
    minute = np.resize(words, 60 * 16000)
    minute = np.round(minute * 32767).astype(np.int16)
    stream = recognizer.stream()
    found, memory = [], []
    for _ in range(12):
        found.append(stream.feed(minute))
        memory.append(resident_pages())
    times = [[round(d.time - 60 * i, 6) for d in minute] for i, minute in enumerate(found)]
    assert len(times[1]) > 20
    for later in times[2:]:  # rounding to int8 may move one by a hop
        assert later == pytest.approx(times[1], abs=0.041)
    assert memory[-1] - memory[2] < 64  # pages


def resident_pages():
    try:
        with open("/proc/self/statm") as file:
            return int(file.read().split()[1])
    except OSError:
        pytest.skip("needs /proc")


def test_a_long_block_of_many_channels_needs_little_memory(recognizer):
    block = np.broadcast_to(np.int16(3), (60_000, 200))  # 48 MB as float32
    stream = recognizer.stream(192_000)
    stream.feed(block[:1])
    tracemalloc.start()
    try:
        stream.feed(block)
        assert tracemalloc.get_traced_memory()[1] < 10_000_000
    finally:
        tracemalloc.stop()


def test_the_callers_floating_point_settings_do_not_matter(recognizer):
    blocks = np.full(4800, 1e-40, np.float32), np.full(4800, 1e-7, np.float16)
    with np.errstate(all="raise"):
        stream = recognizer.stream(48000)
        for block in blocks:
            stream.feed(block)
        with pytest.raises(AudioError, match="NaN"):
            stream.feed(np.full(480, np.nan))
