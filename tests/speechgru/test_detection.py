"""The rule from scores to detections, on made-up scores."""

import dataclasses
import itertools

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from speechgru.detection import CONSTANTS, Detection, DetectionRule, Detector, default_settings

LABELS = ("yes", "no", "unknown", "silence")
RULE = DetectionRule(
    labels=LABELS,
    hop_seconds=0.04,
    thresholds={"yes": 0.6, "no": 0.7},
    smoothing_hops=2,
    wait_hops=2,
    unknown_hops=10,
    max_unknown_hops=3.0,
    refractory_hops=4,
    release=0.5,
    delay_hops=1,
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


def test_a_word_is_detected_some_hops_after_it_reaches_its_threshold():
    found = run(RULE, ("silence", 1, 10), ("yes", 0.8, 3), ("silence", 1, 10))
    # Hops 11 to 13 are the word. With hop 11 it rises above the release level, 0.3; with hop 12 it
    # reaches the threshold.
    assert found == [(14, Detection("yes", pytest.approx((11 - 1) * 0.04), pytest.approx(0.8)))]


def test_a_score_below_the_threshold_of_its_label_is_not_detected():
    assert labels_of(run(RULE, ("yes", 0.65, 5), ("silence", 1, 20))) == ["yes"]
    assert labels_of(run(RULE, ("no", 0.65, 5), ("silence", 1, 20))) == []


def test_one_high_hop_is_smoothed_away():
    assert run(RULE, ("silence", 1, 5), ("yes", 1, 1), ("silence", 1, 20)) == []


def test_the_greater_of_two_scores_in_a_row_is_detected():
    found = run(RULE, ("silence", 1, 9), ("no", 0.8, 2), ("yes", 0.95, 2), ("silence", 1, 20))
    assert found == [(13, Detection("yes", pytest.approx(0.44), pytest.approx(0.95)))]


def test_a_command_that_is_not_the_greatest_score_is_not_detected():
    rule = RULE.with_threshold(0.3)
    hop = [0.4, 0.0, 0.6, 0.0]
    detector = Detector(dataclasses.replace(rule, max_unknown_hops=100.0))
    assert [detector.push(hop) for _ in range(20)] == [None] * 20


def test_a_held_word_is_detected_once():
    assert labels_of(run(RULE, ("yes", 0.9, 100))) == ["yes"]


def test_a_word_is_detected_again_only_after_its_score_has_fallen():
    again = (("yes", 0.9, 3), ("silence", 1, 8), ("yes", 0.9, 3), ("silence", 1, 8))
    assert labels_of(run(RULE, *again)) == ["yes", "yes"]
    held = (("yes", 0.9, 3), ("yes", 0.4, 8), ("yes", 0.9, 3), ("silence", 1, 8))
    assert labels_of(run(RULE, *held)) == ["yes"]


def test_no_other_word_is_detected_in_the_refractory_time():
    words = (("yes", 0.9, 4), ("silence", 1, 1), ("no", 0.9, 3), ("silence", 1, 9))
    assert labels_of(run(RULE, *words)) == ["yes", "no"]
    assert labels_of(run(dataclasses.replace(RULE, refractory_hops=12), *words)) == ["yes"]


@pytest.mark.parametrize(
    ("before", "after", "detected"),
    [(0, 0, True), (3, 0, True), (4, 0, False), (0, 2, True), (3, 1, False), (2, 1, True)],
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


def test_a_word_of_a_sentence_is_not_detected_later_while_its_score_is_still_high():
    spans = (("unknown", 1, 5), ("yes", 0.9, 60), ("silence", 1, 9))
    assert labels_of(run(RULE, *spans)) == []


def test_a_word_at_the_end_is_given_by_flush_once():
    assert run(RULE, ("silence", 1, 9), ("yes", 0.9, 2)) == []
    assert labels_of(run(RULE, ("silence", 1, 9), ("yes", 0.9, 2), flush=True)) == ["yes"]
    detector = Detector(RULE)
    for _ in range(2):
        detector.push(scores("yes", 0.9))
    assert detector.flush().label == "yes"
    assert detector.flush() is None


def test_the_scores_at_the_greatest_one_are_stated():
    detector = Detector(RULE)
    for hop in (scores("yes", 0.6), scores("yes", 0.8), scores("yes", 0.6)):
        detector.push(hop)
    assert detector.flush().confidence == pytest.approx(0.7)
    assert detector.peak_scores == pytest.approx([0.7, 0, 0, 0.3])


def test_a_time_is_not_before_the_start():
    rule = dataclasses.replace(RULE, delay_hops=50)
    [(_, detection)] = run(rule, ("yes", 0.9, 3), ("silence", 1, 9))
    assert detection.time == 0


def test_times_after_24_hours_are_exact():
    detector = Detector(RULE)
    detector._hop = 24 * 3600 * 25  # as if so many hops of silence had come
    for hop in [scores("yes", 0.9)] * 3:
        detector.push(hop)
    assert detector.flush().time == 86400  # the first of them, less one hop of delay


@settings(max_examples=200, deadline=None)
@given(
    hops=st.lists(st.tuples(st.sampled_from(LABELS), st.floats(0, 1)), max_size=200),
    rule=st.builds(
        lambda **constants: dataclasses.replace(RULE, **constants),
        smoothing_hops=st.integers(1, 10),
        wait_hops=st.integers(0, 10),
        unknown_hops=st.integers(0, 20),
        max_unknown_hops=st.floats(0, 20),
        refractory_hops=st.integers(0, 20),
        release=st.floats(0.01, 1),
        delay_hops=st.integers(-10, 10),
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
        ({"delay_hops": True}, "expected delay_hops to be an integer from -10,000"),
        ({"refractory_hops": 10**9}, "expected refractory_hops to be an integer from 0 to 10,000"),
        ({"unknown_hops": None}, "expected unknown_hops to be an integer from 0"),
        ({"max_unknown_hops": -0.1}, "expected max_unknown_hops to be a number from 0"),
        ({"max_unknown_hops": "3"}, "expected max_unknown_hops to be a number from 0"),
        ({"release": 0}, "expected release to be a number above 0"),
    ],
)
def test_a_wrong_constant_is_named(changes, message):
    with pytest.raises(ValueError, match=message):
        dataclasses.replace(RULE, **changes)


def test_a_file_of_version_1_has_the_stated_defaults():
    for settings_, threshold in (({}, 0.5), ({"threshold": 0.8}, 0.8), ({"threshold": 0}, 0.5)):
        rule = DetectionRule.from_settings(settings_, LABELS, 0.04)
        assert rule.thresholds == {"yes": threshold, "no": threshold}
        recording = DetectionRule.from_settings(settings_, LABELS, 0.04, recording=True)
        assert recording.thresholds["yes"] == pytest.approx(0.8 * threshold)
        assert (recording.wait_hops, recording.unknown_hops) == (50, 50)
        assert recording.max_unknown_hops == 15


def test_the_constants_of_a_file_are_those_of_the_rule():
    detection = {name: getattr(RULE, name) for name in CONSTANTS}
    assert DetectionRule.from_settings({"detection": detection}, LABELS, 0.04) == RULE
    detection["recording"] = {"wait_hops": 9}
    rule = DetectionRule.from_settings({"detection": detection}, LABELS, 0.04, recording=True)
    assert rule == dataclasses.replace(RULE, wait_hops=9)


@pytest.mark.parametrize("name", CONSTANTS)
def test_a_missing_constant_of_a_file_is_named(name):
    detection = default_settings(LABELS)
    del detection[name]
    with pytest.raises(ValueError, match=f"expected {name}, found none"):
        DetectionRule.from_settings({"detection": detection}, LABELS, 0.04)


def test_an_unknown_constant_for_recordings_is_named():
    detection = {**default_settings(LABELS), "recording": {"patience": 3}}
    with pytest.raises(ValueError, match="found 'patience'"):
        DetectionRule.from_settings({"detection": detection}, LABELS, 0.04, recording=True)


def test_one_threshold_replaces_those_of_all_commands():
    assert RULE.with_threshold(None) is RULE
    assert RULE.with_threshold(0.9).thresholds == {"yes": 0.9, "no": 0.9}
    for wrong in (0, -0.5, 1.5, "0.5", float("nan"), True):
        with pytest.raises(ValueError, match="expected threshold to be a number above 0"):
            RULE.with_threshold(wrong)
