"""Tests of training/voices/phrase_speakers.py."""

from collections import Counter

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from training.voices import phrase_speakers
from training.voices.errors import SynthesisError
from training.voices.languages import ENGLISH, GERMAN
from training.voices.phrase_speakers import (
    divide,
    draw_phrase_speakers,
    installed_voices,
    voices_of_language,
)

SHARES = {"kokoro": 3, "flite": 4, "espeak-ng": 5}


@given(
    st.dictionaries(st.text(min_size=1, max_size=3), st.integers(0, 40), max_size=20),
    st.lists(st.sampled_from([*SHARES]), min_size=1, unique=True),
)
def test_clips_are_divided_whole_and_in_proportion(counts, engines):
    divided = divide(counts, SHARES, engines)
    total: Counter[str] = Counter()
    for own in divided.values():
        total.update(own)
    assert total == Counter({text: count for text, count in counts.items() if count})
    whole, shares = sum(counts.values()), sum(SHARES[engine] for engine in engines)
    for engine in engines:
        assert abs(sum(divided[engine].values()) - whole * SHARES[engine] / shares) <= len(SHARES)


def test_speakers_of_an_engine_have_its_voices_in_turn_with_different_settings():
    speakers = draw_phrase_speakers(
        "flite", ["awb", "slt"], 40, np.random.default_rng(0), blend=True
    )
    assert Counter(speaker.voice for speaker in speakers) == {"awb": 20, "slt": 20}
    assert len({speaker.name for speaker in speakers}) == 40


def test_every_second_speaker_of_kokoro_may_be_a_blend_of_two_voices():
    voices = ["en-us+af_bella", "en-us+am_puck", "en-gb+bf_lily"]
    rng = np.random.default_rng(0)
    blended = draw_phrase_speakers("kokoro", voices, 60, rng, blend=True)
    assert 15 <= sum(":" in speaker.voice for speaker in blended) <= 30
    plain = draw_phrase_speakers("kokoro", voices, 60, rng, blend=False)
    assert {speaker.voice for speaker in plain} == {*voices}


def test_engines_without_voices_are_named(monkeypatch):
    def require(speakers):
        if any(speaker.engine != "espeak-ng" for speaker in speakers):
            raise SynthesisError("no such voice")

    monkeypatch.setattr(phrase_speakers, "require_voices", lambda speakers: require([*speakers]))
    voices, missing = installed_voices("held-out", ENGLISH)
    assert [*voices] == ["espeak-ng"]
    assert missing == ["no such voice", "no such voice"]


@pytest.mark.usefixtures("synthesisers")
def test_the_installed_voices_are_found():
    voices, _ = installed_voices("training", ENGLISH)
    assert {"flite", "festival", "espeak-ng"} <= voices.keys()


def test_other_languages_are_spoken_by_different_voices_on_the_two_sides():
    training, held_out = (voices_of_language(side, GERMAN) for side in ("training", "held-out"))
    assert training.keys() == held_out.keys() == {"kokoro", "espeak-ng"}
    for engine in training:
        assert not {*training[engine]} & {*held_out[engine]}
        assert all(voice.startswith("de+") for voice in (*training[engine], *held_out[engine]))
