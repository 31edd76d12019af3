"""Tests of training/voices/speakers.py."""

import re

import numpy as np
import pytest

from training.voices.errors import SynthesisError
from training.voices.speakers import (
    ESPEAK_VOICES,
    KOKORO_VOICES,
    NATURAL_VOICES,
    SAMPLE_SPEAKERS,
    Speaker,
    draw_blend,
    draw_neural_speakers,
    draw_speakers,
)


def neural_speakers(number: int, seed: int = 0) -> list[Speaker]:
    return draw_neural_speakers(number, np.random.default_rng(seed))


def test_no_voice_of_the_samples_speaks_in_the_clips():
    espeak = {
        part
        for speaker in SAMPLE_SPEAKERS.values()
        if speaker.engine == "espeak-ng"
        for part in (speaker.voice, speaker.voice.split("+")[1])
    }
    for voice in ESPEAK_VOICES:
        assert not {voice, voice.split("+")[1]} & espeak
    same_people = {"rms", "kal", "kal16", "kal_diphone"}
    assert not {voice for _, voice in NATURAL_VOICES} & same_people


def test_half_of_the_speakers_have_natural_voices_in_equal_parts():
    speakers = draw_speakers(90, np.random.default_rng(1))
    voices = [speaker.voice for speaker in speakers if speaker.engine != "espeak-ng"]
    assert {voice: voices.count(voice) for voice in voices} == {
        "awb": 12,
        "slt": 11,
        "ked_diphone": 11,
        "cmu_us_slt_arctic_hts": 11,
    }


def test_names_of_neural_speakers_are_stable_and_unique():
    speakers = neural_speakers(500, seed=3)
    assert speakers == neural_speakers(500, seed=3)
    names = {speaker.name for speaker in speakers}
    assert len(names) == 500
    assert all(re.fullmatch("(kokoro|piper)-en-[a-z0-9-]+", name) for name in names)
    assert speakers[:9] == neural_speakers(9, seed=3)


def test_a_third_of_the_neural_speakers_have_pipers_voice():
    engines = [speaker.engine for speaker in neural_speakers(90)]
    assert (engines.count("kokoro"), engines.count("piper")) == (60, 30)


def test_blends_are_of_up_to_three_voices_and_sum_to_100_percent():
    rng = np.random.default_rng(0)
    for _ in range(200):
        blend = draw_blend(rng)
        assert sum(blend.values()) == 100
        assert min(blend.values()) > 0
        assert len(blend) <= 3
        assert set(blend) <= set(KOKORO_VOICES)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"engine": "mbrola"}, "engine: expected one of espeak-ng, flite,.*found 'mbrola'"),
        ({"voice": ""}, "voice: expected the name of a voice, found ''"),
        ({"voice": "-w"}, "voice: expected the name of a voice, found '-w'"),
        ({"voice": "a b"}, "voice: expected the name of a voice, found 'a b'"),
        ({"speed": 0}, "speed: expected 1 to 1000 words a minute, found 0"),
        ({"pitch": 100}, "pitch: expected 0 to 99, found 100"),
        ({"size": 0.0}, r"size: expected 0\.1 to 10, found 0\.0"),
        ({"size": float("nan")}, r"size: expected 0\.1 to 10, found nan"),
    ],
)
def test_a_speaker_that_cannot_be_is_refused(settings, message):
    with pytest.raises(SynthesisError, match=message):
        Speaker(**({"engine": "espeak-ng", "voice": "en-us"} | settings))
