"""Streams of words over noise."""

import dataclasses

import numpy as np
import pytest

from tests.training.evaluation.streams.examples import hiss, tone_words
from training.clips.levels import rms
from training.clips.window import RATE, WINDOW
from training.evaluation.streams.recipe import StreamRecipe
from training.evaluation.streams.word_streams import noise_bed, word_streams

LABELS = ["yes", "no", "up", "down", "left"]
RECIPE = StreamRecipe(words_per_stream=3)


def streams(snr, recipe=RECIPE, labels=LABELS):
    return list(word_streams(tone_words(labels), [hiss()], snr, recipe))


def test_each_word_is_spoken_once_in_streams_of_the_wanted_length():
    made = streams(10)
    assert [len(stream.words) for stream in made] == [3, 2]
    assert sorted(word.label for stream in made for word in stream.words) == sorted(LABELS)


def test_words_are_where_the_stream_says():
    for stream in streams(None):
        loud = np.zeros(stream.samples.size, bool)
        for word in stream.words:
            assert word.end - word.start == pytest.approx(0.5, abs=0.05)
            span = slice(round((word.start + 0.05) * RATE), round((word.end - 0.05) * RATE))
            assert rms(stream.samples[span]) > 0.1
            loud[round((word.start - 0.05) * RATE) : round((word.end + 0.05) * RATE)] = True
        assert rms(stream.samples[~loud]) < 1e-3


def test_pauses_are_within_the_limits():
    recipe = dataclasses.replace(RECIPE, pause_seconds=(0.3, 0.4), words_per_stream=10)
    (stream,) = streams(None, recipe)
    pauses = [b.start - a.end for a, b in zip(stream.words, stream.words[1:], strict=False)]
    assert all(0.29 <= pause <= 0.41 for pause in pauses)


@pytest.mark.parametrize("snr", [20, 0])
def test_the_snr_is_that_of_the_clips_second(snr):
    recipe = dataclasses.replace(RECIPE, words_per_stream=1)
    for stream in streams(snr, recipe, ["yes"]):
        (word,) = stream.words
        start = round((word.start - 0.25) * RATE)
        noise = np.concatenate([stream.samples[:start], stream.samples[start + WINDOW :]])
        both = rms(stream.samples[start : start + WINDOW]) ** 2
        speech = both - rms(noise) ** 2
        assert 10 * np.log10(speech / rms(noise) ** 2) == pytest.approx(snr, abs=1)


def test_the_words_and_the_noise_are_the_same_at_every_snr_and_differ_by_seed():
    at_10, at_0 = streams(10), streams(0)
    assert [stream.words for stream in at_10] == [stream.words for stream in at_0]
    assert np.array_equal(at_10[0].samples[:8000], at_0[0].samples[:8000])
    assert np.array_equal(streams(10)[0].samples, at_10[0].samples)
    other = streams(10, dataclasses.replace(RECIPE, seed=1))
    assert [stream.words for stream in other] != [stream.words for stream in at_10]


def test_noise_has_an_rms_of_1_and_short_recordings_are_repeated():
    bed = noise_bed([hiss()[:1600], hiss()], 20 * RATE, np.random.default_rng(0))
    assert bed.size == 20 * RATE
    assert rms(bed) == pytest.approx(1, abs=0.02)
    assert (np.abs(bed.reshape(-1, 1600)).max(axis=1) > 0).all()


def test_no_words_make_no_streams():
    assert streams(10, labels=[]) == []
