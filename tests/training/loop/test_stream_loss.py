"""What scores in a scene cost."""

import numpy as np
import pytest
import tensorflow as tf

from training.clips.window import RATE
from training.loop.stream_loss import SMOOTHING_HOPS, hop_times, stream_losses

HOP = 640
YES, NO, UNKNOWN, SILENCE = range(4)
LABELS = [SILENCE, YES, UNKNOWN, NO, SILENCE]  # of the second before a scene of four


def losses(*spoken, labels=LABELS, speed=1.0, window=1.0):
    """Losses of a scene of four seconds, where a label is certain from one time to another."""
    probabilities = np.full((1, 100, 4), 1e-5, np.float32)
    probabilities[0, :, SILENCE] = 1 - 3e-5
    for start, end, label in spoken:
        hops = slice(round(start / 0.04), round(end / 0.04))
        probabilities[0, hops] = 1e-5
        probabilities[0, hops, label] = 1 - 3e-5
    source = (np.arange(100, dtype=np.float32)[None] + 1) * HOP
    source = (source - 32_000) * speed + 32_000
    times = hop_times(source, round(window * RATE))
    found = stream_losses(tf.constant(probabilities), tf.constant([labels]), times)
    return [float(loss[0]) for loss in found]


def test_commands_that_are_found_cost_nothing():
    wrong, missed = losses((0.6, 1.2, YES), (2.7, 3.3, NO))
    assert wrong == pytest.approx(0, abs=1e-3)
    assert missed == pytest.approx(0, abs=1e-3)


def test_each_missed_command_costs():
    assert losses((0.6, 1.2, YES))[1] == pytest.approx(-np.log(1.1e-4), rel=0.1)
    assert losses()[1] == pytest.approx(-2 * np.log(1.1e-4), rel=0.1)


def test_a_command_that_is_heard_for_half_of_the_mean_costs_its_logarithm():
    half = SMOOTHING_HOPS // 2 * 0.04
    _, missed = losses((0.6, 0.6 + half, YES), (2.7, 3.3, NO))
    assert missed == pytest.approx(np.log(2), rel=0.02)


@pytest.mark.parametrize(
    "spoken",
    [
        (1.8, 2.3, YES),  # too late
        (1.8, 2.3, NO),  # too early
        (0.6, 1.2, NO),  # another one
        (3.7, 4.0, YES),
    ],
)
def test_a_command_where_it_was_not_given_costs(spoken):
    found = losses((0.6, 1.2, YES), (2.7, 3.3, NO))[0]
    assert losses((0.6, 1.2, YES), (2.7, 3.3, NO), spoken)[0] > found + 0.3


def test_unknown_speech_and_silence_never_cost_as_wrong():
    assert losses((0.0, 4.0, UNKNOWN))[0] == pytest.approx(0, abs=1e-3)


def test_a_command_at_the_end_of_a_scene_is_not_missed():
    labels = [SILENCE, SILENCE, SILENCE, SILENCE, YES]
    assert losses(labels=labels) == pytest.approx([0, 0], abs=1e-3)
    assert losses((3.6, 4.0, YES), labels=labels)[0] == pytest.approx(0, abs=1e-3)


def test_the_command_before_a_scene_may_still_be_heard_at_its_start():
    labels = [YES, SILENCE, SILENCE, SILENCE, SILENCE]
    assert losses((0.0, 0.55, YES), labels=labels)[0] == pytest.approx(0, abs=1e-3)
    assert losses((0.0, 0.55, NO), labels=labels)[0] > 0.5
    assert losses((0.7, 1.2, YES), labels=labels)[0] > 0.5


def test_times_are_those_of_the_sound_at_another_speed():
    # At a speed of 1.2, what is at 0.6 to 1.2 s comes from 0.32 to 1.04 s, what is at 0.3 s from 0.
    _, missed = losses((0.6, 1.2, YES), (2.7, 3.3, NO), speed=1.2)
    assert missed == pytest.approx(0, abs=1e-3)
    labels = [SILENCE, NO, NO, NO, NO]
    assert losses((0.0, 0.3, NO), labels=labels, speed=1.2)[0] > 0.3
    assert losses((0.6, 0.9, NO), labels=labels, speed=1.2)[0] == pytest.approx(0, abs=1e-3)


def test_a_phrase_is_found_anywhere_in_its_longer_window():
    labels = [SILENCE, YES, NO]  # of windows of two seconds
    for found in ((0.3, 0.9, YES), (1.4, 2.0, YES), (1.9, 2.5, YES)):
        wrong, missed = losses(found, (3.4, 4.0, NO), labels=labels, window=2.0)
        assert wrong == pytest.approx(0, abs=1e-3)
        assert missed == pytest.approx(0, abs=1e-3)  # of NO nothing is asked: the scene ends
    assert losses((2.8, 3.3, YES), labels=labels, window=2.0)[0] > 0.3  # too late
    assert losses((1.4, 2.0, NO), labels=labels, window=2.0)[0] > 0.3  # too early
    assert losses(labels=labels, window=2.0)[1] == pytest.approx(-np.log(1.1e-4), rel=0.1)


def test_losses_are_finite_where_scores_are_certain():
    scores = tf.constant(np.eye(4, dtype=np.float32)[np.arange(100) % 4][None])
    source = (np.arange(100, dtype=np.float32)[None] + 1) * HOP
    with tf.GradientTape() as tape:
        tape.watch(scores)
        found = stream_losses(scores, tf.constant([LABELS]), hop_times(source, RATE))
    assert np.isfinite(np.array([found[0], found[1]])).all()
    assert np.isfinite(tape.gradient(found, scores).numpy()).all()
