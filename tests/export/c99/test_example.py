"""The example: detections of a sound on standard input, and an end without losses."""

import shutil
import subprocess
from pathlib import Path

import numpy as np
import pytest

from export.c99.compiling import WARNINGS
from export.verification.golden_vectors import golden_stream_samples

EXAMPLE = Path(__file__).resolve().parents[3] / "export" / "c99" / "example.c"


@pytest.fixture(scope="module")
def program(c_files, tmp_path_factory):
    if not shutil.which("cc"):
        pytest.skip("needs a C compiler")
    folder = tmp_path_factory.mktemp("example")
    (folder / "kws.c").write_text(c_files(False).code)
    (folder / "kws.h").write_text(c_files(False).header)
    command = ["cc", "-std=c99", *WARNINGS, "-Werror", "-O2", f"-I{folder}", str(EXAMPLE)]
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


def test_all_samples_are_fed_also_where_the_ring_ends(tmp_path):
    """A stand-in for kws.c counts the samples."""
    (tmp_path / "kws.h").write_text(
        "#include <stddef.h>\n#include <stdint.h>\n"
        "typedef struct { size_t fed; } kws_t;\n"
        "typedef struct { int label; float confidence; uint64_t sample; } kws_detection_t;\n"
        "#define KWS_SAMPLE_RATE 1\n#define KWS_MAX_DETECTIONS(n) ((n) + 1)\n"
        "#define KWS_MAX_FINISH 1\n"
        'static const char *const kws_labels[] = {"fed"};\n'
        "static void kws_reset(kws_t *kws) { kws->fed = 0; }\n"
        "static int kws_feed(kws_t *kws, const int16_t *x, size_t n, kws_detection_t *out)\n"
        "{ (void)x; (void)out; kws->fed += n; return 0; }\n"
        "static int kws_finish(kws_t *kws, kws_detection_t *out)\n"
        "{ out->label = 0; out->confidence = 1; out->sample = kws->fed; return 1; }\n"
    )
    if not shutil.which("cc"):
        pytest.skip("needs a C compiler")
    command = [
        "cc",
        "-std=c99",
        *WARNINGS,
        "-Werror",
        f"-I{tmp_path}",
        str(EXAMPLE),
        "-o",
        tmp_path / "count",
    ]
    subprocess.run(command, check=True)
    for samples in (1, 160, 4096, 26 * 160, 8200, 52 * 160, 100_003):
        done = subprocess.run([tmp_path / "count"], input=bytes(2 * samples), capture_output=True)
        assert done.stdout == f"{samples}.00 fed 1.00\n".encode()


def test_no_sound_is_no_error(program):
    done = subprocess.run([program], input=b"", capture_output=True, timeout=60)
    assert (done.returncode, done.stdout, done.stderr) == (0, b"", b"")
