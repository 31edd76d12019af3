"""Tests of training/voices/phrase_writing.py."""

import numpy as np
import pytest
import soundfile

from training.clips.speakers import speaker_of
from training.voices import phrase_writing
from training.voices.phrase_writing import Texts, listed, plan_turns, write_turns
from training.voices.speakers import Speaker

VOICES = {"espeak-ng": ["en-us+m1", "en-us+f1", "en-gb+m2"], "flite": ["slt", "awb"]}
TEXTS = Texts({"lights on": 10, "off": 10}, {"garden": 3, "on lights": 4, "[[l'aIt]]": 2})


@pytest.fixture
def voice(monkeypatch):
    """A voice that says every text in half a second; returns who has spoken."""
    spoken = []

    def speak(speaker, texts, *, before, after, skip_silent):
        spoken.append(speaker)
        sound = np.sin(np.arange(8000) / 5)
        return [(text, sound) for text in texts]

    monkeypatch.setattr(phrase_writing, "speak", speak)
    return spoken


def test_every_text_is_said_as_often_as_planned_and_mnemonics_only_by_espeak():
    turns = plan_turns("training", VOICES, TEXTS, 0)
    counts = {text: 0 for text in (*TEXTS.phrases, *TEXTS.others)}
    for turn in turns:
        for text in turn.files:
            counts[text] += 1
            assert turn.speaker.engine == "espeak-ng" or not text.startswith("[[")
    assert counts == {**TEXTS.phrases, **TEXTS.others}


def test_files_are_in_the_folder_of_their_label_and_name_the_voice(voice, tmp_path):
    turns = plan_turns("training", VOICES, TEXTS, 0)
    assert write_turns(tmp_path, turns, "") == 0
    found = sorted(path.relative_to(tmp_path).as_posix() for path in tmp_path.rglob("*.wav"))
    assert len(found) == 29
    assert {name.split("/")[0] for name in found} == {"lights on", "off", "unknown"}
    speakers = {speaker_of(path.stem, "off") for path in (tmp_path / "off").iterdir()}
    assert speakers == {"espeak-ng-m1", "espeak-ng-f1", "espeak-ng-m2", "flite-slt", "flite-awb"}
    sound, rate = soundfile.read(tmp_path / found[0])
    assert (rate, len(sound)) == (16000, 8000)
    assert sorted(listed(turns, tmp_path)) == found


def test_the_two_sides_have_different_speakers_for_the_same_text(voice, tmp_path):
    training, held_out = (plan_turns(side, VOICES, TEXTS, 0) for side in ("training", "held-out"))
    names = [{turn.speaker.name for turn in turns} for turns in (training, held_out)]
    assert names[0] != names[1]


def test_clips_that_are_there_are_not_spoken_again(voice, tmp_path):
    turns = plan_turns("training", VOICES, TEXTS, 0)
    write_turns(tmp_path, turns, "")
    (path,) = list((tmp_path / "off").glob("*awb*"))[:1]
    content = path.read_bytes()
    path.unlink()
    voice.clear()
    write_turns(tmp_path, turns, "")
    assert [speaker.voice for speaker in voice] == ["awb"]
    assert path.exists()
    assert len(path.read_bytes()) == len(content)


@pytest.mark.parametrize(("seconds", "plausible"), [(0.05, False), (0.7, True), (5.0, False)])
def test_a_speech_of_an_impossible_length_is_left_out(seconds, plausible):
    speaker = Speaker("flite", "slt")
    assert phrase_writing.has_plausible_length(speaker, "lights on", seconds) == plausible


def test_clips_of_an_earlier_plan_by_the_same_voices_are_listed_too(voice, tmp_path):
    turns = plan_turns("held-out", {"flite": ["rms"]}, Texts({"off": 2}, {}), 0)
    write_turns(tmp_path, turns, "")
    (tmp_path / "unknown").mkdir()
    for name in ("flite-rms_nohash_old-0.wav", "flite-slt_nohash_old-0.wav"):
        (tmp_path / "unknown" / name).touch()
    found = listed(turns, tmp_path)
    assert len(found) == 3
    assert "unknown/flite-rms_nohash_old-0.wav" in found
