"""From folders of clips to a task: what is drawn, what is made, what is measured."""

import collections
import json
import shutil
from pathlib import Path

import numpy as np
import pytest
import soundfile

from speechgru import audio
from training.clips.errors import DataError
from training.clips.splitting import official_set
from training.clips.window import RATE, WINDOW
from training.data.unknown_class import letters_differ, middle_of_sound, splice
from training.data.noise_recordings import noise_rows
from training.data.batches import NEGATIVE_SHARE, draw_batch
from training.data.synthetic_noise import event, synthetic_noise
from training.data.task import make_task


@pytest.fixture(scope="module", autouse=True)
def short_noises():
    """Made noises of one second instead of twelve: they take most of the time."""
    make = synthetic_noise
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(
            "training.data.task.synthetic_noise",
            lambda *given, seconds=1: make(*given, seconds),
        )
        yield make


def task(folder, **changes):
    arguments = {
        "words": ["yes", "no"],
        "negative": None,
        "synthetic": None,
        "synthetic_weight": 0.2,
        "synthetic_share": 0.0,
        "seed": 0,
    }
    return make_task(folder, **{**arguments, **changes})


def test_a_damaged_file_is_named_and_passed_over(word_folder, tmp_path, capsys):
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


def test_negative_speech_and_synthetic_clips_are_drawn_as_unknown_and_as_words(
    word_folder, tmp_path
):
    (tmp_path / "negative").mkdir()
    speech = np.concatenate([0.1 * np.ones(40000), np.zeros(32000)])  # the end says nothing
    soundfile.write(tmp_path / "negative" / "a.wav", speech, 16000)
    made = task(word_folder, negative=tmp_path / "negative", synthetic=word_folder)
    plain = task(word_folder)
    assert len(made.pools[2][0]) == len(plain.pools[2][0]) + 5 + 30  # windows, birds
    assert len(made.pools[0][0]) == len(plain.pools[0][0]) + 30
    _, weights = made.pools[0]
    real, spoken = weights[: len(plain.pools[0][0])], weights[len(plain.pools[0][0]) :]
    assert spoken[0] == pytest.approx(0.2 * real[0])
    assert weights.sum() == pytest.approx(1)
    windows = slice(len(plain.pools[2][0]), len(plain.pools[2][0]) + 5)
    assert made.pools[2][1][windows].sum() == pytest.approx(NEGATIVE_SHARE)
    np.testing.assert_array_equal(made.validation, plain.validation)


def test_synthetic_clips_are_at_least_their_share_of_every_label(word_folder, tmp_path):
    soundfile.write(tmp_path / "a.wav", 0.1 * np.ones(40000), 16000)
    for negative in (None, tmp_path):
        made = task(word_folder, negative=negative, synthetic=word_folder, synthetic_share=0.4)
        for label in range(3):
            assert made.pools[label][1][-30:].sum() == pytest.approx(0.4)


def test_without_other_words_unknown_is_learnt_backwards(word_folder, capsys):
    made = task(word_folder, words=["yes", "no", "bird"])
    assert "played backwards" in capsys.readouterr().out
    third = (len(made.clips) - 1) // 3
    assert made.pools[3][0].tolist() == list(range(third + 1, 3 * third + 1))
    np.testing.assert_array_equal(
        made.clips[third + 1 : 2 * third + 1], made.clips[1 : third + 1, ::-1]
    )


def test_batches_hold_the_shares_asked_for(word_folder):
    made = task(word_folder)
    rng = np.random.default_rng(0)
    rows, answers = draw_batch(made, 20_000, 0.2, 0.1, rng)
    shares = np.bincount(answers) / 20_000
    np.testing.assert_allclose(shares, [0.35, 0.35, 0.2, 0.1], atol=0.02)
    for label, (pool, _) in enumerate(made.pools):
        assert set(rows[answers == label]) == set(pool)


# The description of a task


@pytest.fixture(scope="module")
def plain(word_folder):
    return task(word_folder)


@pytest.fixture(scope="module")
def own_words(word_folder):
    """A task whose folders are all commands."""
    return task(word_folder, words=["all"])


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


def test_silence_to_validate_on_is_a_noises_end_at_the_volume_described(word_folder, plain):
    hiss = np.round(audio.load(word_folder / "_background_noise_" / "hiss.wav") * 32768)
    silence = plain.validation[plain.targets == 3]
    assert len(silence) == len(plain.lists["validation_silence"]) > 0
    for row, line in zip(silence, plain.lists["validation_silence"], strict=True):
        name, rest = line.split("@")
        start, level = rest.split("*")
        assert name == "_background_noise_/hiss.wav"
        assert int(start) >= 0.8 * hiss.size
        assert 0 <= float(level) <= 1
        expected = np.round(hiss[int(start) : int(start) + 16000] * float(level))
        np.testing.assert_array_equal(row, expected)


def test_no_clip_is_trained_on_and_validated_on(plain, own_words):
    for made in (plain, own_words):
        assert not set(made.lists["training"]) & set(made.lists["validation"])
        assert made.new_voices


def test_no_speaker_of_the_recordings_is_trained_on_and_validated_on(real_data):
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
    heard = {
        key
        for name in ("training", "training_unknown")
        for line in made.lists[name]
        for key in line.split("+")
    }
    assert not heard & listed


def test_no_file_is_read_twice(word_folder, tmp_path, monkeypatch):
    for name in ("negative", "noise"):
        (tmp_path / name).mkdir()
        soundfile.write(tmp_path / name / "a.wav", 0.1 * np.ones(100_000), 16000)
    shutil.copytree(word_folder / "yes", tmp_path / "synthetic" / "yes")
    counted = collections.Counter()
    load = audio.load
    monkeypatch.setattr(audio, "load", lambda path: counted.update([path]) or load(path))
    given = {name: tmp_path / name for name in ("negative", "noise", "synthetic")}
    made = task(word_folder, **given)
    assert set(counted.values()) == {1}
    read = len(made.lists["training"]) + len(made.lists["validation"]) + 30 + 3
    assert len(counted) == read


# Speech without commands


def test_unknown_to_learn_is_as_many_splices_as_words_played_backwards(own_words, capsys):
    lists = own_words.lists
    backwards = [line for line in lists["training_unknown"] if line.endswith(" backwards")]
    assert [line.removesuffix(" backwards") for line in backwards] == lists["training"]
    spliced = lists["training_unknown"][len(backwards) :]
    assert len(spliced) == len(backwards)
    for line in spliced:
        first, second = line.split("+")
        assert first.split("/")[0] != second.split("/")[0]
        assert {first, second} <= set(lists["training"])


def test_splices_are_made_of_both_clips(own_words):
    lists = own_words.lists
    row_of = {key: row for row, key in enumerate(lists["training"], 1)}
    spliced = [line for line in lists["training_unknown"] if "+" in line]
    rows = own_words.clips[1 + 2 * len(lists["training"]) :]
    for line, row in zip(spliced, rows, strict=True):
        first, second = (own_words.clips[row_of[key]].tobytes() for key in line.split("+"))
        assert row[4000:7500].tobytes() in first  # beside the crossfade
        assert row[8500:12000].tobytes() in second


def test_the_line_on_what_unknown_is_names_splices_too(word_folder, capsys):
    task(word_folder, words=["yes", "no", "bird"])
    line = capsys.readouterr().out
    assert "words played backwards and from splices" in line
    folder_of_one = task(word_folder, words=["yes"])
    assert "splices" not in capsys.readouterr().out  # there are other words
    assert not folder_of_one.lists["training_unknown"]


def test_of_one_word_alone_nothing_is_spliced(word_folder, tmp_path, capsys):
    shutil.copytree(word_folder / "yes", tmp_path / "yes")
    made = task(tmp_path, words=["all"])
    assert capsys.readouterr().out.endswith("from words played backwards\n")
    assert all(line.endswith(" backwards") for line in made.lists["training_unknown"])
    assert len(made.lists["training_unknown"]) == len(made.lists["training"])


def test_a_share_of_unknown_is_splices_of_commands_with_other_letters(word_folder):
    made = task(word_folder, spliced_share=0.25)
    rows, probabilities = made.pools[2]
    spliced = made.lists["training_unknown"]
    words = [{key.split("/")[0] for key in line.split("+")} for line in spliced]
    assert words == [{"yes", "no"}] * (len(made.lists["training"]) // 2)
    assert probabilities[rows >= len(made.clips) - len(spliced)].sum() == pytest.approx(0.25)
    alike = task(word_folder, words=["yes"], spliced_share=0.25)
    assert not alike.lists["training_unknown"]
    assert alike.pools[1][1].sum() == pytest.approx(1)


@pytest.mark.parametrize(
    ("one", "other", "differ"),
    [
        ("no", "go", False),
        ("on", "stop", False),
        ("up", "left", True),
        ("stop", "up", False),
        ("On", "Off", False),
        ("hm", "up", True),
    ],
)
def test_words_with_a_letter_in_common_are_not_joined(one, other, differ):
    assert letters_differ(one, other) == letters_differ(other, one) == differ


def test_unknown_to_validate_on_is_made_in_the_same_way(own_words):
    made = own_words.lists["validation_unknown"]
    commands = len(own_words.lists["validation"])
    assert len(made) == np.ceil(commands / 10) == (own_words.targets == 3).sum()
    used = {key for line in made for key in line.removesuffix(" backwards").split("+")}
    assert used <= set(own_words.lists["validation"])
    rows = own_words.validation[own_words.targets == 3]
    for line, row in zip(made, rows, strict=True):
        if line.endswith(" backwards"):
            at = own_words.lists["validation"].index(line.removesuffix(" backwards"))
            np.testing.assert_array_equal(row, own_words.validation[at, ::-1])


def test_negative_speech_takes_the_place_of_made_words(word_folder, tmp_path, capsys):
    soundfile.write(tmp_path / "long.wav", 0.1 * np.ones(8000 * 20), 8000)
    soundfile.write(tmp_path / "short.flac", 0.1 * np.ones(4000), 16000)
    made = task(word_folder, words=["all"], negative=tmp_path)
    assert capsys.readouterr().out == ""
    assert made.lists["negative"] == ["long.wav", "short.flac"]
    assert made.lists["training_unknown"] == []
    assert len(made.pools[3][0]) == 39 + 1


def test_a_splice_fades_from_one_clip_to_the_other():
    first, second = np.full(16000, 1000, np.int16), np.full(16000, -1000, np.int16)
    joined = splice(first, second, 9000, 7000)
    change = np.flatnonzero((joined > -1000) & (joined < 1000))
    assert 160 <= change.size <= 320  # 10 to 20 ms
    assert abs(change.mean() - 8000) < 1
    assert (np.diff(joined) <= 0).all()


def test_the_halves_of_a_clip_hold_as_much_sound():
    clip = np.zeros(16000, np.int16)
    clip[2000:8000] = 1000 * np.sin(np.arange(6000))
    assert middle_of_sound(clip) == pytest.approx(5000, abs=160)
    assert middle_of_sound(np.zeros(16000, np.int16)) == 8000


# Noise


def test_added_noises_are_learnt_from_and_their_ends_are_validated_on(word_folder, tmp_path, plain):
    (tmp_path / "kitchen").mkdir()
    rate = 22050
    noise = 0.1 * np.random.default_rng(0).normal(size=rate * 10)
    soundfile.write(tmp_path / "kitchen" / "fan.flac", noise, rate)
    soundfile.write(tmp_path / "click.ogg", 0.1 * np.sin(np.arange(900)), 16000)
    made = task(word_folder, noise=tmp_path)
    folder = tmp_path.name
    assert made.lists["noise"] == [
        "_background_noise_/hiss.wav",
        f"{folder}/click.ogg",
        f"{folder}/kitchen/fan.flac",
    ]
    assert made.summary.endswith(f", 2 noises of {folder}")
    more = (made.noise.size - plain.noise.size) / 16000
    assert more == pytest.approx(8 + 900 / 16000, abs=0.02)
    tasks = [task(word_folder, noise=tmp_path, seed=seed) for seed in range(4)]
    silence = [line for one in tasks for line in one.lists["validation_silence"]]
    ends = [int(line.split("@")[1].split("*")[0]) for line in silence if "fan" in line]
    assert ends
    assert min(ends) >= 8 * 16000
    assert not [line for line in silence if "click" in line]


def test_a_noise_given_twice_is_read_once(word_folder, plain):
    made = task(word_folder, noise=word_folder / "_background_noise_")
    np.testing.assert_array_equal(made.noise, plain.noise)


def test_made_noises_serve_where_none_are_recorded(word_folder, tmp_path):
    for word in ("yes", "no", "bird"):
        shutil.copytree(word_folder / word, tmp_path / word)
    made = task(tmp_path)
    assert made.lists["noise"] == []
    assert all(line.startswith("made noise ") for line in made.lists["validation_silence"])
    silence = made.validation[made.targets == 3]
    assert silence.any(axis=1).all()
    assert made.noise.size > 16000 * 40


def test_made_noises_are_minutes_of_many_kinds(short_noises):
    speech = np.random.default_rng(0).integers(-1000, 1000, (5, 16000)).astype(np.int16)
    noises = short_noises(speech, np.random.default_rng(0))
    assert len(noises) > 40
    assert {noise.shape for noise in noises} == {(12 * 16000,)}
    spectra = np.array([np.abs(np.fft.rfft(noise))[1:].mean() for noise in noises])
    assert np.isfinite(spectra).all()
    assert len({round(float(level), 6) for level in spectra}) == len(noises)


def test_noise_rows_are_level_and_of_any_length():
    rng = np.random.default_rng(0)
    loud, soft = 1000 * rng.normal(size=5000), rng.normal(size=777).astype(np.float32)
    rows = noise_rows([loud.astype(np.int16), np.zeros(50, np.int16), soft])
    assert (rows.dtype, rows.shape) == (np.float32, (5777 // 160, 160))
    assert np.sqrt(np.mean(rows.ravel()[:5000] ** 2)) == pytest.approx(1, abs=1e-5)
    assert np.sqrt(np.mean(rows.ravel()[5000:] ** 2)) == pytest.approx(1, abs=0.1)


@pytest.mark.parametrize("name", ["negative", "noise"])
def test_a_folder_with_nothing_to_hear_is_refused(name, word_folder, tmp_path):
    with pytest.raises(DataError, match="found none"):
        task(word_folder, **{name: tmp_path})
    soundfile.write(tmp_path / "a.wav", np.zeros(16000), 16000)
    with pytest.raises(DataError, match="found none"):
        task(word_folder, **{name: tmp_path})
    (tmp_path / "a.wav").write_text("no sound")
    with pytest.raises(DataError, match="1 of 1 files could not be read"):
        task(word_folder, **{name: tmp_path})


# What a user is told


def test_files_passed_over_are_in_the_task(word_folder, tmp_path):
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


def test_a_folder_of_silent_files_to_validate_on_is_refused(tmp_path):
    (tmp_path / "yes").mkdir()
    for speaker in "abcdefghij":
        soundfile.write(tmp_path / "yes" / f"{speaker}_1.wav", np.zeros(16000), 16000)
    with pytest.raises(DataError, match="found none with sound"):
        task(tmp_path, words=None)


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


def test_made_noises_are_many_and_no_two_events_alike():
    rng = np.random.default_rng(0)
    noises = synthetic_noise(rng.integers(-99, 99, (30, WINDOW), np.int16), rng)
    assert len({noise.tobytes() for noise in noises}) == len(noises) == 84
    assert all(np.isfinite(noise).all() and noise.any() for noise in noises)
    events = [event(rng) for _ in range(300)]
    seconds = [event.size / RATE for event in events]
    assert 0.05 <= min(seconds) < 0.06
    assert 1.0 < max(seconds) <= 1.2
    assert all(np.abs(event).max() == pytest.approx(1) for event in events)
    assert all(abs(event[-1]) < 0.05 for event in events)  # none ends in a click
