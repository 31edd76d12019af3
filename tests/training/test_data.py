"""From folders of clips to a task: splits, labels, reading, drawing."""

import shutil
from pathlib import Path

import numpy as np
import pytest
import soundfile
from hypothesis import given, settings
from hypothesis import strategies as st

from training import data
from training.data import Clip, DataError


def clip_list(words=("yes", "no"), speakers=20, takes=2):
    return [
        Clip(Path(word) / f"s{s}_nohash_{t}.wav", word, f"s{s}")
        for word in words
        for s in range(speakers)
        for t in range(takes)
    ]


def task(folder, **changes):
    arguments = {
        "words": ["yes", "no"],
        "negative": None,
        "synthetic": None,
        "synthetic_weight": 0.2,
        "synthetic_share": 0.0,
        "seed": 0,
    }
    return data.make_task(folder, **{**arguments, **changes})


@settings(deadline=None)
@given(
    speakers=st.integers(2, 40),
    takes=st.integers(1, 4),
    share=st.floats(0.05, 0.4),
)
def test_no_speaker_is_in_both_parts(speakers, takes, share):
    clips = clip_list(speakers=speakers, takes=takes)
    split = data.split_clips(Path("nowhere"), clips, share)
    training = {clip.speaker for clip in split.training}
    validation = {clip.speaker for clip in split.validation}
    assert not training & validation
    assert sorted(map(str, split.training + split.validation)) == sorted(map(str, clips))
    assert len(split.validation) >= min(share * len(clips), len(clips) - 2 * takes) - 1e-9


def test_the_lists_decide_where_they_are(tmp_path):
    clips = clip_list()
    (tmp_path / "validation_list.txt").write_text("yes/s3_nohash_0.wav\nno/s3_nohash_1.wav\n")
    (tmp_path / "testing_list.txt").write_text("yes/s4_nohash_0.wav\n")
    split = data.split_clips(tmp_path, clips)
    assert [str(c.path) for c in split.validation] == ["yes/s3_nohash_0.wav", "no/s3_nohash_1.wav"]
    assert len(split.training) == len(clips) - 3
    assert "yes/s4_nohash_0.wav" not in {str(c.path) for c in split.training}


def test_testing_clips_never_take_part(tmp_path):
    clips = clip_list()
    (tmp_path / "testing_list.txt").write_text("yes/s4_nohash_0.wav\nyes/no clip.wav\n")
    split = data.split_clips(tmp_path, clips)
    assert "yes/s4_nohash_0.wav" not in {c.key for c in split.training + split.validation}
    assert len(split.training + split.validation) == len(clips) - 1


def test_a_speaker_of_most_clips_is_not_validation(tmp_path):
    for names in (("anna", "ben"), ("x", "y"), ("1", "2")):
        clips = [Clip(Path(f"{names[i >= 95]}_{i}.wav"), "yes", names[i >= 95]) for i in range(100)]
        assert len(data.split_clips(tmp_path, clips).validation) == 5


def test_a_list_that_is_no_text_is_refused(tmp_path):
    (tmp_path / "validation_list.txt").write_bytes(b"\xff\xfe")
    with pytest.raises(DataError, match=r"validation_list\.txt: expected a list"):
        data.split_clips(tmp_path, clip_list())


def test_one_speaker_is_split_by_clips_with_a_warning(tmp_path, capsys):
    split = data.split_clips(tmp_path, clip_list(speakers=1, takes=10))
    assert (len(split.training), len(split.validation)) == (18, 2)
    assert "too few speakers" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("stem", "speaker"),
    [
        ("0a7c2a8d_nohash_1", "0a7c2a8d"),
        ("anna_12", "anna"),
        ("anna_b_3", "anna_b"),
        ("x", "x"),
        ("yes_7", "yes_7"),
    ],
)
def test_the_speaker_is_read_from_the_name(stem, speaker, tmp_path):
    (tmp_path / "yes").mkdir()
    (tmp_path / "yes" / f"{stem}.wav").touch()
    assert [clip.speaker for clip in data.find_clips(tmp_path)] == [speaker]


def test_the_ten_usual_words_are_chosen_where_they_are():
    everything = clip_list(words=(*data.USUAL_WORDS, "bird"), speakers=1)
    assert data.choose_words(everything, None) == data.USUAL_WORDS
    assert data.choose_words(clip_list(words=("tea", "milk")), None) == ("milk", "tea")
    assert data.choose_words(everything, ["bird", "no", "bird"]) == ("bird", "no")


def test_a_folder_without_words_says_what_it_holds(tmp_path):
    (tmp_path / "speech_commands" / "yes").mkdir(parents=True)
    with pytest.raises(DataError, match=r"expected folders <word>/\*.wav, found speech_commands"):
        data.find_clips(tmp_path)


def test_short_clips_are_centred_and_long_ones_cut_around_the_loudest_second(tmp_path):
    click = np.zeros(800)
    click[400] = 0.5
    soundfile.write(tmp_path / "short.wav", click, 16000)
    long = 0.001 * np.random.default_rng(0).normal(size=80000)
    long[50000:58000] = 0.5
    soundfile.write(tmp_path / "long.wav", long, 16000)
    clips = [Clip(tmp_path / f"{name}.wav", "yes", "s") for name in ("short", "long")]
    samples, kept = data.read_clips(clips, "clips")
    assert (samples.dtype, samples.shape, kept) == (np.int16, (2, 16000), clips)
    assert samples[0].argmax() == 7600 + 400
    assert (samples[1] > 16000).sum() == 8000


def test_files_of_other_rates_are_resampled(tmp_path):
    time = np.arange(8000) / 8000
    soundfile.write(tmp_path / "a.wav", 0.5 * np.sin(2 * np.pi * 440 * time), 8000)
    samples, _ = data.read_clips([Clip(tmp_path / "a.wav", "yes", "s")], "clips")
    assert np.abs(np.fft.rfft(samples[0])).argmax() == 440


def test_a_damaged_file_is_named_and_passed_over(word_folder, tmp_path, capsys):
    folder = tmp_path / "words"
    shutil.copytree(word_folder, folder)
    damaged = folder / "yes" / "speaker0_nohash_2.wav"
    damaged.write_text("not sound")
    made = task(folder)
    assert f"passed over: {damaged}" in capsys.readouterr().err
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
    counts = np.bincount(made.answers)
    commands = counts[0] + counts[1]
    assert counts[2] == counts[3] == int(np.ceil(commands / 10))
    assert len(made.validation) == len(made.answers)
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
    assert made.pools[2][1][windows].sum() == pytest.approx(data.NEGATIVE_SHARE)
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
    half = (len(made.clips) - 1) // 2
    assert made.pools[3][0].tolist() == list(range(half + 1, 2 * half + 1))
    np.testing.assert_array_equal(made.clips[half + 1 :], made.clips[1 : half + 1, ::-1])


def test_batches_hold_the_shares_asked_for(word_folder):
    made = task(word_folder)
    rng = np.random.default_rng(0)
    rows, answers = data.draw_batch(made, 20_000, 0.2, 0.1, rng)
    shares = np.bincount(answers) / 20_000
    np.testing.assert_allclose(shares, [0.35, 0.35, 0.2, 0.1], atol=0.02)
    for label, (pool, _) in enumerate(made.pools):
        assert set(rows[answers == label]) == set(pool)


def test_the_speakers_of_the_recordings_are_disjoint(real_data):
    split = data.split_clips(real_data, data.find_clips(real_data))
    assert len(split.training) > 15_000
    assert len(split.validation) > 2_000
    assert not {c.speaker for c in split.training} & {c.speaker for c in split.validation}
