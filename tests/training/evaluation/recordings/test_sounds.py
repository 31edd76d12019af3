"""Recordings with one command, and recordings without."""

import numpy as np
import pytest

from tests.training.evaluation.streams.examples import hiss, tone_words
from training.clips.window import RATE
from training.evaluation.recordings.sounds import (
    BESIDE_SENTENCE,
    COMMAND,
    OTHER_WORD,
    Recording,
    noise_recordings,
    sentences,
    sentences_and_commands,
    word_recordings,
)
from training.evaluation.speakers import is_held_out_speaker
from training.evaluation.streams.negative_streams import NegativeStream
from training.evaluation.streams.negative_streams import Recording as Part

NAMES = [f"s{number}" for number in range(12)]
WORDS = tone_words(["yes", "no"] * 6, NAMES)


def rms(samples):
    return float(np.sqrt(np.mean(np.square(samples, dtype=np.float64))))


def sentence(number, held_out=False):
    samples = np.full(2 * 16000, 0.25, np.float32)
    return Recording("folder", f"{number}.wav", None, held_out, samples)


def test_each_word_is_in_a_quiet_and_in_a_noisy_recording_of_1_to_2_5_seconds():
    made = [*word_recordings(COMMAND, WORDS, [hiss()], seed=0)]
    assert [one.kind for one in made[:2]] == ["one command, quiet", "one command, noise at 10 dB"]
    assert [one.command for one in made[::2]] == WORDS.labels
    assert [one.name for one in made[::2]] == WORDS.names
    assert [one.held_out for one in made[::2]] == [is_held_out_speaker(name) for name in NAMES]
    lengths = [one.samples.size for one in made]
    assert all(16000 < length <= 40000 for length in lengths)
    assert len(set(lengths)) > 8
    assert lengths[::2] == lengths[1::2]
    assert all(one.samples.dtype == np.float32 for one in made)


def test_the_clip_is_somewhere_in_the_recording():
    starts = []
    for one in word_recordings(COMMAND, WORDS, [hiss()], seed=0):
        if one.kind.endswith("quiet"):
            loud = np.flatnonzero(np.abs(one.samples) > 0.01)
            assert loud[-1] - loud[0] == pytest.approx(8000, abs=30)  # the tones last half a second
            starts.append(loud[0])
    assert len({start // 1000 for start in starts}) > 5


def test_the_clip_is_10_db_above_the_noise():
    for one in word_recordings(COMMAND, WORDS, [hiss()], seed=0):
        if one.kind.endswith("10 dB"):
            tone = one.samples[np.convolve(np.abs(one.samples), np.ones(800) / 800, "same") > 0.015]
            assert 9.0 < 20 * np.log10(rms(tone) / 0.01 / np.sqrt(2)) < 11.5  # half of the second


def test_other_words_are_no_commands():
    made = [*word_recordings(OTHER_WORD, WORDS, [hiss()], seed=0)]
    assert {one.kind for one in made} == {"one other word, quiet", "one other word, noise at 10 dB"}
    assert {one.command for one in made} == {None}


def test_recordings_of_1_to_10_seconds_are_cut_out_of_the_streams():
    seconds = [0.5, 1.0, 3.0, 10.0, 10.5]
    ends = np.cumsum(seconds)
    parts = [Part(f"{s}.wav", e - s, e) for s, e in zip(seconds, ends, strict=True)]
    samples = np.concatenate(
        [np.full(round(s * 16000), s / 100, np.float32) for s in seconds], dtype=np.float32
    )
    made = [*sentences([NegativeStream("folder", "s1", samples, parts)], RATE)]
    assert [one.name for one in made] == ["3.0.wav", "10.0.wav"]
    for one, value in zip(made, (0.03, 0.1), strict=True):
        assert np.all(one.samples == np.float32(value))
        assert one.kind == "folder"
        assert one.held_out == is_held_out_speaker("s1")


def test_a_command_is_after_or_before_the_sentence_with_a_pause_between():
    spoken = [sentence(number, number % 4 < 2) for number in range(8)]
    made = [*sentences_and_commands(spoken, WORDS, seed=0)]
    assert {one.kind for one in made} == {BESIDE_SENTENCE}
    for number, one in enumerate(made):
        assert one.held_out == spoken[number].held_out
        clip = WORDS.names.index(one.name.split(", ")[1])
        assert WORDS.labels[clip] == one.command
        assert is_held_out_speaker(WORDS.speakers[clip]) == one.held_out
        inside = np.flatnonzero(one.samples == 0.25)
        assert inside[-1] - inside[0] + 1 == 2 * 16000
        pause = one.samples.size - 3 * 16000 - 8000
        assert 0.7 * 16000 <= pause <= 2 * 16000
        assert inside[0] == (16000 + pause if number % 2 else 0)


def test_a_sentence_of_a_half_without_clips_gets_no_command():
    speakers = [name for name in NAMES if not is_held_out_speaker(name)][:2]
    words = tone_words(["yes", "no"], speakers)
    made = [*sentences_and_commands([sentence(0), sentence(1, held_out=True)], words, seed=0)]
    assert [one.held_out for one in made] == [False]


def test_noises_have_many_lengths_and_levels():
    made = [*noise_recordings([hiss()], seed=0, window=RATE)]
    assert [one.held_out for one in made[:4]] == [False, True, False, True]
    assert {one.kind for one in made} == {"noise"}
    lengths = [one.samples.size for one in made]
    assert 16000 < min(lengths) < 32000
    assert 140_000 < max(lengths) <= 160_000
    levels = [20 * np.log10(rms(one.samples)) for one in made]
    assert -51 < min(levels) < -48
    assert -13 < max(levels) < -9


def test_the_same_seed_gives_the_same_recordings():
    def make(seed):
        return [
            *word_recordings(COMMAND, WORDS, [hiss()], seed),
            *sentences_and_commands([sentence(0)], WORDS, seed),
            *noise_recordings([hiss()], seed, RATE),
        ]

    for one, again in zip(make(0), make(0), strict=True):
        assert one[:4] == again[:4]
        assert np.array_equal(one.samples, again.samples)
    assert any(
        one.samples.size != other.samples.size for one, other in zip(make(0), make(1), strict=True)
    )
