"""The second that is cut out of a recording."""

import numpy as np
import pytest

from tests.training.clips.made_clips import tone, word_in_noise
from training.clips.window import WINDOW, fit_window, is_silent


def where(samples):
    """The first sample that the cut holds of a recording."""
    cut = fit_window(samples.astype(np.float32), WINDOW)
    assert cut.size == 16000
    starts = np.flatnonzero(samples.astype(np.float32) == cut[0])
    return next(s for s in starts if np.array_equal(samples[s : s + 16000].astype("f"), cut))


@pytest.mark.parametrize("word_at", [0.0, 0.1, 0.7, 1.25, 2.4, 2.5])
def test_a_word_is_whole_and_in_the_middle_as_far_as_the_recording_goes(word_at):
    samples, begin, end = word_in_noise(word_at)
    start = where(samples)
    assert start <= begin
    assert end <= start + 16000
    expected = np.clip((begin + end) // 2 - 8000, 0, samples.size - 16000)
    assert abs(start - expected) <= 480


def test_a_word_between_digital_zeros_is_in_the_middle():
    samples = np.zeros(48000, np.float32)
    samples[20000:28000] = tone(0.5, 0.1)
    sound = np.flatnonzero(fit_window(samples, WINDOW))
    assert abs(sound.mean() - 8000) <= 240


@pytest.mark.parametrize("click_at", [0, 0.01, 0.4, 2.9])
def test_a_loud_click_is_not_taken_for_the_word(click_at):
    samples, begin, end = word_in_noise(1.5)
    at = int(click_at * 16000)
    samples[at : at + 80] = 0.9 * np.random.default_rng(1).choice([-1, 1], 80)
    start = where(samples)
    assert start <= begin < end <= start + 16000


def test_a_constant_offset_does_not_count_as_sound():
    samples, begin, end = word_in_noise(1.5, level=0.01)
    start = where(samples)
    assert where(samples + 0.3) == start
    assert start <= begin < end <= start + 16000


def test_of_two_sounds_the_louder_is_cut_out():
    samples, begin, end = word_in_noise(2.2, seconds=4, level=0.1)
    samples[2000:12000] += tone(0.625, 0.02, 200)
    assert abs(where(samples) + 8000 - (begin + end) / 2) <= 480


@pytest.mark.parametrize("size", [16001, 16159, 16161, 17000])
def test_a_clip_little_longer_than_a_second_loses_only_the_rest(size):
    samples = np.random.default_rng(0).normal(size=size).astype(np.float32)
    assert 0 <= where(samples) <= size - 16000


def test_a_soft_word_is_not_silence():
    soft = word_in_noise(1.5, level=10 ** (-65 / 20), hiss=1e-5)[0].astype(np.float32)
    assert not is_silent(soft)
    assert is_silent(soft * 0.1)
