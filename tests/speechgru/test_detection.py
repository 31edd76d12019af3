"""The rule from scores to detections, on made-up scores."""

import dataclasses
import itertools

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from speechgru.detection import (
    CONSTANTS,
    Detection,
    DetectionRule,
    Detector,
    RecordingRule,
    default_settings,
)

LABELS = ("yes", "no", "unknown", "silence")
RULE = DetectionRule(
    labels=LABELS,
    hop_seconds=0.04,
    thresholds={"yes": 0.6, "no": 0.7},
    smoothing_hops=2,
    context_hops=10,
    context_weight=20.0,
    wait_hops=2,
    refractory_hops=4,
    word_end_hops=1,
)


def scores(label, score=1.0):
    """Scores of a hop in which a label has a score, and silence the rest."""
    values = dict.fromkeys(LABELS, 0.0)
    values["silence"] = 1 - score
    values[label] += score
    return [values[label] for label in LABELS]


def run(rule, *spans, flush=False):
    """The hop of each decision and its detection, for spans (label, score, hops)."""
    detector, found, hop = Detector(rule), [], 0
    for label, score, hops in spans:
        for _ in range(hops):
            hop += 1
            if (detection := detector.push(scores(label, score))) is not None:
                found.append((hop, detection))
    if flush and (detection := detector.flush()) is not None:
        found.append((hop, detection))
    return found


def labels_of(found):
    return [detection.label for _, detection in found]


def test_a_word_is_detected_some_hops_after_its_confidence_reaches_the_threshold():
    found = run(RULE, ("silence", 1, 10), ("yes", 0.8, 3), ("silence", 1, 10))
    # Hops 11 to 13 are the word; 12 is the first with two of them; two hops to wait. The score
    # rises in hop 11, and the word ends one hop after it.
    assert found == [(14, Detection("yes", pytest.approx(12 * 0.04), pytest.approx(0.8)))]


def test_a_confidence_below_the_threshold_of_its_label_is_not_detected():
    assert labels_of(run(RULE, ("yes", 0.65, 5), ("silence", 1, 20))) == ["yes"]
    assert labels_of(run(RULE, ("no", 0.65, 5), ("silence", 1, 20))) == []


def test_one_high_hop_is_smoothed_away():
    assert run(RULE, ("silence", 1, 5), ("yes", 1, 1), ("silence", 1, 20)) == []


def test_the_greatest_confidence_before_the_decision_is_detected():
    rule = dataclasses.replace(RULE, wait_hops=4)
    found = run(rule, ("silence", 1, 9), ("no", 0.8, 2), ("yes", 0.95, 3), ("silence", 1, 20))
    assert labels_of(found) == ["yes"]
    hop, detection = found[0]
    assert (hop, detection.confidence) == (15, pytest.approx(0.95))


@pytest.mark.parametrize("unknown", [0, 1, 3])
def test_unknown_speech_lowers_the_odds_as_the_rule_says(unknown):
    rule = dataclasses.replace(RULE.with_threshold(0.01), wait_hops=0)
    spans = (("silence", 1, 20), ("unknown", 1, unknown), ("yes", 0.9, 2))
    detector = Detector(rule)
    for label, score, hops in spans:
        for _ in range(hops):
            evidence = detector.gather(scores(label, score))
    odds = 0.9 / 0.1 / (1 + 20 * unknown / 10)
    assert detector.decide(evidence).confidence == pytest.approx(odds / (1 + odds))


@pytest.mark.parametrize(
    ("before", "after", "detected"),
    [(0, 0, True), (2, 0, True), (3, 0, False), (0, 2, True), (2, 2, False)],
)
def test_unknown_speech_around_a_word_makes_it_part_of_a_sentence(before, after, detected):
    found = run(
        RULE,
        *(("silence", 1, 20), ("unknown", 1, before), ("silence", 1, 2), ("yes", 0.9, 2)),
        *(("unknown", 1, after), ("silence", 1, 30)),
    )
    assert labels_of(found) == ["yes"] * detected


def test_unknown_speech_long_before_a_word_does_not_count():
    spans = (("unknown", 1, 30), ("silence", 1, 10), ("yes", 0.9, 3), ("silence", 1, 9))
    assert labels_of(run(RULE, *spans)) == ["yes"]


def test_more_context_than_the_limit_is_not_detected_however_sure_the_word_is():
    spans = (("silence", 1, 9), ("unknown", 1, 3), ("yes", 1, 3), ("silence", 1, 9))
    rule = dataclasses.replace(RULE, context_weight=0.0)
    assert labels_of(run(rule, *spans)) == ["yes"]
    assert labels_of(run(dataclasses.replace(rule, max_context=0.3), *spans)) == ["yes"]
    assert labels_of(run(dataclasses.replace(rule, max_context=0.29), *spans)) == []


def test_nothing_is_detected_in_the_refractory_time_after_a_decision():
    words = (("yes", 0.9, 3), ("silence", 1, 5), ("no", 0.9, 3), ("silence", 1, 9))
    # The decision on yes is in hop 4; no reaches its threshold in hop 10.
    assert labels_of(run(RULE, *words)) == ["yes", "no"]
    assert labels_of(run(dataclasses.replace(RULE, refractory_hops=5), *words)) == ["yes", "no"]
    assert labels_of(run(dataclasses.replace(RULE, refractory_hops=8), *words)) == ["yes"]


def test_the_same_word_is_detected_again_and_again():
    words = [("yes", 0.9, 3), ("silence", 1, 5)] * 20
    assert labels_of(run(RULE, *words)) == ["yes"] * 20


def test_the_time_is_that_of_the_rise_and_not_of_the_threshold():
    for threshold in (0.3, 0.6, 0.9):
        rule = dataclasses.replace(RULE.with_threshold(threshold), smoothing_hops=4)
        [(_, detection)] = run(rule, ("silence", 1, 9), ("yes", 0.95, 5), ("silence", 1, 5))
        assert detection.time == pytest.approx((10 + 1) * 0.04)


def test_a_word_at_the_end_is_given_by_flush_once():
    assert run(RULE, ("silence", 1, 9), ("yes", 0.9, 2)) == []
    assert labels_of(run(RULE, ("silence", 1, 9), ("yes", 0.9, 2), flush=True)) == ["yes"]
    detector = Detector(RULE)
    for _ in range(2):
        detector.push(scores("yes", 0.9))
    assert detector.flush().label == "yes"
    assert detector.flush() is None


def test_the_confidence_is_the_greatest_and_not_the_last():
    detector = Detector(RULE)
    for hop in (scores("yes", 0.6), scores("yes", 0.8), scores("yes", 0.5)):
        detector.push(hop)
    assert detector.flush().confidence == pytest.approx(0.7)


def test_a_time_is_not_after_the_decision():
    rule = dataclasses.replace(RULE, word_end_hops=50)
    [(hop, detection)] = run(rule, ("yes", 0.9, 3), ("silence", 1, 9))
    assert detection.time == pytest.approx(hop * 0.04)


def test_times_after_24_hours_are_exact():
    detector = Detector(RULE)
    detector._hop = 24 * 3600 * 25  # as if so many hops of silence had come
    for hop in [scores("yes", 0.9)] * 3:
        detector.push(hop)
    assert detector.flush().time == 86400 + 0.08  # one hop after the first of them


@settings(max_examples=200, deadline=None)
@given(
    hops=st.lists(st.tuples(st.sampled_from(LABELS), st.floats(0, 1)), max_size=200),
    rule=st.builds(
        lambda **constants: dataclasses.replace(RULE, **constants),
        smoothing_hops=st.integers(1, 10),
        wait_hops=st.integers(0, 10),
        context_hops=st.integers(1, 20),
        context_weight=st.floats(0, 100),
        max_context=st.floats(0.01, 1),
        refractory_hops=st.integers(0, 20),
        word_end_hops=st.integers(0, 10),
    ),
)
def test_detections_are_commands_above_their_thresholds_and_in_order(hops, rule):
    found = run(rule, *((label, score, 1) for label, score in hops), flush=True)
    for hop, detection in found:
        assert rule.thresholds[detection.label] <= detection.confidence <= 1
        assert 0 <= detection.time <= hop * rule.hop_seconds
    times = [detection.time for _, detection in found]
    assert times == sorted(times)
    decisions = [hop for hop, _ in found]
    assert all(late > early for early, late in itertools.pairwise(decisions))


def test_reset_forgets_all_scores():
    detector = Detector(RULE)
    hops = [*[scores("unknown")] * 4, *[scores("yes", 0.9)] * 3, *[scores("silence")] * 3]
    assert [detector.push(hop) for hop in hops] == [None] * 10
    detector.push(scores("yes", 1.0))
    detector.reset()
    fresh = Detector(RULE)
    hops = [*[scores("silence")] * 3, *[scores("yes", 0.9)] * 3, *[scores("silence")] * 3]
    assert [detector.push(hop) for hop in hops] == [fresh.push(hop) for hop in hops]


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"thresholds": {"yes": 0.5}}, "expected thresholds of"),
        ({"thresholds": {"yes": 0.5, "no": 0.5, "up": 0.5}}, "expected thresholds of"),
        ({"thresholds": {"yes": 0.5, "no": 0.5, "unknown": 0.5}}, "expected thresholds of"),
        ({"thresholds": [0.5, 0.5]}, "expected thresholds of"),
        ({"thresholds": {"yes": 0, "no": 0.5}}, "expected the threshold of 'yes' to be a number"),
        ({"thresholds": {"yes": 0.5, "no": 1.1}}, "expected the threshold of 'no' to be a number"),
        ({"thresholds": {"yes": 0.5, "no": True}}, "expected the threshold of 'no'"),
        ({"thresholds": {"yes": 0.5, "no": float("nan")}}, "expected the threshold of 'no'"),
        ({"smoothing_hops": 0}, "expected smoothing_hops to be an integer from 1"),
        ({"smoothing_hops": 2.0}, "expected smoothing_hops to be an integer from 1"),
        ({"wait_hops": -1}, "expected wait_hops to be an integer from 0"),
        ({"word_end_hops": True}, "expected word_end_hops to be an integer from 0"),
        ({"refractory_hops": 10**9}, "expected refractory_hops to be an integer from 0 to 10,000"),
        ({"context_hops": 0}, "expected context_hops to be an integer from 1"),
        ({"context_weight": -0.1}, "expected context_weight to be a number from 0"),
        ({"context_weight": "3"}, "expected context_weight to be a number from 0"),
        ({"max_context": 0}, "expected max_context to be a number above 0"),
    ],
)
def test_a_wrong_constant_is_named(changes, message):
    with pytest.raises(ValueError, match=message):
        dataclasses.replace(RULE, **changes)


def test_a_file_of_version_1_has_the_stated_defaults():
    for stated, threshold in ((None, 0.5), (0.8, 0.8), (0, 0.5), (1e-9, 1e-9)):
        settings_ = {} if stated is None else {"threshold": stated}
        rule = DetectionRule.from_settings(settings_, LABELS, 0.04)
        assert rule.thresholds == {"yes": threshold, "no": threshold}
        recording = RecordingRule.from_settings(settings_, LABELS, 0.04)
        assert recording.thresholds["yes"] == pytest.approx(0.8 * threshold)
        assert (recording.smoothing_hops, recording.pause_hops) == (8, 8)
        assert (recording.context_hops, recording.max_unknown_hops) == (100, 12)


def test_the_constants_of_a_file_are_those_of_the_rule():
    detection = {name: getattr(RULE, name) for name in CONSTANTS}
    assert DetectionRule.from_settings({"detection": detection}, LABELS, 0.04) == RULE
    detection["recording"] = {"pause_hops": 9, "thresholds": {"yes": 0.2, "no": 0.3}}
    rule = RecordingRule.from_settings({"detection": detection}, LABELS, 0.04)
    assert rule == RecordingRule(LABELS, 0.04, {"yes": 0.2, "no": 0.3}, pause_hops=9)


@pytest.mark.parametrize("name", CONSTANTS)
def test_a_missing_constant_of_a_file_is_named(name):
    detection = default_settings(LABELS)
    del detection[name]
    with pytest.raises(ValueError, match=f"expected {name}, found none"):
        DetectionRule.from_settings({"detection": detection}, LABELS, 0.04)


def test_an_unknown_constant_for_recordings_is_named():
    detection = {**default_settings(LABELS), "recording": {"patience": 3}}
    with pytest.raises(ValueError, match=r"expected thresholds, .*, found 'patience'"):
        RecordingRule.from_settings({"detection": detection}, LABELS, 0.04)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"thresholds": {"yes": 0.5}}, "expected thresholds of"),
        ({"thresholds": {"yes": 0.5, "no": 2}}, "expected the threshold of 'no' to be a number"),
        ({"smoothing_hops": 0}, "expected smoothing_hops to be an integer from 1 to 10,000"),
        ({"pause_hops": 1.5}, "expected pause_hops to be an integer"),
        ({"context_hops": True}, "expected context_hops to be an integer"),
        ({"max_unknown_hops": -1}, "expected max_unknown_hops to be a number from 0 to 10,000"),
        ({"max_unknown_hops": float("nan")}, "expected max_unknown_hops to be a number"),
    ],
)
def test_a_wrong_constant_for_recordings_is_named(changes, message):
    rule = RecordingRule(LABELS, 0.04, {"yes": 0.5, "no": 0.5})
    with pytest.raises(ValueError, match=message):
        dataclasses.replace(rule, **changes)


def test_one_threshold_replaces_those_of_all_commands():
    assert RULE.with_threshold(None) is RULE
    assert RULE.with_threshold(0.9).thresholds == {"yes": 0.9, "no": 0.9}
    for wrong in (0, -0.5, 1.5, "0.5", float("nan"), True):
        with pytest.raises(ValueError, match="expected threshold to be a number above 0"):
            RULE.with_threshold(wrong)
