"""A task: what is trained on and validated on, and what a user is told."""

import collections
import json
import shutil
from pathlib import Path

import numpy as np
import pytest
import soundfile

from speechgru import audio
from tests.training.data.made_tasks import task
from training.clips.errors import DataError
from training.clips.splitting import official_set


def same(one, other):
    assert (one.labels, one.summary, one.new_voices) == (
        other.labels,
        other.summary,
        other.new_voices,
    )
    assert json.dumps(one.lists) == json.dumps(other.lists)
    assert one.skipped == other.skipped
    for name in ("clips", "noise", "validation", "targets"):
        np.testing.assert_array_equal(getattr(one, name), getattr(other, name), err_msg=name)
    for ours, theirs in zip(one.pools, other.pools, strict=True):
        np.testing.assert_array_equal(ours[0], theirs[0])
        np.testing.assert_array_equal(ours[1], theirs[1])


def test_a_damaged_file_is_named_and_skipped(word_folder, tmp_path, capsys):
    folder = tmp_path / "words"
    shutil.copytree(word_folder, folder)
    damaged = folder / "yes" / "speaker0_nohash_2.wav"
    damaged.write_text("not sound")
    made = task(folder)
    assert f"skipped: {damaged}" in capsys.readouterr().err
    assert len(made.clips) == len(task(word_folder).clips) - 1


def test_many_damaged_files_stop_the_run(word_folder, tmp_path):
    folder = tmp_path / "words"
    shutil.copytree(word_folder, folder)
    for number in range(20):
        (folder / "no" / f"speaker{number % 10}_nohash_{number + 10}.wav").touch()
    with pytest.raises(DataError, match=r"\d+ of \d+ files could not be read"):
        task(folder)


def test_labels_pools_and_validation_fit_together(word_folder):
    made = task(word_folder)
    assert made.labels == ("yes", "no", "unknown", "silence")
    rows = np.concatenate([rows for rows, _ in made.pools])
    assert sorted(rows) == list(range(len(made.clips)))  # each clip has one label
    assert not made.clips[0].any()
    assert made.pools[3][0].tolist() == [0]
    counts = np.bincount(made.targets)
    commands = counts[0] + counts[1]
    assert counts[2] == counts[3] == int(np.ceil(commands / 10))
    assert len(made.validation) == len(made.targets)
    np.testing.assert_allclose(np.mean(made.noise**2), 1, rtol=0.05)


@pytest.mark.parametrize("words", [["yes", "no"], ["all"]])
def test_a_folder_and_a_seed_give_one_task_in_whatever_order_files_are_listed(
    words, word_folder, plain, own_words, monkeypatch
):
    listed, walked = Path.iterdir, Path.rglob
    monkeypatch.setattr(Path, "iterdir", lambda p: iter(sorted(listed(p), reverse=True)))
    monkeypatch.setattr(Path, "rglob", lambda p, what: sorted(walked(p, what), reverse=True))
    same(task(word_folder, words=words), own_words if words == ["all"] else plain)


def test_another_seed_gives_other_unknown_words_and_silence(word_folder, plain):
    others = [task(word_folder, seed=seed).lists for seed in (1, 2, 3)]
    assert any(other["validation"] != plain.lists["validation"] for other in others)
    for other in others:
        assert other["validation_silence"] != plain.lists["validation_silence"]
        assert other["training"] == plain.lists["training"]


def test_the_lists_say_what_is_in_every_row(word_folder, plain):
    lists = plain.lists
    for part, rows in (("training", plain.clips[1:]), ("validation", plain.validation)):
        for key, row in zip(lists[part], rows, strict=False):
            read = audio.load(word_folder / key)
            middle = np.round(read * 32768)
            np.testing.assert_array_equal(row[4000:12000], middle)
    assert len(plain.clips) == 1 + len(lists["training"])
    words = [key.split("/")[0] for key in lists["validation"]]
    numbers = [plain.labels.index(word) if word != "bird" else 2 for word in words]
    silence = len(lists["validation_silence"])
    assert plain.targets.tolist() == numbers + [3] * silence
    assert (lists["negative"], lists["synthetic"], lists["training_unknown"]) == ([], [], [])
    assert lists["noise"] == ["_background_noise_/hiss.wav"]


def test_no_clip_is_trained_on_and_validated_on(plain, own_words):
    for made in (plain, own_words):
        assert not set(made.lists["training"]) & set(made.lists["validation"])
        assert made.new_voices


def test_no_speaker_of_the_recordings_is_trained_on_and_validated_on(real_data, monkeypatch):
    load = audio.load
    word = np.random.default_rng(0).normal(size=16000).astype(np.float32) / 10

    def quick_load(path):  # what a clip of a word sounds like does not matter here
        return load(path) if path.parent.name == "_background_noise_" else word

    monkeypatch.setattr(audio, "load", quick_load)
    made = task(real_data, words=None, spliced_share=0.1)
    parts = {
        name: {
            key.partition("_nohash_")[0].split("/")[1] for line in lines for key in line.split("+")
        }
        for name, lines in made.lists.items()
        if name in ("training", "training_unknown", "validation")
    }
    assert len(parts["training"]) > 1000
    assert not (parts["training"] | parts["training_unknown"]) & parts["validation"]
    listed = set((real_data / "validation_list.txt").read_text().split())
    assert set(made.lists["validation"]) <= listed
    used = {
        key
        for name in ("training", "training_unknown")
        for line in made.lists[name]
        for key in line.split("+")
    }
    assert not used & listed


def test_no_file_is_read_twice(word_folder, tmp_path, monkeypatch):
    for name in ("negative", "noise"):
        (tmp_path / name).mkdir()
        soundfile.write(tmp_path / name / "a.wav", 0.1 * np.ones(100_000), 16000)
    shutil.copytree(word_folder / "yes", tmp_path / "synthetic" / "yes")
    counted = collections.Counter()
    load = audio.load
    monkeypatch.setattr(audio, "load", lambda path: counted.update([path]) or load(path))
    given = {name: tmp_path / name for name in ("noise", "synthetic")}
    made = task(word_folder, negative=[tmp_path / "negative"], **given)
    assert set(counted.values()) == {1}
    read = len(made.lists["training"]) + len(made.lists["validation"]) + 30 + 3
    assert len(counted) == read


def test_skipped_files_are_in_the_task(word_folder, tmp_path):
    folder = tmp_path / "words"
    shutil.copytree(word_folder, folder)
    damaged, silent = (folder / "yes" / f"speaker{n}_nohash_1.wav" for n in (2, 3))
    damaged.write_text("<html>")
    soundfile.write(silent, np.zeros(16000), 16000)
    made = task(folder)
    assert [path for path, _ in made.skipped] == [str(damaged), str(silent)]
    assert not {"yes/speaker2_nohash_1.wav", "yes/speaker3_nohash_1.wav"} & set(
        made.lists["training"] + made.lists["validation"]
    )


def test_every_word_is_a_command_and_speakers_are_split_officially(tmp_path):
    rng = np.random.default_rng(0)
    for word in ("tea", "milk", "unknown", "silence"):
        (tmp_path / word).mkdir()
        for speaker in range(40):
            path = tmp_path / word / f"s{speaker}_nohash_0.wav"
            soundfile.write(path, 0.1 * rng.normal(size=4000), 16000)
    made = task(tmp_path, words=["all"])
    assert made.labels == ("milk", "tea", "unknown", "silence")
    assert {official_set(key.split("/")[1]) for key in made.lists["training"]} == {"training"}
    assert {official_set(key.split("/")[1]) for key in made.lists["validation"]} == {"validation"}
    assert len(made.pools[3][0]) == 1 + len([k for k in made.lists["training"] if "silence/" in k])


@pytest.mark.parametrize("name", ["negative", "noise"])
def test_a_folder_without_sound_is_refused(name, word_folder, tmp_path):
    sources = {name: [tmp_path] if name == "negative" else tmp_path}
    with pytest.raises(DataError, match="found none"):
        task(word_folder, **sources)
    soundfile.write(tmp_path / "a.wav", np.zeros(16000), 16000)
    with pytest.raises(DataError, match="found none"):
        task(word_folder, **sources)
    (tmp_path / "a.wav").write_text("no sound")
    with pytest.raises(DataError, match="1 of 1 files could not be read"):
        task(word_folder, **sources)


# Folders as users have them


def test_skipped_files_have_their_former_name(plain):
    assert plain.passed_over is plain.skipped


def test_words_keep_the_spelling_that_was_asked_for(word_folder, plain, tmp_path):
    for word, folder in (("yes", "YES"), ("no", "No"), ("bird", "Bird")):
        shutil.copytree(word_folder / word, tmp_path / folder)
    shutil.copytree(word_folder / "_background_noise_", tmp_path / "_Background_Noise_")
    made = task(tmp_path)
    assert made.labels == plain.labels
    np.testing.assert_array_equal(np.sort(made.targets), np.sort(plain.targets))
    assert len(made.lists["training"]) == len(plain.lists["training"])
    assert {key.split("/")[0] for key in made.lists["training"]} == {"YES", "No", "Bird"}
    assert [len(rows) for rows, _ in made.pools] == [len(rows) for rows, _ in plain.pools]
    assert made.lists["noise"] == ["_Background_Noise_/hiss.wav"]


@pytest.mark.parametrize("name", ["_unknown_", "Unknown", "UNKNOWN"])
def test_clips_of_an_unknown_folder_are_drawn_as_unknown(name, word_folder, tmp_path, capsys):
    for word, folder in (("yes", "yes"), ("no", "no"), ("bird", name)):
        shutil.copytree(word_folder / word, tmp_path / folder)
    made = task(tmp_path, words=None)
    assert made.labels == ("no", "yes", "unknown", "silence")
    keys = made.lists["training"]
    unknown = [row for row, key in enumerate(keys, 1) if key.startswith(f"{name}/")]
    assert unknown
    assert made.pools[2][0].tolist() == unknown
    assert not made.lists["training_unknown"]


def test_silent_clips_of_a_silence_folder_are_used_in_every_spelling(word_folder, tmp_path):
    for word in ("yes", "no", "bird"):
        shutil.copytree(word_folder / word, tmp_path / word)
    (tmp_path / "_silence_").mkdir()
    soundfile.write(tmp_path / "_silence_" / "room_0.wav", np.zeros(16000), 16000)
    (tmp_path / "validation_list.txt").write_text("yes/speaker1_nohash_0.wav\n")
    made = task(tmp_path)
    assert made.skipped == []
    assert "_silence_/room_0.wav" in made.lists["training"]
    assert len(made.pools[3][0]) == 2


@pytest.mark.parametrize("line", ["\ufeffYES\\speaker1_nohash_0.wav", "./yes/speaker1_nohash_0"])
def test_a_clip_listed_for_testing_is_neither_trained_on_nor_made_into_others(
    line, word_folder, tmp_path
):
    for word in ("yes", "no"):
        shutil.copytree(word_folder / word, tmp_path / word)
    (tmp_path / "testing_list.txt").write_text(f"{line}\n", encoding="utf-8")
    made = task(tmp_path)
    names = [name for names in made.lists.values() for name in names]
    assert len(made.lists["training"]) + len(made.lists["validation"]) == 59
    assert not [name for name in names if "yes/speaker1_nohash_0" in name]


def copy_with_names(word_folder, folder, pattern):
    for word in ("yes", "no", "bird"):
        (folder / word).mkdir(parents=True)
        for number, path in enumerate(sorted((word_folder / word).iterdir())):
            name = pattern.format(word=word, speaker=number // 3, take=number % 3, number=number)
            shutil.copy(path, folder / word / f"{name}.wav")
    return folder


def test_speakers_of_other_schemes_are_known_and_kept_apart(word_folder, tmp_path, capsys):
    made = task(copy_with_names(word_folder, tmp_path, "p{speaker}_{word}_{take}"))
    assert made.speakers_known
    assert made.new_voices
    parts = [
        {key.split("/")[1].split("_")[0] for key in made.lists[part]}
        for part in ("training", "validation")
    ]
    assert not parts[0] & parts[1]
    assert "told apart" not in capsys.readouterr().err


def test_it_is_said_where_speakers_cannot_be_told_apart(word_folder, tmp_path, capsys):
    made = task(copy_with_names(word_folder, tmp_path, "{word} ({number})"))
    assert not made.speakers_known
    assert not made.new_voices
    message = "speakers could not be told apart in 90 of 90 clips (bird/bird (0).wav, "
    assert message in capsys.readouterr().err
