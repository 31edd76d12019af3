"""The bundled small model on an emulated Cortex-M4F."""

import pytest

from export.c99.emulation.cores import CORES
from export.c99.emulation.measurement import measure, run_on_host

M4F = CORES[0]
KB = 1024

pytestmark = pytest.mark.skipif(
    M4F.missing_tool() is not None, reason=f"needs {M4F.packages} (Debian)"
)


@pytest.fixture(scope="module")
def folder(tmp_path_factory, c_files):
    folder = tmp_path_factory.mktemp("small")
    (folder / "kws.c").write_text(c_files(False).code)
    (folder / "kws.h").write_text(c_files(False).header)
    return folder


def test_it_gives_the_results_of_this_computer_within_its_memory_and_time(folder):
    expected = run_on_host(folder)
    assert [d.label for d in expected.streams[-1].detections] == ["yes", "stop"]
    found = measure(folder, M4F, "-O2", expected)
    assert found.failures == ()
    assert found.recogniser_flash <= 75 * KB
    assert found.state + found.stack <= 12 * KB
    assert found.instructions <= 260_000  # measured: 240,000
