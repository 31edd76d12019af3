"""Fixtures of many tests: samples, a folder of artificial words, a trained run, its export."""

import functools
import os
import signal
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
# On a GPU: no TF32 in cuBLAS and cuDNN, so that results are those of float32 (TF32 is 6e-4 away);
# and several processes share its memory.
os.environ.setdefault("NVIDIA_TF32_OVERRIDE", "0")
os.environ.setdefault("TF_FORCE_GPU_ALLOW_GROWTH", "true")

ROOT = Path(__file__).resolve().parents[1]
RECIPE = """
preset = "small"
epochs = 3
steps = 40
batch_size = 32
learning_rate = 1e-2
weight_decay = 1e-3
spliced_share = 0
[augment]
snr_db = [10, 30]
gain_db = [-6, 6]
speed = 0.05
eq_db = 1
band_limit_share = 0
reverb_share = 0
time_masks = 0
mel_masks = 0
"""


def chirp(word: str, pitch: float, rng: np.random.Generator) -> np.ndarray:
    """Half a second that stands for a word: rising for yes, falling for no, level for bird."""
    time = np.arange(8000) / 16000
    slope = {"yes": 1.0, "no": -1.0, "bird": 0.0}[word]
    phase = 2 * np.pi * pitch * 300 * (3 * time + slope * (2 * time**2 - time))
    sound = np.hanning(8000) * sum(np.sin(k * phase) / k for k in range(1, 6))
    return 0.2 * sound + 1e-3 * rng.normal(size=8000)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Order the tests for `-n 2 --dist loadfile --no-loadscope-reorder`.

    The tests of a file run in one process, and share what they train. What takes long comes first:
    a long file that started last would leave the other processes idle. If all began with the
    trained run, they would wait until one has trained it.
    """
    fixtures = {item: getattr(item, "fixturenames", ()) for item in items}
    long = {item.path for item in items if "word_folder" in fixtures[item]}
    long |= {item.path for item in items if item.path.name == "test_docs.py"}
    trained = {item.path for item in items if "run_folder" in fixtures[item]}
    items.sort(key=lambda item: (item.path not in long, item.path in trained))


def made_once(factory: pytest.TempPathFactory, name: str, make: Callable[[Path], None]) -> Path:
    """A path where one process of pytest-xdist has made a file or folder, for all processes."""
    from filelock import FileLock

    folder = factory.getbasetemp()
    if "PYTEST_XDIST_WORKER" in os.environ:
        folder = folder.parent
    path = folder / name
    with FileLock(folder / f"{name}.lock"):
        if not path.exists():
            make(path)
    return path


@pytest.fixture
def interrupt() -> Callable[..., tuple[int, str, str]]:
    """Run a command, press Ctrl-C after a line that `begins` so: code, later output, errors."""

    def run(
        command: list[str], begins: str, timeout: float, **options: Any
    ) -> tuple[int, str, str]:
        process = subprocess.Popen(
            command,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            # The tests may run in the background, where SIGINT is ignored and this is inherited.
            preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
            **options,
        )
        try:
            assert process.stdout is not None
            next(line for line in process.stdout if line.startswith(begins))
            process.send_signal(signal.SIGINT)
            output, errors = process.communicate(timeout=timeout)
        finally:
            process.kill()
        return process.returncode, output, errors

    return run


@pytest.fixture
def on_cpu() -> Iterator[None]:
    """Place what TensorFlow computes on the CPU, where two runs are equal bit for bit."""
    import tensorflow as tf

    with tf.device("/CPU:0"):
        yield


@pytest.fixture(scope="session")
def samples() -> Path:
    """The repository's sample recordings, `<word>-<voice>-<format>.wav`."""
    return ROOT / "samples"


@pytest.fixture(scope="session")
def real_data() -> Path:
    """Speech Commands recordings, from SPEECHGRU_DATA; the test is skipped without them."""
    folder = os.environ.get("SPEECHGRU_DATA")
    if not folder:
        pytest.skip("needs recordings: set SPEECHGRU_DATA to a Speech Commands folder")
    return Path(folder)


@pytest.fixture(scope="session")
def word_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Three "words" by ten speakers, three takes each, and a background noise."""
    folder = tmp_path_factory.mktemp("words")
    rng = np.random.default_rng(0)
    for word in ("yes", "no", "bird"):
        (folder / word).mkdir()
        for speaker in range(10):
            pitch = 0.8 + 0.04 * speaker
            for take in range(3):
                path = folder / word / f"speaker{speaker}_nohash_{take}.wav"
                soundfile.write(path, chirp(word, pitch * rng.uniform(0.98, 1.02), rng), 16000)
    (folder / "_background_noise_").mkdir()
    hiss = 0.02 * rng.normal(size=16000 * 12)
    soundfile.write(folder / "_background_noise_" / "hiss.wav", hiss, 16000)
    return folder


@pytest.fixture(scope="session")
def recipe_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A recipe that learns `word_folder` in seconds."""
    path = tmp_path_factory.mktemp("recipe") / "quick.toml"
    path.write_text(RECIPE)
    return path


@pytest.fixture(scope="session")
def short_noises() -> Iterator[None]:
    """Make noises of one second instead of twelve, which takes longer than a short training."""
    pytest.importorskip("scipy", reason="needs the extra train")
    from training.data.synthetic_noise import synthetic_noise

    with pytest.MonkeyPatch.context() as patch:
        short = functools.partial(synthetic_noise, seconds=1)
        patch.setattr("training.data.task.synthetic_noise", short)
        yield


@pytest.fixture(scope="session")
def run_folder(
    tmp_path_factory: pytest.TempPathFactory,
    word_folder: Path,
    recipe_file: Path,
    short_noises: None,
) -> Path:
    """A run of the training script on `word_folder`, with the commands yes and no."""
    pytest.importorskip("tensorflow", reason="needs the extra train")
    from training.train import main

    arguments = ["--data", str(word_folder), "--recipe", str(recipe_file), "--words", "yes", "no"]

    def train(out: Path) -> None:
        assert main([*arguments, "--out", str(out)]) == 0

    return made_once(tmp_path_factory, "quick", train)


@pytest.fixture(scope="session")
def model_file(tmp_path_factory: pytest.TempPathFactory, run_folder: Path) -> Path:
    """The run's model exported in float32."""
    from export.export import main

    def export(folder: Path) -> None:
        folder.mkdir()
        out = folder / "quick.tflite"
        assert main([str(run_folder), "--quantize", "none", "--out", str(out)]) == 0

    return made_once(tmp_path_factory, "export", export) / "quick.tflite"
