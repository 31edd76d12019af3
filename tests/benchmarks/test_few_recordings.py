"""What the curve of few recordings is trained on, and its table."""

from collections import Counter
from pathlib import Path

import pytest

from benchmarks.few_recordings import Run, few_clips, link_negatives, row, runs
from training.clips.clip import Clip
from training.clips.errors import DataError


def clips_of(takes: dict[str, dict[str, int]]) -> list[Clip]:
    """Clips by speaker and word."""
    return [
        Clip(Path(word, f"{speaker}_nohash_{take}.wav"), word, speaker)
        for speaker, words in takes.items()
        for word, count in words.items()
        for take in range(count)
    ]


def test_one_person_is_enough_where_one_has_all_clips():
    clips = clips_of({"ann": {"yes": 5, "no": 2}, "ben": {"yes": 5, "no": 5}})
    chosen = few_clips(clips, ["yes", "no"], 5)
    assert Counter((clip.speaker, clip.word) for clip in chosen) == {
        ("ben", "yes"): 5,
        ("ben", "no"): 5,
    }


def test_a_person_without_a_fifth_of_the_clips_is_enough():
    clips = clips_of({"ann": {"yes": 5, "no": 4}, "ben": {"no": 5}})
    assert {clip.speaker for clip in few_clips(clips, ["yes", "no"], 5)} == {"ann"}


def test_people_are_added_until_there_are_enough_clips():
    clips = clips_of({name: {"yes": 3, "no": 3} for name in ("ann", "ben", "cem", "dan")})
    chosen = few_clips(clips, ["yes", "no"], 8)
    assert Counter(clip.word for clip in chosen) == {"yes": 8, "no": 8}
    assert len({clip.speaker for clip in chosen}) == 3


def test_fewer_clips_are_of_the_first_people_of_more_clips():
    clips = clips_of({"ann": {"yes": 2}, "ben": {"yes": 5}, "cem": {"yes": 3}})
    many = few_clips(clips, ["yes"], 10)
    assert few_clips(clips, ["yes"], 1) == many[:1]
    assert few_clips(clips, ["yes"], 5) == many[:5]


def test_clips_of_other_words_are_not_taken():
    clips = clips_of({"ann": {"yes": 2, "no": 9}})
    assert {clip.word for clip in few_clips(clips, ["yes"], 2)} == {"yes"}


def test_too_few_clips_are_an_error():
    clips = clips_of({"ann": {"yes": 3, "no": 9}})
    with pytest.raises(DataError, match="found 3 of yes, 9 of no"):
        few_clips(clips, ["yes", "no"], 9)


def test_recordings_that_hold_a_word_are_left_out(tmp_path, capsys):
    folder = tmp_path / "recordings"
    folder.mkdir()
    for name in ("a_0.wav", "a_1.wav", "b_0.wav"):
        (folder / name).touch()
    (folder / "sentences.tsv").write_text(
        "file\ttranscript\na_0.wav\tGO FORWARD\na_1.wav\tSTRAIGHTFORWARD WORK\nb_0.wav\tHELLO\n"
    )
    link_negatives(folder, ["forward"], tmp_path / "out")
    link_negatives(folder, ["forward"], tmp_path / "out")  # as after an interruption
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == ["a_1.wav", "b_0.wav"]
    assert "2 of 3 recordings" in capsys.readouterr().out


def test_recordings_without_transcripts_are_all_taken(tmp_path, capsys):
    (tmp_path / "a_0.wav").touch()
    link_negatives(tmp_path, ["forward"], tmp_path / "out")
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["a_0.wav"]
    assert "without transcripts, all are taken" in capsys.readouterr().out


def test_every_count_is_trained_in_three_ways_and_voices_alone_once():
    names = [run.name for run in runs([1, 5], voices=True)]
    assert names == [
        "0-medium-voices",
        *("1-scratch", "1-medium", "1-medium-voices"),
        *("5-scratch", "5-medium", "5-medium-voices"),
    ]
    assert [run.name for run in runs([5], voices=False)] == ["5-scratch", "5-medium"]


def test_a_row_states_counts_beside_rates():
    measured = {
        "right": 30,
        "words": 40,
        "taken": 5,
        "others": 200,
        "streams": {"noise at 10 dB": {"recall_held_out": {"count": 7, "of": 9}}},
        "negatives": {
            "all folders": {"held_out": {"per_hour": 4.0, "count": 2, "hours": 0.5}},
        },
    }
    assert row(Run(5, "medium", True), 1, measured) == (
        *("5", "1", "from medium with voices", "75%", "2.5%", "7 of 9", "4.0 (2 in 0.50 hours)"),
    )
