"""From sound files to clips: words, speakers, the split, what is read and what is passed over."""

import re
import threading
from pathlib import Path

import numpy as np
import pytest
import soundfile
from hypothesis import example, given, settings
from hypothesis import strategies as st

from speechgru import audio
from training.clips.errors import DataError
from training.clips.finding import Clip, find_clips, speaker_of
from training.clips.reading import Reading, read_clips
from training.clips.splitting import official_set, split_clips
from training.clips.window import WINDOW, is_silent, one_second
from training.clips.words import USUAL_WORDS, choose_words, warn_of_thin_words
from training.output.messages import printable


def clip_list(words=("yes", "no"), speakers=20, takes=2):
    return [
        Clip(Path(word) / f"s{s}_nohash_{t}.wav", word, f"s{s}")
        for word in words
        for s in range(speakers)
        for t in range(takes)
    ]


@settings(deadline=None)
@given(
    speakers=st.integers(2, 40),
    takes=st.integers(1, 4),
    share=st.floats(0.05, 0.4),
)
def test_no_speaker_is_in_both_parts(speakers, takes, share):
    clips = clip_list(speakers=speakers, takes=takes)
    split = split_clips(Path("nowhere"), clips, share)
    training = {clip.speaker for clip in split.training}
    validation = {clip.speaker for clip in split.validation}
    assert not training & validation
    assert sorted(map(str, split.training + split.validation)) == sorted(map(str, clips))
    assert len(split.validation) >= min(share * len(clips), len(clips) - 2 * takes) - 1e-9


def test_the_lists_decide_where_they_are(tmp_path):
    clips = clip_list()
    (tmp_path / "validation_list.txt").write_text("yes/s3_nohash_0.wav\nno/s3_nohash_1.wav\n")
    (tmp_path / "testing_list.txt").write_text("yes/s4_nohash_0.wav\n")
    split = split_clips(tmp_path, clips)
    assert [str(c.path) for c in split.validation] == ["yes/s3_nohash_0.wav", "no/s3_nohash_1.wav"]
    assert len(split.training) == len(clips) - 3
    assert "yes/s4_nohash_0.wav" not in {str(c.path) for c in split.training}


def test_testing_clips_never_take_part(tmp_path):
    clips = clip_list()
    (tmp_path / "testing_list.txt").write_text("yes/s4_nohash_0.wav\nyes/no clip.wav\n")
    split = split_clips(tmp_path, clips)
    assert "yes/s4_nohash_0.wav" not in {c.key for c in split.training + split.validation}
    assert len(split.training + split.validation) == len(clips) - 1


def test_a_speaker_of_most_clips_is_not_validation(tmp_path):
    for names in (("anna", "ben"), ("x", "y"), ("1", "2")):
        clips = [Clip(Path(f"{names[i >= 95]}_{i}.wav"), "yes", names[i >= 95]) for i in range(100)]
        assert len(split_clips(tmp_path, clips).validation) == 5


def test_a_list_that_is_no_text_is_refused(tmp_path):
    (tmp_path / "validation_list.txt").write_bytes(b"\xff\xfe")
    with pytest.raises(DataError, match=r"validation_list\.txt: expected a list"):
        split_clips(tmp_path, clip_list())


def test_one_speaker_is_split_by_clips_with_a_warning(tmp_path, capsys):
    split = split_clips(tmp_path, clip_list(speakers=1, takes=10))
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
    assert [clip.speaker for clip in find_clips(tmp_path)] == [speaker]


def test_the_ten_usual_words_are_chosen_where_they_are():
    everything = clip_list(words=(*USUAL_WORDS, "bird"), speakers=1)
    assert choose_words(everything, None) == USUAL_WORDS
    assert choose_words(clip_list(words=("tea", "milk")), None) == ("milk", "tea")
    assert choose_words(everything, ["bird", "no", "bird"]) == ("bird", "no")


def test_a_folder_without_words_says_what_it_holds(tmp_path):
    (tmp_path / "speech_commands" / "yes").mkdir(parents=True)
    with pytest.raises(DataError, match=r"expected folders <word>/\*.wav, found speech_commands"):
        find_clips(tmp_path)


def test_short_clips_are_centred_and_long_ones_cut_around_the_loudest_second(tmp_path):
    click = np.zeros(800)
    click[400] = 0.5
    soundfile.write(tmp_path / "short.wav", click, 16000)
    long = 0.001 * np.random.default_rng(0).normal(size=80000)
    long[50000:58000] = 0.5
    soundfile.write(tmp_path / "long.wav", long, 16000)
    clips = [Clip(tmp_path / f"{name}.wav", "yes", "s") for name in ("short", "long")]
    samples, kept = read_clips(clips, "clips")
    assert (samples.dtype, samples.shape, kept) == (np.int16, (2, 16000), clips)
    assert samples[0].argmax() == 7600 + 400
    assert (samples[1] > 16000).sum() == 8000


def test_files_of_other_rates_are_resampled(tmp_path):
    time = np.arange(8000) / 8000
    soundfile.write(tmp_path / "a.wav", 0.5 * np.sin(2 * np.pi * 440 * time), 8000)
    samples, _ = read_clips([Clip(tmp_path / "a.wav", "yes", "s")], "clips")
    assert np.abs(np.fft.rfft(samples[0])).argmax() == 440


def test_the_speakers_of_the_recordings_are_disjoint(real_data):
    split = split_clips(real_data, find_clips(real_data))
    assert len(split.training) > 15_000
    assert len(split.validation) > 2_000
    assert not {c.speaker for c in split.training} & {c.speaker for c in split.validation}


# Words and speakers


def test_all_words_are_every_folder_but_unknown_and_silence():
    found = clip_list(words=("unknown", "yes", "all", "silence", *USUAL_WORDS), speakers=1)
    expected = tuple(sorted({*USUAL_WORDS, "all"}))
    assert choose_words(found, ["all"]) == expected
    assert choose_words(found, ["all", "no"]) == ("all", "no")  # a word among others


names = st.text(st.characters(exclude_categories=["Cc", "Zl", "Zp"]), min_size=1, max_size=20)


@given(speaker=names, take=st.integers(0, 99))
def test_the_speaker_of_the_convention_is_what_comes_before_the_mark(speaker, take):
    name = f"{speaker}_nohash_{take}.wav"
    expected = re.sub(r"_nohash_.*$", "", name)  # as the speech_commands example does
    assert speaker_of(Path(name.replace("/", "-")).stem, "") == expected.replace("/", "-")


@given(stem=names, word=names)
@example(stem="_nohash_1", word="yes")
@example(stem="_1", word="yes")
def test_every_file_has_a_speaker_that_its_name_begins_with(stem, word):
    speaker = speaker_of(stem, word)
    assert speaker
    assert stem.startswith(speaker)
    assert speaker != word or stem == word


def test_files_of_one_stem_are_one_speakers(tmp_path):
    for word in ("yes", "no"):
        (tmp_path / word).mkdir()
        for name in ("anna.wav", "ben.flac"):
            (tmp_path / word / name).touch()
    speakers = [clip.speaker for clip in find_clips(tmp_path)]
    assert speakers == ["anna", "ben", "anna", "ben"]


# The official split


@settings(deadline=None)
@given(speaker=names, takes=st.lists(st.integers(0, 1000), min_size=2))
def test_all_takes_of_a_speaker_are_in_one_official_part(speaker, takes):
    parts = {official_set(f"{speaker}_nohash_{take}.wav") for take in takes}
    assert len(parts) == 1
    assert parts <= {"training", "validation", "testing"}


def test_the_official_parts_have_their_shares():
    parts = [official_set(f"{number:08x}_nohash_0.wav") for number in range(5000)]
    assert parts.count("validation") / 5000 == pytest.approx(0.1, abs=0.015)
    assert parts.count("testing") / 5000 == pytest.approx(0.1, abs=0.015)


def test_a_name_that_is_no_text_has_an_official_part():
    assert official_set("\udcff_nohash_0.wav") in {"training", "validation", "testing"}


def test_the_official_rule_gives_the_lists_of_the_recordings(real_data):
    listed = (real_data / "validation_list.txt").read_text().split()
    found = find_clips(real_data)
    assert len(listed) > 2000
    assert {official_set(key.split("/")[1]) for key in listed} == {"validation"}
    others = [clip for clip in found if clip.key not in set(listed)]
    assert {official_set(clip.path.name) for clip in others} == {"training"}


def test_the_official_rule_splits_where_there_is_no_list(tmp_path):
    found = clip_list(speakers=60)
    split = split_clips(tmp_path, found, commands=["yes", "no"])
    for part in ("training", "validation", "testing"):
        own = getattr(split, part)
        assert {clip.word for clip in own} == {"yes", "no"}
        assert own == [clip for clip in found if official_set(clip.path.name) == part]


@pytest.mark.parametrize(
    "reason", ["a list", "another name", "a word by one speaker", "no commands"]
)
def test_the_official_rule_is_left_where_it_does_not_hold(reason, tmp_path):
    found = clip_list(speakers=60)
    commands = [] if reason == "no commands" else ["yes", "no"]
    if reason == "a word by one speaker":
        found += clip_list(words=("tea",), speakers=1)
        commands.append("tea")
    if reason == "a list":
        (tmp_path / "validation_list.txt").write_text("yes/s1_nohash_0.wav\n")
    if reason == "another name":
        found.append(Clip(Path("yes/anna.wav"), "yes", "anna"))
    split = split_clips(tmp_path, found, commands=commands)
    assert not split.testing
    assert len(split.training + split.validation) == len(found)


def test_a_speaker_in_both_lists_is_named(tmp_path, capsys):
    (tmp_path / "validation_list.txt").write_text("yes/s3_nohash_0.wav\n")
    split_clips(tmp_path, clip_list())
    assert capsys.readouterr().err.endswith("in training and validation alike: s3\n")


def test_one_speakers_words_are_all_validated(tmp_path):
    split = split_clips(tmp_path, clip_list(("a", "b", "c"), speakers=1, takes=3))
    assert {clip.word for clip in split.validation} == {"a", "b", "c"}


# Cutting


def tone(seconds, level, pitch=440):
    return level * np.sin(2 * np.pi * pitch * np.arange(int(seconds * 16000)) / 16000)


def recording(word_at, seconds=3.0, level=0.02, hiss=1e-4, length=0.5):
    """A word of half a second in soft noise, and where it begins and ends."""
    samples = hiss * np.random.default_rng(0).normal(size=int(seconds * 16000))
    begin = int(word_at * 16000)
    word = tone(length, level)
    samples[begin : begin + word.size] += word
    return samples, begin, begin + word.size


def where(samples):
    """The first sample that the cut holds of a recording."""
    cut = one_second(samples.astype(np.float32))
    assert cut.size == 16000
    starts = np.flatnonzero(samples.astype(np.float32) == cut[0])
    return next(s for s in starts if np.array_equal(samples[s : s + 16000].astype("f"), cut))


@pytest.mark.parametrize("word_at", [0.0, 0.1, 0.7, 1.25, 2.4, 2.5])
def test_a_word_is_whole_and_in_the_middle_as_far_as_the_recording_goes(word_at):
    samples, begin, end = recording(word_at)
    start = where(samples)
    assert start <= begin
    assert end <= start + 16000
    wanted = np.clip((begin + end) // 2 - 8000, 0, samples.size - 16000)
    assert abs(start - wanted) <= 480


def test_a_word_between_digital_zeros_is_in_the_middle():
    samples = np.zeros(48000, np.float32)
    samples[20000:28000] = tone(0.5, 0.1)
    sound = np.flatnonzero(one_second(samples))
    assert abs(sound.mean() - 8000) <= 240


@pytest.mark.parametrize("click_at", [0, 0.01, 0.4, 2.9])
def test_a_loud_click_is_no_word(click_at):
    samples, begin, end = recording(1.5)
    at = int(click_at * 16000)
    samples[at : at + 80] = 0.9 * np.random.default_rng(1).choice([-1, 1], 80)
    start = where(samples)
    assert start <= begin < end <= start + 16000


def test_an_offset_is_no_sound():
    samples, begin, end = recording(1.5, level=0.01)
    start = where(samples)
    assert where(samples + 0.3) == start
    assert start <= begin < end <= start + 16000


def test_of_two_sounds_the_louder_is_cut_out():
    samples, begin, end = recording(2.2, seconds=4, level=0.1)
    samples[2000:12000] += tone(0.625, 0.02, 200)
    assert abs(where(samples) + 8000 - (begin + end) / 2) <= 480


@pytest.mark.parametrize("size", [16001, 16159, 16161, 17000])
def test_a_clip_little_longer_than_a_second_loses_only_the_rest(size):
    samples = np.random.default_rng(0).normal(size=size).astype(np.float32)
    assert 0 <= where(samples) <= size - 16000


# Passing over


def write_clips(folder, count):
    rng = np.random.default_rng(0)
    (folder / "yes").mkdir(parents=True)
    for number in range(count):
        samples = 0.1 * rng.normal(size=8000)
        soundfile.write(folder / "yes" / f"s{number:03}_nohash_0.wav", samples, 16000)
    return find_clips(folder)


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "found an empty file"),
        (b"<!DOCTYPE html><html>404</html>", "expected sound that libsndfile can decode"),
        (b"RIFF\x24\x00\x00\x00WAVE", "expected sound"),
    ],
)
def test_what_is_no_sound_is_passed_over_with_its_reason(content, reason, tmp_path):
    found = write_clips(tmp_path, 30)
    found[7].path.write_bytes(content)
    reading = Reading()
    rows = np.empty((30, WINDOW), np.int16)
    kept = reading.clips(found, rows, "clips")
    reading.check()
    assert kept == [*found[:7], *found[8:]]
    [(path, found_reason)] = reading.skipped
    assert path == str(found[7].path)
    assert reason in found_reason
    assert path not in found_reason


@pytest.mark.parametrize("level", [0, 1e-4])
def test_silent_files_are_passed_over_except_in_their_folder(level, tmp_path):
    found = write_clips(tmp_path, 3)
    (tmp_path / "silence").mkdir()
    silent = level * np.random.default_rng(0).normal(size=16000)  # 1e-4: -80 dBFS
    for path in (found[1].path, tmp_path / "silence" / "room.wav"):
        soundfile.write(path, silent, 16000, subtype="FLOAT")
    reading = Reading()
    found = find_clips(tmp_path)
    kept = reading.clips(found, np.empty((4, WINDOW), np.int16), "clips")
    reading.check()  # a third is silent, and all could be read
    assert [clip.key for clip in kept] == [
        "silence/room.wav",
        "yes/s000_nohash_0.wav",
        "yes/s002_nohash_0.wav",
    ]
    assert "found silence" in reading.skipped[0][1]


def test_a_soft_word_is_no_silence():
    soft = recording(1.5, level=10 ** (-65 / 20), hiss=1e-5)[0].astype(np.float32)
    assert not is_silent(soft)
    assert is_silent(soft * 0.1)


def test_a_sound_file_with_another_formats_name_is_read(tmp_path):
    soundfile.write(tmp_path / "a.wav", tone(1, 0.1), 16000, format="FLAC")
    samples, _ = read_clips([Clip(tmp_path / "a.wav", "yes", "a")], "clips")
    assert samples[0].any()


@pytest.mark.parametrize(
    ("name", "kind", "rate"),
    [
        ("a.wav", ("WAV", "FLOAT"), 44100),
        ("a.flac", ("FLAC", "PCM_24"), 8000),
        ("a.ogg", ("OGG", "VORBIS"), 22050),
        ("a.opus", ("OGG", "OPUS"), 48000),
        ("a.MP3", ("MP3", "MPEG_LAYER_III"), 32000),
        ("a.aif", ("AIFF", "PCM_16"), 96000),
        ("a.aiff", ("AIFF", "PCM_S8"), 11025),
    ],
)
def test_words_are_read_from_every_format_and_rate(name, kind, rate, tmp_path):
    (tmp_path / "tea").mkdir()
    time = np.arange(2 * rate) / rate
    samples = 0.5 * np.sin(2 * np.pi * 440 * time) * (abs(time - 1.4) < 0.3)
    soundfile.write(tmp_path / "tea" / name, samples, rate, kind[1], format=kind[0])
    rows, kept = read_clips(find_clips(tmp_path), "clips")
    assert [clip.word for clip in kept] == ["tea"]
    assert np.abs(np.fft.rfft(rows[0])).argmax() == pytest.approx(440, abs=2)
    sound = np.flatnonzero(abs(rows[0]) > 3000)
    assert sound.mean() == pytest.approx(8000, abs=400)


def test_only_the_first_five_are_shown(tmp_path, capsys):
    found = write_clips(tmp_path, 7)
    for clip in found:
        soundfile.write(clip.path, np.zeros(8000), 16000)
    rows, kept = read_clips(found, "clips")
    assert (rows.shape, kept) == ((0, WINDOW), [])
    lines = capsys.readouterr().err.splitlines()
    assert len(lines) == 6
    for clip, line in zip(found, lines[:5], strict=False):
        assert line.startswith(f"warning: skipped: {clip.path}: ")
    assert lines[5] == "warning: skipped: ... and 2 more"


@pytest.mark.parametrize("damaged", [2, 3])
def test_more_than_a_twentieth_unreadable_is_refused(damaged, tmp_path):
    found = write_clips(tmp_path, 40)
    for clip in found[:damaged]:
        clip.path.write_text("no sound")
    reading = Reading()
    rows = np.empty((40, WINDOW), np.int16)
    reading.clips(found[:20], rows, "clips", tmp_path)
    reading.clips(found[20:], rows, "clips", tmp_path)  # one folder, in two readings
    if damaged == 2:
        reading.check()
        assert len(reading.skipped) == 2
    else:
        message = f"{tmp_path}: 3 of 40 files could not be read; the first: {found[0].path}: "
        with pytest.raises(DataError, match=re.escape(message)):
            reading.check()


def test_a_path_that_is_no_text_can_be_written_to_a_file():
    assert printable(Path("a\udcff.wav")).encode() == b"a\\udcff.wav"


def test_files_are_read_side_by_side_and_kept_in_order(tmp_path, monkeypatch):
    found = write_clips(tmp_path, 12)
    expected, _ = read_clips(found, "clips")
    both = threading.Barrier(2, timeout=20)
    load = audio.load
    monkeypatch.setattr(audio, "load", lambda path: both.wait() * 0 or load(path))
    rows, kept = read_clips(found, "clips")  # alone, a reader would wait for ever
    assert kept == found
    np.testing.assert_array_equal(rows, expected)


# Warnings


def test_thin_words_are_named_in_one_line(capsys):
    training = clip_list(("tea", "milk"), speakers=5)
    training += [Clip(Path("solo.wav"), "solo", "anna")] * 20
    validation = clip_list(("tea",), 1, 2) + clip_list(("milk",), 1, 1)
    warn_of_thin_words(("tea", "milk", "solo"), training, validation)
    few, alone = capsys.readouterr().err.splitlines()
    assert few.endswith(
        ": milk (10 to train on, 1 to validate on), solo (20 to train on, 0 to validate on)"
    )
    assert alone.endswith(": solo")


def test_words_with_enough_clips_and_speakers_are_not_mentioned(capsys):
    warn_of_thin_words(("yes", "no"), clip_list(), clip_list())
    assert capsys.readouterr().err == ""
