"""Tests of training/voices/synthesis.py."""

import numpy as np
import pytest

from training.voices import synthesis
from training.voices.errors import SynthesisError
from training.voices.sound import write_wav
from training.voices.speakers import ENGINES, Speaker
from training.voices.synthesis import SYNTHESISERS, speak


def test_every_engine_has_a_synthesiser():
    assert set(SYNTHESISERS) == set(ENGINES)


@pytest.mark.usefixtures("synthesisers")
@pytest.mark.parametrize(
    "speaker",
    [
        Speaker("espeak-ng", "en-us+f1"),
        Speaker("flite", "awb", pitch=60),
        Speaker("festival", "ked_diphone", speed=150, size=1.2),
    ],
    ids=lambda speaker: speaker.engine,
)
def test_words_are_spoken_with_a_peak_of_1_and_little_quiet(speaker):
    spoken = speak(speaker, ["stop", "go"], before=0.02, after=0.04)
    assert [word for word, _ in spoken] == ["stop", "go"]
    for _, sound in spoken:
        assert 0.15 < len(sound) / 16000 < 1.2
        assert np.abs(sound).max() == pytest.approx(1)


@pytest.mark.parametrize("written", [None, b"", b"no sound at all"])
def test_a_synthesiser_that_makes_no_sound_is_an_error(monkeypatch, written):
    def write(speaker, files):
        if written is not None:
            for path in files.values():
                path.write_bytes(written)

    monkeypatch.setitem(synthesis.SYNTHESISERS, "flite", write)
    with pytest.raises(
        SynthesisError, match=r"flite: expected the sound of 'go' in .*, found none"
    ):
        speak(Speaker("flite", "awb"), ["go"], before=0, after=0)


def test_texts_of_which_a_voice_makes_no_sound_may_be_left_out(monkeypatch):
    def write(speaker, files):
        write_wav(files["stop"], np.sin(np.arange(4000)), 16000, "PCM_16")
        write_wav(files["eight"], np.zeros(4000), 16000, "PCM_16")

    monkeypatch.setitem(synthesis.SYNTHESISERS, "flite", write)
    spoken = speak(Speaker("flite", "awb"), ["stop", "eight"], before=0, after=0, skip_silent=True)
    assert [text for text, _ in spoken] == ["stop"]
