"""Tests of training/voices/sentence_speakers.py."""

from itertools import islice

import numpy as np
import pytest

from training.voices.sentence_speakers import SIDES, draw_sentence_speakers, voices_of
from training.voices.speakers import (
    ESPEAK_VOICES,
    KOKORO_VOICES,
    draw_neural_speakers,
    draw_speakers,
)


def people(side: str) -> set[str]:
    """Return the voices of a side without their accents."""
    return {speaker.voice_name for speaker in voices_of(SIDES[side])}


def test_the_sides_share_no_voice():
    assert not people("training") & people("held-out")


def test_no_held_out_voice_spoke_the_clips():
    rng = np.random.default_rng(0)
    spoke = draw_speakers(2 * len(ESPEAK_VOICES), rng) + draw_neural_speakers(300, rng)
    names = {speaker.voice_name for speaker in spoke}
    assert not people("held-out") & names
    assert not any(style in name for style in KOKORO_VOICES for name in people("held-out"))
    assert {name for name in names if not name.startswith(("kokoro", "piper"))} <= people(
        "training"
    )


@pytest.mark.parametrize("side", SIDES)
def test_each_side_has_women_and_men_with_american_and_british_accents(side):
    styles = [name.split("-")[1] for name in people(side) if name.startswith("kokoro")]
    assert {*styles} == {"af", "am", "bf", "bm"}
    assert len(styles) == {"training": 19, "held-out": 9}[side]


@pytest.mark.parametrize("side", SIDES)
def test_every_voice_has_its_turn(side):
    speakers = list(islice(draw_sentence_speakers(SIDES[side], 0), 3000))
    assert {speaker.voice_name for speaker in speakers} == people(side)
    engines = [speaker.engine for speaker in speakers]
    assert engines[:10] == SIDES[side].turns.split()
    assert engines.count("kokoro") == {"training": 1200, "held-out": 1800}[side]


def test_the_same_seed_draws_the_same_speakers():
    first, again, other = (
        list(islice(draw_sentence_speakers(SIDES["training"], seed), 50)) for seed in (1, 1, 2)
    )
    assert first == again
    assert first != other
    assert len({speaker.name for speaker in first}) > 45
