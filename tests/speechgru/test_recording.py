"""One answer for a recording, from the scores of its hops."""

import dataclasses

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from speechgru.detection import RecordingRule
from speechgru.recording import find_command, score_recording, smooth, tail_hops, unknown_around

LABELS = ("yes", "no", "unknown", "silence")
RULE = RecordingRule(
    LABELS,
    0.04,
    {"yes": 0.5, "no": 0.5},
    smoothing_hops=2,
    pause_hops=5,
    context_hops=10,
    max_unknown_hops=4,
)
SILENT, UNKNOWN = (0.0, 0.0, 0.02, 0.98), (0.0, 0.1, 0.8, 0.1)
YES, NO = (0.9, 0.0, 0.0, 0.1), (0.0, 0.7, 0.0, 0.3)


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


def test_the_most_confident_of_several_commands_is_the_answer():
    yes, no = (0.7, 0.0, 0.3, 0.0), (0.1, 0.9, 0.0, 0.0)
    gap = [SILENT] * 20
    for first, second in ((yes, no), (no, yes)):
        label, scores = answer(*[first] * 3, *gap, *[second] * 3, *gap)
        assert label == "no"
        assert scores == pytest.approx([0.1, 0.9, 0, 0])


def test_a_word_at_the_end_is_found_in_the_silence_after_it():
    assert answer(*[SILENT] * 20, *[(0.9, 0.0, 0.1, 0.0)] * 2)[0] == "yes"


def test_a_short_word_in_a_long_silence_is_unknown():
    label, scores = answer(*[SILENT] * 30, *[UNKNOWN] * 8, *[SILENT] * 30)
    assert label == "unknown"
    assert scores[2] > 0.6


def test_silence_is_silence():
    label, scores = answer(*[SILENT] * 50)
    assert label == "silence"
    assert scores == pytest.approx(SILENT)


def test_a_command_below_its_threshold_has_no_greater_score_than_the_answer():
    rule = dataclasses.replace(RULE, thresholds={"yes": 0.99, "no": 0.1})
    label, scores = answer(*[(0.9, 0.0, 0.1, 0.0)] * 20, rule=rule)
    assert label == "unknown"
    assert scores == pytest.approx([0.5, 0, 0.5, 0])


def test_a_command_has_the_greatest_score_even_if_unknown_was_as_probable():
    rule = dataclasses.replace(RULE, thresholds={"yes": 0.3, "no": 0.3})
    label, scores = answer(*[SILENT] * 9, *[(0.4, 0.0, 0.6, 0.0)] * 4, *[SILENT] * 9, rule=rule)
    assert label == "yes"
    assert scores == pytest.approx([0.5, 0, 0.5, 0], abs=0.02)


@pytest.mark.parametrize("sides", ["before", "after", "around"])
def test_a_command_inside_a_sentence_is_none(sides):
    sentence = [UNKNOWN] * (3 if sides == "around" else 6)
    hops = ([] if sides == "after" else sentence) + [YES] * 3
    hops += [] if sides == "before" else sentence
    assert answer(*hops)[0] == "unknown"
    assert answer(*hops, rule=dataclasses.replace(RULE, max_unknown_hops=5))[0] == "yes"


@pytest.mark.parametrize("order", [1, -1])
def test_a_pause_separates_a_command_from_a_sentence(order):
    rule = dataclasses.replace(RULE, context_hops=20)
    for pause, label in ((4, "unknown"), (5, "yes")):
        hops = [*[UNKNOWN] * 6, *[SILENT] * pause, *[YES] * 3][::order]
        assert answer(*hops, rule=rule)[0] == label


def test_unknown_speech_further_away_than_the_context_does_not_count():
    for away, label in ((2, "unknown"), (6, "no")):
        hops = [UNKNOWN] * 20 + [(0.0, 0.4, 0.1, 0.5)] * away + [NO] * 2
        assert answer(*hops)[0] == label


def test_another_command_is_the_answer_where_the_most_confident_is_in_a_sentence():
    hops = [UNKNOWN] * 6 + [YES] * 3 + [SILENT] * 20 + [NO] * 3
    assert answer(*hops)[0] == "no"


def test_labels_without_unknown_and_silence_need_neither():
    rule = RecordingRule(("yes", "no"), 0.04, {"yes": 0.5, "no": 0.5}, smoothing_hops=1)
    scores = np.array([[0.2, 0.8], [0.7, 0.3]], np.float32)
    assert unknown_around(rule, scores).tolist() == [0, 0]
    assert find_command(rule, smooth(scores, 1), unknown_around(rule, scores)) == (0, 1)


@given(
    st.lists(st.sampled_from([SILENT, UNKNOWN, YES, NO, (0.3, 0.3, 0.3, 0.1)]), min_size=1),
    st.integers(1, 7),
    st.integers(1, 12),
)
def test_means_and_sums_are_those_of_loops_over_hops(rows, pause_hops, context_hops):
    rule = dataclasses.replace(RULE, pause_hops=pause_hops, context_hops=context_hops)
    scores = np.array(rows, np.float32)
    means = [scores[max(0, hop - 1) : hop + 1].sum(axis=0) / 2 for hop in range(len(rows))]
    assert smooth(scores, 2) == pytest.approx(np.array(means), abs=1e-6)

    number, run, utterance = 0, [], np.zeros(len(rows), int)
    for hop in range(len(rows) + 1):
        if hop < len(rows) and scores[hop, 3] > 0.5:
            run.append(hop)
            continue
        if len(run) >= pause_hops:
            number += 1
            middle = (run[0] + run[-1] + 1) // 2
            utterance[middle:] = number
        run = []
    sums = [
        sum(
            scores[other, 2]
            for other in range(len(rows))
            if utterance[other] == utterance[hop] and -context_hops < other - hop <= context_hops
        )
        for hop in range(len(rows))
    ]
    assert unknown_around(rule, scores) == pytest.approx(np.array(sums), abs=1e-5)


def test_hops_are_padded_and_followed_by_silence():
    network = FakeNetwork([])
    score_recording(network, RULE, np.ones(1000, np.float32))
    assert len(network.hops) == 2 + tail_hops(0.04) == 2 + 15
    assert all(hop.shape == (1, 640) and hop.dtype == np.float32 for hop in network.hops)
    assert np.concatenate(network.hops, axis=1).sum() == 1000
