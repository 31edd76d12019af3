"""One answer for a recording, from the scores of its hops."""

import dataclasses

import numpy as np
import pytest

from speechgru.detection import DetectionRule
from speechgru.recording import score_recording, tail_hops

LABELS = ("yes", "no", "unknown", "silence")
RULE = DetectionRule(
    LABELS, 0.04, {"yes": 0.5, "no": 0.5}, smoothing_hops=2, wait_hops=3, refractory_hops=4
)


class FakeNetwork:
    """Gives prepared scores for the hops, and silence after them."""

    hop_samples = 640

    def __init__(self, scores):
        self.scores = scores
        self.hops = []

    def reset(self):
        self.hops = []

    def step(self, hop):
        self.hops.append(hop)
        number = len(self.hops) - 1
        return list(self.scores[number]) if number < len(self.scores) else [0.0, 0.0, 0.0, 1.0]


def answer(*hops, rule=RULE):
    network = FakeNetwork(hops)
    label, scores = score_recording(network, rule, np.zeros(640 * len(hops), np.float32))
    assert scores.sum() == pytest.approx(1)
    assert scores[label] == scores.max()
    return rule.labels[label], scores


QUIET, WORD = (0.0, 0.0, 0.02, 0.98), (0.0, 0.1, 0.8, 0.1)


def test_the_most_confident_of_several_detections_is_the_answer():
    yes, no = (0.7, 0.0, 0.3, 0.0), (0.1, 0.9, 0.0, 0.0)
    gap = [QUIET] * 20
    for first, second in ((yes, no), (no, yes)):
        label, scores = answer(*[first] * 3, *gap, *[second] * 3, *gap)
        assert label == "no"
        assert scores == pytest.approx([0.1, 0.9, 0, 0])


def test_a_word_at_the_end_is_found_in_the_silence_after_it():
    assert answer(*[QUIET] * 20, *[(0.9, 0.0, 0.1, 0.0)] * 2)[0] == "yes"


def test_a_short_word_in_a_long_silence_is_unknown():
    label, scores = answer(*[QUIET] * 30, *[WORD] * 8, *[QUIET] * 30)
    assert label == "unknown"
    assert scores[2] > 0.6


def test_silence_is_silence():
    label, scores = answer(*[QUIET] * 50)
    assert label == "silence"
    assert scores == pytest.approx(QUIET)


def test_a_command_that_is_not_detected_has_no_greater_score_than_the_answer():
    rule = RULE.with_threshold(0.99)
    label, scores = answer(*[(0.9, 0.0, 0.1, 0.0)] * 20, rule=rule)
    assert label == "unknown"
    assert scores == pytest.approx([0.5, 0, 0.5, 0])


def test_a_detected_command_has_the_greatest_score_even_if_unknown_was_as_probable():
    rule = dataclasses.replace(RULE.with_threshold(0.3), context_weight=0.0)
    label, scores = answer(*[QUIET] * 9, *[(0.4, 0.0, 0.6, 0.0)] * 4, *[QUIET] * 9, rule=rule)
    assert label == "yes"
    assert scores == pytest.approx([0.5, 0, 0.5, 0], abs=0.02)


def test_hops_are_padded_and_followed_by_silence():
    network = FakeNetwork([])
    score_recording(network, RULE, np.ones(1000, np.float32))
    assert len(network.hops) == 2 + tail_hops(0.04) == 2 + 15
    assert all(hop.shape == (1, 640) and hop.dtype == np.float32 for hop in network.hops)
    assert np.concatenate(network.hops, axis=1).sum() == 1000
