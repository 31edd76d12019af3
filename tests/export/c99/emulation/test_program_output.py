"""The program's output is parsed, and an unfinished run is an error."""

import pytest

from export.c99.emulation.program_output import Detection, parse

TEXT = """calibration 300000 7500
stream
detection two words\t 12800 3f000000
scores 3f800000 00000000
scores 00000000 3e800000
ticks 120 70 2
stream
ticks 50 25 2
sizes 16000 640 96 200
"""


def test_all_lines_are_parsed():
    output = parse(TEXT)
    first, second = output.streams
    assert first.detections == [Detection("two words", 12800, 0.5)]
    assert [row.tolist() for row in first.scores] == [[1, 0], [0, 0.25]]
    assert (first.ticks, first.longest, first.blocks) == (120, 70, 2)
    assert (second.detections, second.scores, second.ticks) == ([], [], 50)
    assert output.hops_per_second == 25
    assert (output.state_bytes, output.stack_bytes) == (96, 200)
    assert output.instructions_per_tick == 40


def test_nothing_is_counted_where_there_is_no_counter():
    assert parse(TEXT.replace("300000 7500", "300000 0")).instructions_per_tick == 0


@pytest.mark.parametrize(
    ("text", "message"),
    [("", "nothing was printed"), (TEXT + "error: no such label\n", "error: no such label")],
)
def test_an_unfinished_run_is_an_error(text, message):
    text = text.replace("sizes 16000 640 96 200\n", "")
    with pytest.raises(ValueError, match=message):
        parse(text)
