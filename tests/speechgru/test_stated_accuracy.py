"""Tests of speechgru/stated_accuracy.py."""

import pytest

from speechgru.stated_accuracy import SYNTHETIC, describe_accuracy

STATED = {"validation_accuracy": 0.97, "validation_clips": 4000}
FALSE_COMMANDS = {"count": 5, "windows": 812, "hours": 0.2256}


@pytest.mark.parametrize(
    ("stated", "line"),
    [
        ({}, "97.00% on 4,000 clips"),
        (
            {"validation_unknown": "recorded words"},
            '97.00% on 4,000 clips; its "unknown" was recordings of other words',
        ),
        (
            {"validation_unknown": "negative speech", "false_commands": FALSE_COMMANDS},
            '97.00% on 4,000 clips; its "unknown" was held-out negative speech; false commands on '
            "held-out negative speech: 5 of 812 windows, 0.6% (0.23 hours)",
        ),
        (
            {"validation_unknown": "made sounds", "detection": None},
            '97.00% on 4,000 clips; its "unknown" was made sounds alone, so false accepts on real '
            "speech are unknown",
        ),
        (
            {"validation_unknown": "made sounds", "detection": {"false_accepts_per_hour": 0.0}},
            '97.00% on 4,000 clips; its "unknown" was made sounds alone',
        ),
        (
            {
                "validation_unknown": "synthetic voices",
                "detection": {"false_accepts_per_hour": 0.0, "measured_on": f"x; {SYNTHETIC}"},
            },
            '97.00% on 4,000 clips; its "unknown" was spoken by synthetic voices, so false accepts '
            "on real speech are unknown",
        ),
    ],
)
def test_an_accuracy_is_stated_with_what_its_unknown_was(stated, line):
    assert describe_accuracy(STATED | stated) == line


def test_nothing_is_said_of_an_accuracy_that_is_not_stated():
    assert describe_accuracy({"validation_unknown": "made sounds"}) is None
    assert describe_accuracy({"validation_accuracy": 0.5}) == "50.00%"
