"""Where a word begins and ends."""

import numpy as np
import pytest

from training.clips.word_span import word_span


def clip(*parts, noise=1e-4, seed=0):
    """A second of hiss with tones; a part is its first and last sample and its amplitude."""
    samples = noise * np.random.default_rng(seed).normal(size=16000)
    for start, end, level in parts:
        samples[start:end] += level * np.sin(2 * np.pi * 440 * np.arange(end - start) / 16000)
    return samples.astype(np.float32)


@pytest.mark.parametrize("noise", [0, 1e-4, 1e-2])
def test_a_word_ends_where_its_sound_ends(noise):
    start, end = word_span(clip((4000, 11200, 0.3), noise=noise))
    assert start == pytest.approx(4000, abs=320)
    assert end == pytest.approx(11200, abs=320)


def test_a_stop_inside_a_word_is_part_of_it():
    start, end = word_span(clip((4000, 7200, 0.3), (9600, 11200, 0.1)))
    assert (start, end) == (pytest.approx(4000, abs=320), pytest.approx(11200, abs=320))


def test_a_sound_after_a_long_pause_is_not_part_of_the_word():
    assert word_span(clip((1600, 6400, 0.3), (12800, 14400, 0.1)))[1] == pytest.approx(
        6400, abs=320
    )


def test_the_words_of_a_phrase_may_be_further_apart():
    sound = clip((1600, 4800, 0.3), (9600, 12800, 0.1))  # a pause of 300 ms
    assert word_span(sound, "lights")[1] == pytest.approx(4800, abs=320)
    assert word_span(sound, "lights on")[1] == pytest.approx(12800, abs=320)
    apart = clip((800, 3200, 0.3), (12800, 15200, 0.1))  # 600 ms
    assert word_span(apart, "lights on")[1] == pytest.approx(3200, abs=320)


def test_a_constant_offset_changes_nothing():
    sound = clip((4000, 11200, 0.3))
    assert word_span(sound + np.float32(0.2)) == word_span(sound)


def test_silence_has_a_span_inside_the_clip():
    start, end = word_span(np.zeros(16000, np.float32))
    assert 0 <= start < end <= 16000
