"""Tests of training/output/tensorflow_start.py."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from training.output.tensorflow_start import worth_showing

ROOT = Path(__file__).resolve().parents[3]
NOTES = [  # of TensorFlow 2.21 on a machine without a GPU
    "WARNING: All log messages before absl::InitializeLog() is called are written to STDERR\n",
    "I0000 00:00:1795722838.737577 5017 port.cc:153] oneDNN custom operations are on.\n",
    "2026-01-02 03:04:05.678901: I tensorflow/core/util/port.cc:153] oneDNN is on.\n",
    "To enable the following instructions: AVX2 FMA, rebuild TensorFlow.\n",
]
NO_GPU = [
    "I0000 00:00:1795722838.7 5017 cudart_stub.cc:31] Could not find cuda drivers\n",
    "E0000 00:00:1795722846.0 5017 cuda_platform.cc:52] failed call to cuInit: UNKNOWN ERROR\n",
]
ERRORS = [
    "W0000 00:00:1795722846.0 5017 gpu_device.cc:2342] Cannot dlopen some GPU libraries.\n",
    "E0000 00:00:1795722846.0 5017 cuda_dnn.cc:522] Loaded runtime CuDNN library: 9.1\n",
    "F0000 00:00:1795722846.0 5017 cpu_feature_guard.cc:9] compiled to use AVX instructions\n",
    "Traceback (most recent call last):\n",
]


def test_notes_of_a_machine_without_a_gpu_are_left_out():
    assert list(worth_showing([*NOTES, *NO_GPU, *ERRORS], gpu=False)) == ERRORS


def test_a_gpus_driver_makes_messages_about_cuda_worth_showing():
    assert list(worth_showing([*NOTES, *NO_GPU, *ERRORS], gpu=True)) == [*NO_GPU, *ERRORS]


def python(code: str, **environment: str) -> subprocess.CompletedProcess:
    env = {name: value for name, value in os.environ.items() if name != "TF_CPP_MIN_LOG_LEVEL"}
    return subprocess.run(
        [sys.executable, "-c", code],
        cwd=ROOT,
        env=env | environment,
        capture_output=True,
        text=True,
        errors="replace",
        timeout=120,
    )


FILTERED = """
import os, sys
from training.output import tensorflow_start
with tensorflow_start._filtered_stderr():
    os.write(2, b"I0000 00:00:1.0 1 port.cc:1] a note\\n")
    {inside}
print("after", file=sys.stderr)
"""


def test_other_messages_keep_their_order():
    done = python(FILTERED.format(inside=r'os.write(2, b"E0000 broken\nbyte \xff\n")'))
    assert done.stderr.splitlines()[:2] == ["E0000 broken", "byte \N{REPLACEMENT CHARACTER}"]
    assert done.stderr.endswith("after\n")


@pytest.mark.skipif(os.name == "nt", reason="Windows has no SIGABRT")
def test_the_last_words_of_an_aborted_program_are_shown():
    done = python(FILTERED.format(inside=r'os.write(2, b"F0000 no AVX"); os.abort()'))
    assert done.returncode < 0
    assert done.stderr == "F0000 no AVX"


def test_an_exception_while_starting_is_raised():
    done = python(FILTERED.format(inside='raise RuntimeError("no TensorFlow")'))
    assert done.stderr.endswith("RuntimeError: no TensorFlow\n")
    assert "a note" not in done.stderr


@pytest.mark.skipif(Path("/dev/nvidiactl").exists(), reason="for machines without a GPU")
def test_tensorflow_starts_in_silence():
    done = python(
        "from training.output.tensorflow_start import start_tensorflow\n"
        "start_tensorflow()\n"
        "import tensorflow as tf\n"
        "print(int(tf.constant(1) + 1))"
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "2\n", "")
