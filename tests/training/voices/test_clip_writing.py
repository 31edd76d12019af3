"""Tests of training/voices/clip_writing.py."""

import re
from pathlib import Path

import numpy as np
import pytest
import soundfile

from training.voices import clip_writing
from training.voices.clip_writing import (
    ClipCounts,
    deal_words,
    has_plausible_length,
    place_in_clip,
    write_clips,
)
from training.voices.errors import SynthesisError
from training.voices.speakers import Speaker


def make_clips(
    folder: Path, words: list[str], number: int, seed: int = 0, neural: int = 0
) -> dict[str, bytes]:
    """Give the bytes of every clip by its name below the folder."""
    write_clips(folder, dict.fromkeys(words, number), dict.fromkeys(words, neural), seed)
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in files(folder)}


def files(folder: Path) -> list[Path]:
    return sorted(path for path in folder.rglob("*") if path.is_file())


@pytest.mark.usefixtures("synthesisers")
def test_clips_are_one_second_of_16_khz_pcm16_with_a_word_of_every_synthesiser(tmp_path):
    made = make_clips(tmp_path / "clips", ["yes", "stop"], 9)
    assert sorted(name.split("/")[0] for name in made) == ["stop"] * 9 + ["yes"] * 9
    assert len({re.sub("-.*", "", name.split("/")[1]) for name in made}) == 3
    for name in made:
        assert re.fullmatch(r"\w+/[A-Za-z0-9-]+_nohash_\d+\.wav", name)
        info = soundfile.info(tmp_path / "clips" / name)
        kind = (info.samplerate, info.channels, info.subtype, info.frames)
        assert kind == (16000, 1, "PCM_16", 16000), name
        sound, _ = soundfile.read(tmp_path / "clips" / name)
        loud = np.sqrt(np.mean(sound.reshape(100, 160) ** 2, axis=1)) > 0.02
        assert 0.2 < np.abs(sound).max() < 0.95, name
        assert 8 <= loud.sum() <= 96, name


@pytest.mark.usefixtures("synthesisers")
def test_the_same_seed_makes_the_same_bytes(tmp_path):
    first = make_clips(tmp_path / "first", ["go", "up"], 3, seed=5)
    assert len(first) == 6
    assert make_clips(tmp_path / "second", ["go", "up"], 3, seed=5) == first


@pytest.mark.usefixtures("synthesisers")
def test_another_seed_makes_other_clips(tmp_path):
    first = make_clips(tmp_path / "first", ["go", "up"], 3, seed=5)
    other = make_clips(tmp_path / "other", ["go", "up"], 3, seed=6)
    assert len(other) == 6
    assert not set(first.values()) & set(other.values())


@pytest.mark.usefixtures("neural_synthesisers")
def test_neural_clips_are_whole_and_the_same_for_the_same_seed(tmp_path):
    first = make_clips(tmp_path / "first", ["go"], 0, neural=3)
    assert [re.sub("-.*", "", name) for name in sorted(first)] == ["go/kokoro"] * 2 + ["go/piper"]
    for name in first:
        sound, rate = soundfile.read(tmp_path / "first" / name)
        assert (len(sound), rate) == (16000, 16000)
        loud = np.sqrt(np.mean(sound.reshape(100, 160) ** 2, axis=1)) > 0.02
        assert 8 <= loud.sum() <= 96, name
    assert make_clips(tmp_path / "second", ["go"], 0, neural=3) == first


@pytest.mark.usefixtures("neural_synthesisers", "synthesisers")
def test_neural_voices_leave_the_other_clips_as_they_are(tmp_path):
    plain = make_clips(tmp_path / "plain", ["up"], 3)
    more = make_clips(tmp_path / "more", ["up"], 3, neural=1)
    assert len(more) == 4
    assert {name: more[name] for name in plain} == plain


@pytest.mark.parametrize(
    ("engine", "seconds", "plausible"),
    [
        ("kokoro", 0.1, False),
        ("kokoro", 0.5, True),
        ("piper", 1.1, False),
        ("flite", 1.1, True),
        ("flite", 1.3, False),
    ],
)
def test_speech_of_a_wrong_length_is_not_plausible(engine, seconds, plausible):
    assert has_plausible_length(Speaker(engine, "en-us"), seconds) is plausible


def test_clips_of_a_wrong_length_are_counted_and_not_written(tmp_path, monkeypatch):
    lengths = {"yes": 16000, "go": 30000}

    def speak(speaker, words, before, after):
        return [(word, np.ones(lengths[word])) for word in words]

    monkeypatch.setattr(clip_writing, "require_voices", list)
    monkeypatch.setattr(clip_writing, "speak", speak)
    made = write_clips(tmp_path / "out", {"yes": 3, "go": 2}, {}, 0)
    assert made == ClipCounts(clips=3, words=2, speakers=3, dropped=2)
    assert [path.parent.name for path in files(tmp_path / "out")] == ["yes"] * 3


def test_long_speech_is_played_faster_to_fit():
    clip = place_in_clip(np.ones(18000), np.random.default_rng(0))
    assert clip.shape == (16000,)
    assert (np.abs(clip) > 0.1).sum() == pytest.approx(15200, abs=50)


def test_words_are_dealt_evenly_and_nobody_says_one_twice():
    dealt = deal_words({"a": 4, "b": 4, "yes": 8}, 8)
    assert [sorted(words) for words in dealt] == [["a", "yes"]] * 4 + [["b", "yes"]] * 4
    assert sorted(words["yes"] for words in dealt) == list(range(8))


def test_a_folder_with_something_in_it_is_refused_untouched(tmp_path):
    (tmp_path / "precious.txt").write_text("keep")
    with pytest.raises(SynthesisError, match="expected a new or an empty folder, found files"):
        write_clips(tmp_path, {"yes": 1}, {}, 0)
    assert [path.name for path in tmp_path.iterdir()] == ["precious.txt"]
    assert (tmp_path / "precious.txt").read_text() == "keep"


def test_a_file_in_place_of_the_folder_is_refused_untouched(tmp_path):
    path = tmp_path / "clips"
    path.write_text("keep")
    with pytest.raises(SynthesisError, match="clips: expected a new or an empty folder, found a f"):
        write_clips(path, {"yes": 1}, {}, 0)
    assert path.read_text() == "keep"


@pytest.mark.parametrize("counts", [({"../up": 1}, {}), ({}, {"lights on": 1})])
def test_a_text_that_is_no_word_writes_nothing(tmp_path, counts):
    with pytest.raises(SynthesisError, match="expected a word"):
        write_clips(tmp_path / "out", *counts, 0)
    assert list(tmp_path.iterdir()) == []


def test_a_full_disk_names_the_clip_and_leaves_nothing_behind(tmp_path, monkeypatch):
    def fill_disk(path, data):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(clip_writing, "require_voices", list)
    monkeypatch.setattr(
        clip_writing, "speak", lambda speaker, words, **_: [(w, np.ones(9)) for w in words]
    )
    monkeypatch.setattr(Path, "write_bytes", fill_disk)
    with pytest.raises(OSError, match=r"No space left.*_nohash_0\.wav"):
        write_clips(tmp_path / "out", {"yes": 1}, {}, 0)
    assert list(tmp_path.iterdir()) == []
