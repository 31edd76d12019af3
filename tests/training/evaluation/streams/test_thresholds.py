"""Thresholds for a rate of false accepts, and what the tail of the scores predicts."""

import numpy as np
import pytest
import scipy.special

from training.evaluation.streams.thresholds import GRID, FalseAccepts, choose_thresholds

ODDS = scipy.special.logit(np.array(GRID))


def exponential(totals, decay, hours):
    """Counts of labels whose false accepts have exponential log-odds above the lowest threshold."""
    counts = [np.round(total * np.exp(-decay * (ODDS - ODDS[0]))) for total in totals]
    labels = tuple(f"word {number}" for number in range(len(totals)))
    return FalseAccepts(labels, np.array(counts, np.int64), hours)


def test_a_rate_that_can_be_counted_is_counted():
    false_accepts = exponential([1000], 1.0, 1.0)
    threshold = false_accepts.threshold("word 0", 100)
    assert scipy.special.logit(threshold) == pytest.approx(ODDS[0] + np.log(10), abs=0.05)


@pytest.mark.parametrize("decay", [0.5, 1.0, 1.5])
def test_a_rarer_rate_follows_from_the_tail(decay):
    false_accepts = exponential([2000, 2000, 2000], decay, 1.0)
    assert false_accepts.decay == pytest.approx(decay, rel=0.1)
    threshold = false_accepts.threshold("word 0", 1)
    expected = ODDS[0] + np.log(2000) / decay
    assert scipy.special.logit(threshold) == pytest.approx(expected, abs=0.6)


def test_the_chosen_thresholds_have_the_rate_that_was_asked_for():
    false_accepts = exponential([2000, 500, 30], 1.0, 2.0)
    for per_hour in (30, 3, 0.5):
        thresholds = choose_thresholds(false_accepts, per_hour)
        assert false_accepts.expected(thresholds) == pytest.approx(per_hour, rel=0.05)
        assert thresholds["word 0"] > thresholds["word 1"] > thresholds["word 2"]


def test_a_label_without_false_accepts_gets_a_threshold_below_the_others():
    thresholds = choose_thresholds(exponential([500, 0], 1.0, 1.0), 1)
    assert round(GRID[0], 4) <= thresholds["word 1"] < thresholds["word 0"] < 1


def test_a_rate_above_all_counts_gets_the_lowest_threshold():
    assert choose_thresholds(exponential([50], 1.0, 1.0), 1000)["word 0"] == pytest.approx(
        GRID[0], abs=1e-4
    )


def test_no_count_rises_with_the_threshold():
    counts = np.zeros((1, len(GRID)), np.int64)
    counts[0, :4] = [5, 7, 3, 4]
    assert FalseAccepts(("yes",), counts, 1.0).counts[0, :5].tolist() == [5, 5, 3, 3, 0]


def test_nothing_is_expected_at_a_threshold_of_one():
    assert exponential([500], 1.0, 1.0).expected({"word 0": 1.0}) == 0
