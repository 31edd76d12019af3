"""The level of live sound as a bar and in dB."""

import numpy as np
import pytest

from speechgru.cli.level_meter import level_text


@pytest.mark.parametrize(
    ("block", "text"),
    [
        (np.zeros((9, 1), np.float32), "[....................]  -60 dB"),
        (np.full((9, 2), 1e-9, np.float32), "[....................]  -60 dB"),
        (np.full((9, 1), 10 ** (-30 / 20), np.float32), "[##########..........]  -30 dB"),
        (np.full((9, 1), -32768, np.int16), "[####################]    0 dB"),
        (np.full((9, 1), 128, np.uint8), "[....................]  -60 dB"),
    ],
)
def test_the_level_is_a_bar_and_decibels_below_full_scale(block, text):
    assert level_text(block) == text
