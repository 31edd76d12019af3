"""Takes: the quiet around them, and why some cannot be used."""

import numpy as np
import pytest

from speechgru import audio
from speechgru.audio.takes import (
    begins_in_speech,
    ends_in_speech,
    find_takes,
    has_ended,
    is_clipped,
)
from tests.speechgru.audio.words import RATE, in_room, noise, word


def test_a_take_holds_the_word_and_the_quiet_around_it():
    samples = in_room([(1, word(0.6))])
    (take,) = find_takes(samples, 3)
    assert take.problem is None
    assert (take.start, take.end) == pytest.approx((1, 1.6), abs=0.05)
    place = round((take.start - 0.3) * RATE)
    np.testing.assert_array_equal(take.samples, samples[place : place + len(take.samples)])
    assert len(take.samples) == pytest.approx(1.2 * RATE, abs=0.1 * RATE)


def test_the_margin_ends_where_the_sound_ends():
    (take,) = find_takes(in_room([(0.15, word())], after=0.1), 3)
    assert len(take.samples) == pytest.approx(0.85 * RATE, abs=1)


def test_a_sound_that_is_too_long_cannot_be_used():
    long, short = find_takes(in_room([(1, word(1.5)), (1, word(0.8))]), 1.0)
    assert long.problem == "too long: 1.5 s without a pause, at most 1 s can be used"
    assert short.problem is None


def test_a_clipped_take_cannot_be_used():
    clipped = np.clip(word() * 30, -1, 1)
    first, second = find_takes(in_room([(1, word(level=0.2)), (1, clipped)]), 3)
    assert first.problem is None
    assert second.problem == "too loud: the sound is clipped"


def test_speech_whose_peak_is_full_scale_is_not_clipped(samples):
    for path in sorted(samples.glob("*.wav")):
        sound = audio.load(path)
        sound /= np.abs(sound).max()
        assert not is_clipped(sound), path.name
        assert is_clipped(np.clip(3 * sound, -1, 1)), path.name


def test_clipped_8_bit_samples_are_found():
    eight_bits = np.clip(np.rint(word() * 1280), -128, 127) / 128
    assert is_clipped(np.maximum(eight_bits, 0))


def test_a_breath_between_words_cannot_be_used():
    breath = noise(0.4, level=0.006)
    found = find_takes(in_room([(1, word()), (0.8, breath), (0.8, word())], level=3e-4), 3)
    assert [take.problem is None for take in found] == [True, False, True]
    assert found[1].problem.startswith("too faint: 2")


def test_a_take_has_ended_after_half_a_second_of_quiet():
    samples = in_room([(0.5, word(0.6))])
    ended = [has_ended(samples[: round(end * RATE)]) for end in (0.4, 0.9, 1.4, 1.8)]
    assert ended == [False, False, False, True]


def test_speech_at_the_edges_may_be_cut():
    (late,) = find_takes(in_room([(1, word())], after=0.1), 3)
    (early,) = find_takes(in_room([(0.02, word())]), 3)
    assert (begins_in_speech(late), begins_in_speech(early)) == (False, True)
    samples = in_room([(1, word())], after=0.1)
    assert ends_in_speech(samples, find_takes(samples, 3)[0])
    samples = in_room([(1, word())], after=0.5)
    assert not ends_in_speech(samples, find_takes(samples, 3)[0])


def test_there_is_no_take_in_an_empty_room():
    assert find_takes(noise(5), 3) == find_takes(np.zeros(RATE, np.float32), 3) == []
