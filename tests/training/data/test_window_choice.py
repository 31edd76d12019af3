"""Which window is chosen from the words."""

from pathlib import Path

import numpy as np
import pytest
import soundfile
from hypothesis import given, settings
from hypothesis import strategies as st

from speechgru import audio
from tests.training.clips.made_clips import word_in_noise
from tests.training.data.made_tasks import task
from training.clips.clip import Clip
from training.data import window_choice
from training.data.window_choice import choose_window, lasts_at_most, samples_needed
from training.recipes.recipe import Recipe

WINDOWS = Recipe().windows
DATA = Path("data")


def clips_of(folder, sounds, word="tea"):
    """Clips with these sounds, in files."""
    clips = []
    for number, sound in enumerate(sounds):
        path = folder / f"{word}_{number}.wav"
        soundfile.write(path, sound, 16000)
        clips.append(Clip(path, word, f"s{number}"))
    return clips


def word(length, seconds=3.0):
    return word_in_noise((seconds - length) / 2, seconds, length=length)[0]


@pytest.fixture
def loads(monkeypatch):
    """The paths that are loaded."""
    paths, load = [], audio.load
    monkeypatch.setattr(audio, "load", lambda path: paths.append(path) or load(path))
    return paths


@pytest.mark.parametrize(
    ("length", "window"), [(0.3, 1.0), (0.75, 1.0), (0.95, 1.2), (1.5, 1.8), (2.7, 3.0)]
)
def test_the_word_decides_and_not_the_length_of_the_file(length, window, tmp_path, capsys):
    chosen = choose_window(WINDOWS, clips_of(tmp_path, [word(length)] * 3), DATA)
    assert chosen == round(window * 16000)
    assert capsys.readouterr().err == ""


def test_a_clip_that_ends_with_its_word_needs_no_more_than_itself(tmp_path):
    tight = np.sin(np.arange(17_000))
    assert samples_needed(tight.astype(np.float32), "tea") == 17_000
    assert choose_window(WINDOWS, clips_of(tmp_path, [tight]), DATA) == 19_200


def test_clips_of_at_most_a_second_are_not_read(tmp_path, loads):
    sounds = [word(0.4, 1.0), word(0.4, 0.7)] * 10
    assert choose_window(WINDOWS, clips_of(tmp_path, sounds), DATA) == 16_000
    assert loads == []


def test_no_clip_is_read_where_a_twentieth_is_long_and_only_long_ones_else(tmp_path, loads):
    clips = clips_of(tmp_path, [word(1.5)] + [word(0.4, 1.0)] * 19)
    assert choose_window(WINDOWS, clips, DATA) == 16_000
    assert loads == []
    assert choose_window(WINDOWS, clips[:-1], DATA) == 28_800
    assert loads == [clips[0].path]


def test_one_window_is_taken_without_a_look(loads):
    assert choose_window([20_480], [Clip(Path("nowhere.wav"), "tea", "s")], DATA) == 20_480
    assert choose_window(WINDOWS, [], DATA) == 16_000


def test_files_without_a_readable_header_are_loaded(tmp_path, loads):
    clips = clips_of(tmp_path, [word(1.1)] * 3)
    content = bytearray(clips[0].path.read_bytes())
    content[40:44] = bytes(4)  # the recorder was killed before it wrote the size
    clips[0].path.write_bytes(content)
    assert not lasts_at_most(clips[0].path, 10**9)
    clips[1].path.write_text("no sound")  # counts neither as short nor as long
    assert not lasts_at_most(clips[1].path, 10**9)
    assert not lasts_at_most(tmp_path / "nowhere.wav", 10**9)
    assert choose_window(WINDOWS, clips, DATA) == 22_400
    assert sorted(loads) == sorted(clip.path for clip in clips)


@pytest.mark.parametrize("rate", [8000, 11025, 44100])
def test_headers_of_other_rates_are_understood(rate, tmp_path):
    soundfile.write(tmp_path / "a.flac", np.zeros(rate), rate)
    soundfile.write(tmp_path / "b.flac", np.zeros(rate + rate // 100), rate)
    assert lasts_at_most(tmp_path / "a.flac", 16_000)
    assert not lasts_at_most(tmp_path / "b.flac", 16_000)


def test_words_longer_than_the_longest_window_are_warned_of(tmp_path, capsys):
    clips = clips_of(tmp_path, [word(3.4, 4.0)] * 2 + [word(0.5)] * 8)
    assert choose_window(WINDOWS, clips, DATA) == 48_000
    assert capsys.readouterr().err == (
        "warning: data: 2 of 10 clips to train on hold a word that does not fit into the longest "
        "window, 3.0 s\n"
    )


def test_the_words_of_a_phrase_are_measured_together(tmp_path):
    sound = np.concatenate([word(0.4, 1.0), word(0.4, 0.5), np.zeros(16_000)])  # 0.35 s between
    assert choose_window(WINDOWS, clips_of(tmp_path, [sound]), DATA) == 16_000
    phrases = clips_of(tmp_path, [sound], "lights on")
    assert choose_window(WINDOWS, phrases, DATA) == 22_400


@settings(max_examples=200, deadline=None)
@given(
    needed=st.lists(st.integers(8000, 60_000), min_size=1, max_size=80),
    windows=st.sets(st.sampled_from(WINDOWS), min_size=2).map(sorted),
)
def test_95_percent_fit_into_the_chosen_window_and_not_into_a_shorter_one(needed, windows):
    clips = [Clip(Path(str(samples)), "tea", "s") for samples in needed]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(window_choice, "lasts_at_most", lambda path, most: int(path.name) <= most)
        patch.setattr(
            window_choice, "_needed_samples", lambda clips: [int(c.path.name) for c in clips]
        )
        chosen = choose_window(windows, clips, DATA)
    shares = {w: sum(samples <= w for samples in needed) / len(needed) for w in windows}
    assert all(shares[w] < 0.95 for w in windows if w < chosen)
    assert shares[chosen] >= 0.95 or chosen == windows[-1]


def test_a_task_has_the_window_of_its_words_and_of_its_voices(tmp_path, capsys):
    for name, count, length in (("data", 3, 0.5), ("voices", 9, 1.3)):
        for label in ("yes", "no"):
            (tmp_path / name / label).mkdir(parents=True)
            for number in range(count):
                path = tmp_path / name / label / f"s{number}_0.wav"
                soundfile.write(path, word(length, 2.0), 16000)
    made = task(tmp_path / "data", windows=WINDOWS)
    assert made.window == 16_000
    made = task(tmp_path / "data", synthetic=tmp_path / "voices", windows=WINDOWS)
    assert made.window == made.clips.shape[1] == made.validation.shape[1] == 25_600
    capsys.readouterr()
    task(tmp_path / "data", synthetic=tmp_path / "voices")
    assert "18 of 24 clips hold a word longer than 1.0 s and are cut" in capsys.readouterr().err
