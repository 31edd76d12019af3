"""The example: detections of a sound on standard input, and an end without losses."""

import shutil
import subprocess
from pathlib import Path

import numpy as np
import pytest

from export.c99.library import WARNINGS
from export.verification.golden_vectors import golden_stream_samples

EXAMPLE = Path(__file__).resolve().parents[3] / "export" / "c99" / "example.c"


@pytest.fixture(scope="module")
def program(c_files, tmp_path_factory):
    if not shutil.which("cc"):
        pytest.skip("needs a C compiler")
    folder = tmp_path_factory.mktemp("example")
    (folder / "kws.c").write_text(c_files(False).code)
    (folder / "kws.h").write_text(c_files(False).header)
    command = ["cc", "-std=c99", *WARNINGS, "-O2", f"-I{folder}", str(EXAMPLE)]
    subprocess.run([*command, str(folder / "kws.c"), "-lm", "-o", folder / "listen"], check=True)
    return folder / "listen"


def test_it_prints_what_the_library_detects(program, open_library, recogniser):
    pcm = np.concatenate([golden_stream_samples(16000, 640), np.zeros(77, np.int16)])
    done = subprocess.run([program], input=pcm.tobytes(), capture_output=True, timeout=60)
    assert (done.returncode, done.stderr) == (0, b"")
    library = open_library(False)
    found = library.feed(pcm) + library.finish()
    assert len(found) >= 2
    labels = recogniser.rule.labels
    assert done.stdout.decode().splitlines() == [
        f"{one.sample / 16000:.2f} {labels[one.label]} {one.confidence:.2f}" for one in found
    ]


def test_no_sound_is_no_error(program):
    done = subprocess.run([program], input=b"", capture_output=True, timeout=60)
    assert (done.returncode, done.stdout, done.stderr) == (0, b"", b"")
