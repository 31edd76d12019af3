"""The split into training, validation and testing."""

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.training.clips.made_clips import NAMES, clip_list
from training.clips.clip import Clip
from training.clips.errors import DataError
from training.clips.finding import find_clips
from training.clips.splitting import official_set, split_clips


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


def test_one_speaker_is_split_by_clips_with_a_warning(tmp_path, capsys):
    split = split_clips(tmp_path, clip_list(speakers=1, takes=10))
    assert (len(split.training), len(split.validation)) == (18, 2)
    assert "too few speakers" in capsys.readouterr().err


def test_the_speakers_of_the_recordings_are_disjoint(real_data):
    split = split_clips(real_data, find_clips(real_data))
    assert len(split.training) > 15_000
    assert len(split.validation) > 2_000
    assert not {c.speaker for c in split.training} & {c.speaker for c in split.validation}


@settings(deadline=None)
@given(speaker=NAMES, takes=st.lists(st.integers(0, 1000), min_size=2))
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
    assert capsys.readouterr().err.endswith("both in training and in validation: s3\n")


def test_one_speakers_words_are_all_validated(tmp_path):
    split = split_clips(tmp_path, clip_list(("a", "b", "c"), speakers=1, takes=3))
    assert {clip.word for clip in split.validation} == {"a", "b", "c"}


# Every command has clips to validate on


@settings(deadline=None)
@given(
    speakers=st.dictionaries(st.sampled_from(["yes", "no", "maybe"]), st.integers(2, 20)),
    shared=st.booleans(),
    seed=st.integers(0, 10_000),
)
def test_every_command_with_two_speakers_is_validated_on(speakers, shared, seed):
    clips = [
        Clip(Path(f"{word}/{name}_{word}_0.wav"), word, name)
        for word, count in speakers.items()
        for number in range(count)
        for name in [f"p{seed}{'' if shared else word}{number}"]
    ]
    for commands in [(), *speakers]:
        if not clips:
            continue
        split = split_clips(Path("nowhere"), clips, commands=[commands] if commands else ())
        needed = {commands} if commands else set(speakers)
        assert needed <= {clip.word for clip in split.validation}
        assert {clip.word for clip in split.training} == set(speakers)
        assert sorted(c.key for c in split.training + split.validation) == sorted(
            clip.key for clip in clips
        )


def test_a_word_of_one_speaker_is_validated_on_by_clips_with_a_warning(tmp_path, capsys):
    clips = [Clip(Path(f"yes/s{n}_0.wav"), "yes", f"s{n}") for n in range(20)]
    clips += [Clip(Path(f"tea/anna_{n}.wav"), "tea", "anna") for n in range(5)]
    split = split_clips(tmp_path, clips, commands=["yes", "tea"])
    assert [clip.key for clip in split.validation if clip.word == "tea"] == ["tea/anna_0.wav"]
    assert "too few speakers of tea: every tenth clip" in capsys.readouterr().err
    others = split_clips(tmp_path, clips, commands=["yes"])
    assert {clip.word for clip in others.validation} == {"yes"}


def test_commands_may_be_spelled_differently_from_the_clips(tmp_path):
    clips = clip_list(("Yes", "NO"), speakers=60)
    assert split_clips(tmp_path, clips, commands=["yes", "no"]).testing
    assert split_clips(tmp_path, clips, commands=["yes", "no"]) == split_clips(
        tmp_path, clips, commands=["Yes", "NO"]
    )


def test_a_validation_list_of_other_clips_is_named_as_the_cause(tmp_path):
    (tmp_path / "validation_list.txt").write_text("yes/x_nohash_0.wav\n")
    with pytest.raises(DataError, match=r"found 80 and 0; validation_list\.txt names"):
        split_clips(tmp_path, clip_list())


def test_one_clip_a_word_is_trained_on_and_validated_on_with_a_warning(tmp_path, capsys):
    clips = clip_list(speakers=1, takes=1)
    split = split_clips(tmp_path, clips)
    assert split.training == split.validation == clips
    assert "validation repeats the clips that are trained on" in capsys.readouterr().err


def test_one_clip_of_a_command_beside_many_of_unknown_is_in_both_parts(tmp_path):
    unknown = [Clip(Path("unknown", f"ann_{take}.wav"), "unknown", "ann") for take in range(20)]
    command = Clip(Path("yes", "ann_0.wav"), "yes", "ann")
    split = split_clips(tmp_path, [*unknown, command], commands=["yes"])
    assert command in split.training
    assert split.validation == [command]


@pytest.mark.parametrize(("takes", "validated"), [(2, 1), (5, 1), (30, 3)])
def test_few_clips_of_one_speaker_are_split_by_clips(takes, validated, tmp_path, capsys):
    clips = clip_list(speakers=1, takes=takes)
    split = split_clips(tmp_path, clips)
    words = {clip.word for clip in clips}
    assert {w: sum(clip.word == w for clip in split.validation) for w in words} == dict.fromkeys(
        words, validated
    )
    assert "every tenth clip of a word, and at least one" in capsys.readouterr().err


def test_clips_for_testing_alone_are_no_task(tmp_path):
    clips = clip_list(speakers=1, takes=1)
    (tmp_path / "testing_list.txt").write_text("".join(f"{clip.path}\n" for clip in clips))
    with pytest.raises(DataError, match="found 0 and 0; at least one word needs two clips"):
        split_clips(tmp_path, clips)
