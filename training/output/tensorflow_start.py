"""Start TensorFlow without the notes that it writes to stderr on every start.

TensorFlow writes some lines before it reads TF_CPP_MIN_LOG_LEVEL, and reports a machine without a
GPU as an error ("failed call to cuInit"). No setting hides these. `start_tensorflow` sends stderr
through a second process while TensorFlow starts. That process runs this file. It drops the lines
that are known to be harmless and passes on all others, also when TensorFlow aborts the program.
"""

import contextlib
import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path

LOG_LEVEL = "TF_CPP_MIN_LOG_LEVEL"  # TensorFlow's: 0 shows all, 1 warnings, 2 errors
NOTES = re.compile(
    r"WARNING: All log messages before absl::InitializeLog\(\)"
    r"|I\d{4} \d\d:"  # information, as Abseil writes it
    r"|\d{4}-\d\d-\d\d \S+ I "  # information, as TensorFlow writes it
    r"|To enable the following instructions:"  # a note's second line
    r"|.*failed call to cuInit"
)


def start_tensorflow() -> None:
    """Import TensorFlow and look for its devices, without the usual notes on stderr.

    Call it after the arguments are parsed and before anything that imports TensorFlow or Keras.
    Warnings are shown on a machine with a driver for NVIDIA GPUs, where they may say why the GPU
    is not used. A user who sets TF_CPP_MIN_LOG_LEVEL gets what that level shows, unfiltered.
    """
    if "tensorflow" in sys.modules:
        return
    level = os.environ.get(LOG_LEVEL)
    os.environ.setdefault(LOG_LEVEL, "1" if has_gpu_driver() else "2")
    with contextlib.nullcontext() if level else _filtered_stderr():
        import tensorflow as tf

        tf.config.list_physical_devices()


def has_gpu_driver() -> bool:
    """Return whether a driver for NVIDIA GPUs is loaded (Linux, or Linux inside Windows)."""
    return any(
        Path(path).exists() for path in ("/dev/nvidiactl", "/proc/driver/nvidia", "/dev/dxg")
    )


@contextlib.contextmanager
def _filtered_stderr() -> Iterator[None]:
    """Send what any library writes to stderr through `worth_showing`, in a process of its own."""
    if sys.stderr is None:
        yield
        return
    sys.stderr.flush()
    stderr = os.dup(2)
    command = [sys.executable, "-I", "-S", __file__]
    try:
        with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=stderr) as process:
            assert process.stdin is not None
            os.dup2(process.stdin.fileno(), 2)
            try:
                yield
            finally:
                os.dup2(stderr, 2)  # closes the last way in but `process.stdin`
    finally:
        os.close(stderr)


def worth_showing(lines: Iterable[str], gpu: bool) -> Iterator[str]:
    """Leave out TensorFlow's usual notes; with a GPU's driver, keep those that mention CUDA."""
    for line in lines:
        if not NOTES.match(line) or (gpu and "cuda" in line.lower()):
            yield line


def _filter() -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the script
    with open(0, errors="surrogateescape") as lines, open(1, "w", errors="surrogateescape") as out:
        for line in worth_showing(lines, has_gpu_driver()):
            out.write(line)
            out.flush()


if __name__ == "__main__":
    _filter()
