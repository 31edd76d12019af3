"""Detections of the C99 form are compared with the int8 form's by label and time."""

from export.c99.library import Found
from export.verification.c_runner import changed_detections

RATE = 16000


def test_the_same_detections_a_little_later_are_no_change():
    expected = [Found(0, 0.9, 16000), Found(3, 0.8, 64000), Found(0, 0.9, 96000)]
    found = [Found(label, p, sample + 1600) for label, p, sample in expected]
    assert changed_detections(found, expected, RATE) == 0
    assert changed_detections([], [], RATE) == 0


def test_a_missing_an_additional_and_another_detection_are_changes():
    expected = [Found(0, 0.9, 16000), Found(3, 0.8, 64000)]
    assert changed_detections(expected[:1], expected, RATE) == 1
    assert changed_detections([*expected, Found(1, 0.9, 99000)], expected, RATE) == 1
    assert changed_detections([expected[0], Found(2, 0.8, 64000)], expected, RATE) == 2
    assert changed_detections([expected[0], Found(3, 0.8, 65601)], expected, RATE) == 2


def test_each_detection_is_the_counterpart_of_one():
    twice = [Found(0, 0.9, 16000), Found(0, 0.9, 16640)]
    assert changed_detections(twice, twice[:1], RATE) == 1
