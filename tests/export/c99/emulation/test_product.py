"""The product of a matrix and a vector, with the instructions of a Cortex-M4F and without."""

import pytest

from export.c99.emulation.cores import CORES
from export.c99.emulation.measurement import measure, run_on_host
from export.c99.generate import SOURCE

M4F = CORES[0]

pytestmark = pytest.mark.skipif(
    M4F.missing_tool() is not None, reason=f"needs {M4F.packages} (Debian)"
)

CHECK = """
#define KWS_MAX_COLUMNS 16
{types}
{arithmetic}
static int product_is_right(size_t rows, size_t columns)
{{
    int8_t w[8 * 16], x[16];
    int32_t bias[8], sums[8];
    for (size_t i = 0; i < rows * columns; i++) w[i] = (int8_t)(i * 89 % 255 - 127);
    for (size_t i = 0; i < columns; i++) x[i] = (int8_t)((int)(i * 53 % 256) - 128);
    for (size_t i = 0; i < rows; i++) bias[i] = (int32_t)i * 1000003 - 2000000;
    product(w, bias, rows, columns, x, sums);
    for (size_t row = 0; row < rows; row++) {{
        int32_t sum = bias[row];
        for (size_t i = 0; i < columns; i++) sum += w[row * columns + i] * x[i];
        if (sums[row] != sum) return 0;
    }}
    return 1;
}}
static int all_products_are_right(void)
{{
    for (size_t rows = 1; rows <= 8; rows++)
        for (size_t columns = 1; columns <= 16; columns++)
            if (!product_is_right(rows, columns)) return 0;
    return 1;
}}
#define UNUSED (void)dense, (void)add, (void)multiply, (void)look_up
"""


def test_each_sum_is_that_of_the_plain_loop(stand_in):
    folder = stand_in("UNUSED; if (!all_products_are_right()) loud = 2;")
    types = (SOURCE / "types.c").read_text().replace("@origin@", "").replace("@libm@", "")
    check = CHECK.format(types=types, arithmetic=(SOURCE / "arithmetic.c").read_text())
    source = folder / "kws.c"
    source.write_text(
        source.read_text().replace("const char *const", f"{check}\nconst char *const")
    )
    expected = run_on_host(folder)
    assert all(scores[0] <= 1 for stream in expected.streams for scores in stream.scores)
    assert measure(folder, M4F, "-O2", expected).failures == ()
