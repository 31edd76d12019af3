"""Detections are assigned to words; rates and their intervals."""

import pytest
import scipy.stats

from training.evaluation.streams.metrics import garwood_interval, match, rate, word_metrics
from training.evaluation.streams.scores import StreamDetection
from training.evaluation.streams.word_streams import SpokenWord

WORDS = [
    SpokenWord("yes", "yes/0", "a", 1.0, 1.5),
    SpokenWord("no", "no/0", "b", 3.0, 3.5),
    SpokenWord("up", "up/0", "c", 3.8, 4.2),
]


def detection(label, decided, time=None):
    return StreamDetection(label, decided - 0.3 if time is None else time, 0.9, decided)


def test_a_detection_belongs_to_the_word_that_began_before_it():
    results, others = match(WORDS, [detection("yes", 1.8), detection("up", 4.3)], late=1.0)
    assert [result.found is not None for result in results] == [True, False, True]
    assert others == []
    assert not any(result.wrong for result in results)


@pytest.mark.parametrize(
    ("decided", "found"), [(0.9, False), (1.0, True), (2.5, True), (2.6, False)]
)
def test_a_detection_before_a_word_or_long_after_it_belongs_to_none(decided, found):
    results, others = match(WORDS[:1], [detection("yes", decided)], late=1.0)
    assert (results[0].found is not None) == found
    assert len(others) == (not found)


def test_another_command_is_a_wrong_word_and_a_second_detection_is_no_word():
    detections = [detection("no", 1.4), detection("yes", 1.8), detection("yes", 2.0)]
    results, others = match(WORDS, detections, late=1.0)
    assert results[0].wrong
    assert results[0].found == detections[1]
    assert others == [detections[2]]


def test_delay_and_error_of_the_time_are_those_of_the_words_that_were_found():
    detections = [detection("yes", 1.8, time=1.6), detection("up", 4.6, time=4.1)]
    results, others = match(WORDS, detections, late=1.0)
    metrics = word_metrics(results, len(others))
    assert (metrics["recall"]["count"], metrics["recall"]["of"]) == (2, 3)
    assert metrics["delay"]["median"] == pytest.approx(0.35)
    assert metrics["time_error"]["median"] == pytest.approx(0.1)
    assert metrics["time_bias"] == pytest.approx(0, abs=1e-9)


def test_without_words_that_were_found_there_is_no_delay():
    metrics = word_metrics(match(WORDS, [], late=1.0)[0], 0)
    assert metrics["recall"]["share"] == 0
    assert metrics["delay"] == {"median": None, "p90": None}
    assert metrics["time_bias"] is None


@pytest.mark.parametrize(
    ("count", "low", "high"),  # table of exact Poisson limits, Garwood 1936
    [(0, 0.0, 3.689), (1, 0.0253, 5.572), (5, 1.623, 11.668), (10, 4.795, 18.390)],
)
def test_intervals_are_garwoods(count, low, high):
    assert garwood_interval(count) == pytest.approx((low, high), abs=1e-3)


@pytest.mark.parametrize("count", [1, 3, 20])
def test_the_ends_of_an_interval_are_the_means_that_the_count_just_contradicts(count):
    low, high = garwood_interval(count)
    assert scipy.stats.poisson.sf(count - 1, low) == pytest.approx(0.025)
    assert scipy.stats.poisson.cdf(count, high) == pytest.approx(0.025)


def test_a_rate_is_per_hour():
    assert rate(5, 2.0)["per_hour"] == 2.5
    assert rate(5, 2.0)["high"] == pytest.approx(11.668 / 2, abs=1e-3)
    assert rate(0, 0.0)["per_hour"] is None
