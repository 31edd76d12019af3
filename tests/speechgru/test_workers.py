"""Many sounds in several processes: the same results in the same order, whatever happens."""

import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
import soundfile

import speechgru
from speechgru import AudioError, ModelError, Recognizer, SpeechGRUError, workers
from speechgru.workers import recognize_all

linux = pytest.mark.skipif(sys.platform != "linux", reason="needs /proc and signals")


@pytest.fixture(scope="module")
def recognizer():
    return Recognizer("small")


@pytest.fixture
def clips(samples):
    return sorted(samples.glob("*.wav"))


def results(recognizer, sources, count, **options):
    return [
        result if not isinstance(result, Exception) else (type(result), str(result))
        for result in recognize_all(recognizer, sources, workers=count, **options)
    ]


def test_results_do_not_depend_on_the_number_of_processes(recognizer, clips, monkeypatch):
    monkeypatch.setattr(workers, "_CHUNK_BYTES", 4 * workers._LEAST_BYTES)
    expected = results(recognizer, clips, 1)
    assert len({result.label for result in expected}) > 5
    for count in (2, 3):
        assert results(recognizer, clips, count) == expected


def test_every_kind_of_source_gives_the_same_result_in_a_worker(recognizer, clips, tmp_path):
    encoded = clips[0].read_bytes()
    samples, rate = soundfile.read(clips[0], dtype="int16")
    resampled = tmp_path / "own_rate.wav"
    soundfile.write(resampled, samples, rate)
    (tmp_path / "empty.wav").touch()

    def sources():
        with clips[1].open("rb") as file:
            yield from (str(resampled), resampled, file, bytearray(encoded), samples)
        stereo = np.stack([samples, samples], axis=1)
        yield from (stereo, stereo[::-1], samples.astype(">f8") / 2**15, samples[:0])
        yield from (tmp_path, tmp_path / "none.wav", tmp_path / "empty.wav", b"", b"no sound", 3)
        yield from ("a\0b", "\udcff.wav", np.array(["a"]), np.full(16000, np.nan), "/dev/null")

    expected = results(recognizer, sources(), 1, sample_rate=rate)
    assert len(expected) == 20
    assert sum(isinstance(result, tuple) for result in expected) < 15
    assert results(recognizer, sources(), 2, sample_rate=rate) == expected


def test_errors_keep_their_class_and_message(recognizer, tmp_path):
    (tmp_path / "bad.wav").write_text("no sound")
    (error,) = recognize_all(recognizer, [tmp_path / "bad.wav"], workers=2)
    assert type(error) is AudioError
    assert str(error).startswith(f"{tmp_path / 'bad.wav'}: expected sound")
    (missing,) = recognize_all(recognizer, [tmp_path / "none.wav"], workers=2)
    assert (type(missing), missing.filename) == (FileNotFoundError, str(tmp_path / "none.wav"))


def test_warnings_of_a_worker_are_those_of_the_caller(recognizer):
    faint = np.full(16000, 7, np.int32)
    with pytest.warns(UserWarning, match="int32 samples have a peak of 7"):
        list(recognize_all(recognizer, [faint], 16000, workers=2))


def test_sources_are_taken_as_they_are_needed(recognizer, clips):
    taken = 0

    def endless():
        nonlocal taken
        while True:
            taken += 1
            yield clips[taken % len(clips)]

    found = recognize_all(recognizer, endless(), workers=2)
    for _ in range(100):
        next(found)
    found.close()
    assert 100 <= taken < 400


def test_an_array_may_be_overwritten_after_it_was_yielded(recognizer, clips):
    buffer = np.zeros(16000, np.float32)

    def sources():
        for clip in clips[:6]:
            samples, _ = soundfile.read(clip, dtype="float32")
            buffer[:] = np.resize(samples, buffer.shape)
            yield buffer

    expected = results(recognizer, sources(), 1, sample_rate=16000)
    assert results(recognizer, sources(), 2, sample_rate=16000) == expected


@linux
def test_an_error_of_the_iterable_reaches_the_caller_and_no_process_stays(recognizer, clips):
    def sources():
        yield from clips[:3]
        raise KeyError("gone")

    before = children()  # other tests may have left some, as multiprocessing does
    with pytest.raises(KeyError, match="gone"):
        list(recognize_all(recognizer, sources(), workers=2))
    assert children() == before


@linux
def test_a_crash_costs_one_source(recognizer, clips, monkeypatch):
    monkeypatch.setattr(
        workers.worker_process,
        "COMMAND",
        "import os, sys; sys.path[:] = {path!r}; from speechgru import audio, worker_process;"
        "load = audio.load; audio.load = "
        "lambda source, rate: os.kill(os.getpid(), 11) if b'x' == source else load(source, rate);"
        "worker_process.serve()",
    )
    first, crash, last, again = recognize_all(
        recognizer, [clips[0], b"x", clips[1], b"x"], workers=2
    )
    assert first == recognizer.recognize(clips[0])
    assert last == recognizer.recognize(clips[1])
    assert type(crash) is type(again) is AudioError
    assert str(crash) == (
        "<bytes>: expected sound that can be decoded, "
        "found that decoding it ended the process with signal 11"
    )


DIES_ONCE = (
    "import os, sys; sys.path[:] = {{path!r}}; from speechgru import audio, worker_process;"
    "first = lambda: not os.path.exists({marker!r}) and (open({marker!r}, 'w').close() or True);"
    "{where}; worker_process.serve()"
)


@linux
@pytest.mark.parametrize(
    "where",
    [
        "first() and os.kill(os.getpid(), 9)",
        "load = audio.load;"
        "audio.load = lambda source, rate: os.kill(os.getpid(), 9) if first() "
        "else load(source, rate)",
    ],
)
def test_a_killed_worker_costs_no_result(where, recognizer, clips, tmp_path, monkeypatch):
    command = DIES_ONCE.format(marker=str(tmp_path / "killed"), where=where)
    monkeypatch.setattr(workers.worker_process, "COMMAND", command)
    expected = results(recognizer, clips[:6], 1)
    assert results(recognizer, clips[:6], 2) == expected
    assert (tmp_path / "killed").exists()


def test_too_few_threads_for_all_workers_are_enough(recognizer, clips, monkeypatch):
    monkeypatch.setattr(workers, "_CHUNK_BYTES", workers._LEAST_BYTES)
    expected = results(recognizer, clips[:6], 1)
    limit_threads(monkeypatch, 1)
    assert results(recognizer, clips[:6], 4) == expected
    limit_threads(monkeypatch, 0)
    with pytest.raises(SpeechGRUError, match="expected a thread, found: can't start new thread"):
        results(recognizer, clips[:6], 4)


def limit_threads(monkeypatch, count):
    """Let so many threads start, as where the system has no memory for more."""
    left = [None] * count

    def start(thread):
        if not left:
            raise RuntimeError("can't start new thread")
        left.pop()
        return begin(thread)

    begin = workers.threading.Thread.start
    monkeypatch.setattr(workers.threading.Thread, "start", start)


def test_an_iterable_may_change_the_current_folder(recognizer, clips, tmp_path, monkeypatch):
    names = ("a", "b")
    for name, clip in zip(names, (clips[0], clips[-1]), strict=True):
        (tmp_path / name).mkdir()
        shutil.copyfile(clip, tmp_path / name / "clip.wav")
    monkeypatch.chdir(tmp_path)  # also changes back

    def sources():
        for name in names:
            os.chdir(tmp_path / name)
            yield "clip.wav"

    expected = [recognizer.recognize(tmp_path / name / "clip.wav") for name in names]
    assert expected[0].label != expected[1].label
    assert results(recognizer, sources(), 2) == expected


def test_a_worker_that_does_not_start_is_an_error(recognizer, clips, monkeypatch):
    monkeypatch.setattr(workers.worker_process, "COMMAND", "raise SystemExit(3)")
    with pytest.raises(SpeechGRUError, match="a worker process, found that it ended with exit c"):
        list(recognize_all(recognizer, clips, workers=2))


def test_a_worker_that_cannot_be_started_is_an_error(recognizer, clips, monkeypatch):
    monkeypatch.setattr(sys, "executable", "/nowhere/python")
    with pytest.raises(SpeechGRUError, match="expected a worker process, found: No such file"):
        list(recognize_all(recognizer, clips, workers=2))


def test_a_model_that_is_gone_is_an_error(tmp_path, clips):
    path = tmp_path / "model.tflite"
    shutil.copyfile(Recognizer("small")._file.name, path)
    recognizer = Recognizer(path)
    path.write_bytes(b"no model")
    with pytest.raises(ModelError, match=r"model\.tflite: expected"):
        list(recognize_all(recognizer, clips, workers=2))


@linux
def test_no_process_outlives_a_killed_main_process(samples):
    code = (
        "import itertools, sys; from speechgru import Recognizer, workers\n"
        "found = workers.recognize_all(Recognizer('small'), itertools.repeat(sys.argv[1]),"
        " workers=2)\n"
        "for _ in range(300): next(found)\n"
        "print(*(worker._process.pid for worker in found.gi_frame.f_locals['pool']._workers))\n"
        "sys.stdout.flush()\n"
        "for _ in found: pass"
    )
    command = [sys.executable, "-c", code, str(min(samples.glob("yes*.wav")))]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        pids = [int(pid) for pid in process.stdout.readline().split()]
        process.send_signal(signal.SIGKILL)
    assert pids
    deadline = time.monotonic() + 20
    while any(map(is_running, pids)) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not any(map(is_running, pids))


def test_a_script_needs_no_guard_and_threads_may_recognise_at_once(samples, tmp_path):
    script = tmp_path / "script.py"
    script.write_text(
        "import pathlib, sys, threading\n"
        "from speechgru import Recognizer, workers\n"
        "files = sorted(pathlib.Path(sys.argv[1]).glob('yes*.wav'))\n"
        "recognizer = Recognizer()\n"
        "def run(): print({r.label for r in workers.recognize_all(recognizer, files, workers=2)})\n"
        "threads = [threading.Thread(target=run) for _ in range(2)]\n"
        "[thread.start() for thread in threads]\n"
    )
    done = subprocess.run(
        [sys.executable, script, samples],
        capture_output=True,
        text=True,
        timeout=60,
        env={**os.environ, "PYTHONPATH": str(Path(speechgru.__file__).parents[1])},
    )
    assert done.stdout.split() == ["{'yes'}"] * 2, done.stderr


def is_running(pid):
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except FileNotFoundError:
        return False
    return state != "Z"


def children():
    """Processes that this one has started and that run."""
    tasks = Path(f"/proc/{os.getpid()}/task").glob("*/children")  # those of each thread
    return {pid for task in tasks for pid in task.read_text().split() if is_running(pid)}
