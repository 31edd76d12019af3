"""Speech between pauses: where it begins and ends, in which noise, and what is none."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from speechgru import audio
from speechgru.audio.segmentation import find_speech
from tests.speechgru.audio.words import RATE, in_room, noise, word

SECONDS = st.integers(20, 100).map(lambda hundredths: hundredths / 100)
PAUSES = st.integers(60, 200).map(lambda hundredths: hundredths / 100)


def spans(samples):
    return [(speech.start / RATE, speech.end / RATE) for speech in find_speech(samples)]


@settings(max_examples=40, deadline=None)
@given(st.lists(st.tuples(PAUSES, SECONDS), min_size=1, max_size=8), st.sampled_from([1e-4, 5e-3]))
def test_each_word_between_pauses_is_found_where_it_is(parts, level):
    samples = in_room([(pause, word(seconds)) for pause, seconds in parts], level=level)
    starts = np.cumsum([pause for pause, _ in parts]) + np.cumsum([0, *(s for _, s in parts)])[:-1]
    expected = [(start, start + seconds) for start, (_, seconds) in zip(starts, parts, strict=True)]
    np.testing.assert_allclose(spans(samples), expected, atol=0.06)


@settings(max_examples=50, deadline=None)
@given(st.integers(0, 3000), st.integers(0, 9), st.sampled_from([0.0, 1e-9, 0.01, 1.0]))
def test_speech_lies_in_the_sound_in_the_order_of_time(length, seed, level):
    samples = np.clip(level * np.random.default_rng(seed).normal(size=length), -1, 1)
    found = find_speech(samples.astype(np.float32))
    edges = [edge for speech in found for edge in (speech.start, speech.end)]
    assert edges == sorted(edges)
    assert all(0 <= edge <= length for edge in edges)


@pytest.mark.parametrize("level", [0, 1e-5, 1e-3, 0.03, 0.2])
def test_steady_noise_is_no_speech(level):
    assert spans(noise(20, level=level)) == []


def test_a_phrase_with_a_short_pause_is_one():
    samples = in_room([(1, word(0.4)), (0.3, word(0.5)), (0.8, word(0.4))])
    np.testing.assert_allclose(spans(samples), [(1, 2.2), (3.0, 3.4)], atol=0.06)


def test_clicks_are_left_out():
    click = np.full(80, 0.5, np.float32)
    samples = in_room([(1, click), (1, word()), (0.7, click), (0.7, click)])
    np.testing.assert_allclose(spans(samples), [(2.005, 2.605)], atol=0.06)


@pytest.mark.parametrize("hertz", [50, 60, 100])
def test_hum_and_an_offset_are_no_speech(hertz):
    samples = in_room([(2, word(0.5, level=0.02))], after=2)
    hum = 0.2 + 0.2 * np.sin(2 * np.pi * hertz * np.arange(len(samples)) / RATE)
    np.testing.assert_allclose(spans(samples + hum.astype(np.float32)), [(2, 2.5)], atol=0.06)


def test_a_gated_microphone_without_any_noise_gives_the_words():
    gated = np.concatenate([np.zeros(RATE), word(), np.zeros(RATE), word(), np.zeros(RATE)])
    np.testing.assert_allclose(spans(gated.astype(np.float32)), [(1, 1.6), (2.6, 3.2)], atol=0.06)


def test_a_fan_that_goes_on_and_off_is_followed():
    parts = [in_room([(1, word())] * 6, after=0.6, level=level) for level in (1e-3, 3e-3, 1e-3)]
    assert len(spans(np.concatenate(parts))) == 18


def test_what_is_found_does_not_depend_on_the_place_in_a_long_sound():
    alone = in_room([(5, word()), (5, word(0.3))], after=5)
    quiet = noise(50, seed=1)
    later = [(start - 50, end - 50) for start, end in spans(np.concatenate([quiet, alone]))]
    np.testing.assert_allclose(later, spans(alone), atol=0.011)


def test_words_of_real_speakers_between_pauses_come_out_one_for_one(real_data):
    clips = {path.name.split("_")[0]: path for path in sorted((real_data / "marvin").glob("*.wav"))}
    parts = [(0.8, audio.load(path)) for path in list(clips.values())[:30]]
    joined = in_room([(pause, sound - sound.mean()) for pause, sound in parts], level=0)
    hiss = audio.load(real_data / "_background_noise_" / "running_tap.wav")
    loud = np.median([np.sort(np.abs(sound))[-6400:].std() for _, sound in parts])
    hiss = np.resize(hiss * (loud / hiss.std() * 10 ** (-15 / 20)), len(joined))
    middles = 1.3 + 1.8 * np.arange(30)
    found = spans(joined + hiss.astype(np.float32))
    inside = [
        sum(start < middle + 0.5 and end > middle - 0.5 for start, end in found)
        for middle in middles
    ]
    assert len(found) == 30
    assert inside == [1] * 30
