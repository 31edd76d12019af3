"""What is measured on an emulated Cortex-M4F: instructions, stack, memory, the results."""

import re

import pytest

from export.c99.emulation.cores import CORES
from export.c99.emulation.measurement import measure, run_on_host, table
from export.errors import ExportError

M4F = CORES[0]
LOOP = 10_000
BURN = (
    "uint32_t left = {rounds}; "
    r'__asm volatile("1: nop\n subs %0, %0, #1\n bne 1b" : "+l"(left) : : "cc");'
)
ON_ARM = "if (sizeof(void *) == 4)"

pytestmark = pytest.mark.skipif(
    M4F.missing_tool() is not None, reason=f"needs {M4F.packages} (Debian)"
)


def test_a_loop_of_known_length_is_counted(stand_in):
    expected = run_on_host(stand_in())
    short, long = (
        measure(stand_in(BURN.format(rounds=rounds)), M4F, "-O2", expected)
        for rounds in (LOOP, 2 * LOOP)
    )
    assert short.failures == long.failures == ()
    assert long.instructions - short.instructions == pytest.approx(3 * LOOP, rel=0.005)
    assert long.longest - short.longest == pytest.approx(3 * LOOP, rel=0.005)


def test_the_stack_of_a_call_is_measured(stand_in):
    expected = run_on_host(stand_in())
    without = measure(stand_in(), M4F, "-O2", expected)
    frame = "volatile char bytes[3000]; bytes[n % 3000] = 1; (void)bytes[0];"
    deep = measure(stand_in(frame), M4F, "-O2", expected)
    assert deep.stack - without.stack == pytest.approx(3000, abs=32)


def test_the_state_and_the_flash_are_those_of_the_compiler(stand_in):
    found = measure(stand_in(), M4F, "-Os", run_on_host(stand_in()))
    assert found.state == 24
    assert 100 < found.recogniser_flash < 500 < found.flash < 10_000


@pytest.mark.parametrize(
    ("extra", "message"),
    [
        ("loud *= 0.9f;", "expected scores within"),
        ("loud = 0.0f / 0.0f;", "expected scores within 0.02, found inf"),
        ("k->sample += 640;", "stream 3: expected .*, found"),
    ],
)
def test_other_results_than_on_this_computer_differ(stand_in, extra, message):
    expected = run_on_host(stand_in())
    found = measure(stand_in(extra), M4F, "-O2", expected)
    assert found.failures
    assert any(re.search(message, failure) for failure in found.failures), found.failures


def test_results_that_depend_on_the_blocks_differ(stand_in):
    folder = stand_in("if (n != KWS_HOP_SAMPLES) loud *= 0.999f;")
    found = measure(folder, M4F, "-O2", run_on_host(folder))
    assert len(found.failures) == 1
    assert found.failures[0].startswith("uneven blocks: expected loud at")


def test_a_program_that_is_too_large_does_not_fit(stand_in):
    large = stand_in("static volatile char ram[65536]; ram[n % 65536] = 1; (void)ram[0];")
    found = measure(large, M4F, "-O2", run_on_host(large))
    assert not found.fits
    assert "does not fit" in table([found])


@pytest.mark.parametrize(
    ("extra", "message"),
    [
        (f"{ON_ARM} *(volatile int *)0xF0000000 = 1;", "found exit code 3"),
        (f"{ON_ARM} return -1;", "error: the number of detections is out of range"),
        ("not C", "expected C that cc compiles, found: .*kws.c.*error"),
    ],
)
def test_a_program_that_fails_is_an_error(stand_in, extra, message):
    with pytest.raises(ExportError, match=message):
        measure(stand_in(extra), M4F, "-O2", run_on_host(stand_in(extra)))
