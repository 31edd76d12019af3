"""Lists of clips to validate on and to test with, however they are written."""

import os
import time
import unicodedata
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.training.clips.made_clips import clip_list, touch
from training.clips.clip import Clip
from training.clips.errors import DataError
from training.clips.finding import find_clips
from training.clips.split_lists import listed_clips
from training.clips.splitting import split_clips


def test_a_list_that_is_no_text_is_refused(tmp_path):
    (tmp_path / "validation_list.txt").write_bytes(b"\xff\xfe")
    with pytest.raises(DataError, match=r"validation_list\.txt: expected a list"):
        split_clips(tmp_path, clip_list())


# Every way to write a line

CLIPS = [
    Clip(Path(folder) / name, word, name)
    for folder, word in (("yes", "yes"), ("caf\u00e9", "caf\u00e9"), ("Lights On", "Lights On"))
    for name in ("0a_nohash_0.wav", "0a_nohash_1.WAV", "n\u00e9e.1.flac", "b c.mp3", "(2).wav")
]

prefixes = st.sampled_from(
    ["", "./", "/", "data/", "../data/", "/home/me/data/", "C:/Users/me/data/", "a/../data/./"]
)
extensions = st.sampled_from(["as it is", "", ".wav", ".WAV", ".flac", ".m4a", ".lab"])
cases = st.sampled_from([str, str.upper, str.lower, str.swapcase])
forms = st.sampled_from(["NFC", "NFD"])
around = st.sampled_from(["{}", " {}  ", '"{}"', "'{}'", "\t{}", "{},", '"{}",', "{}\tyes", "{},1"])
ends = st.sampled_from(["\n", "\r\n", "\r"])
encodings = st.sampled_from(["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be"])


def write_list(path, lines, end="\n", encoding="utf-8"):
    text = end.join(lines)
    if encoding in ("utf-16-le", "utf-16-be"):
        text = "\ufeff" + text
    path.write_bytes(text.encode(encoding))


@settings(deadline=None, max_examples=200)
@given(
    clip=st.sampled_from(CLIPS),
    prefix=prefixes,
    extension=extensions,
    case=cases,
    form=forms,
    wrap=around,
    slash=st.sampled_from(["/", "\\"]),
    end=ends,
    encoding=encodings,
    position=st.integers(0, 2),
)
def test_a_listed_clip_is_held_out_however_the_line_is_written(
    clip, prefix, extension, case, form, wrap, slash, end, encoding, position, tmp_path_factory
):
    key = clip.key if extension == "as it is" else clip.key.rpartition(".")[0] + extension
    line = wrap.format(unicodedata.normalize(form, case(prefix + key)).replace("/", slash))
    lines = ["", "# a comment"]
    lines.insert(position, line)
    folder = tmp_path_factory.mktemp("list")
    write_list(folder / "testing_list.txt", [*lines, line], end, encoding)
    assert listed_clips(folder, CLIPS).testing == {clip}


@pytest.mark.parametrize(
    "line",
    [
        "yes/s5x_nohash_1.wav,yes/s3x_nohash_0.wav",
        "yes/s5x_nohash_1.wav yes/s3x_nohash_0.wav",
        "yes/s5x_nohash_1.wav,yes/s 7 (2).wav,yes/s3x_nohash_0.wav",
        "yes,yes/s3x_nohash_0.wav",
        "yes/s3x_nohash_0.wav,7,yes",
        "1. yes/s3x_nohash_0.wav",
        "d41d8cd98f00b204e9800998ecf8427e *yes/s3x_nohash_0.wav",
        "yes:s3x_nohash_0.wav",
        "yes|s3x_nohash_0.wav",
        "(yes/s3x_nohash_0.wav)",
        '"yes"/"s3x_nohash_0.wav"',
        "yes/audio/s3x_nohash_0.wav",
        "yes/s3x_nohash_0.wav.wav",
        "yes/s3x_nohash_0.wav.",
        "yes/s3x%5Fnohash_0.wav",
        "yes/s3x_no\u200bhash_0.wa\u200bv",
        "YES s3x_nohash_0",
        "s3x_nohash_0.wav/yes",
        "yes/{s5x_nohash_1,s3x_nohash_0}.wav",
        "yes_s3x_nohash_0.wav",
    ],
)
def test_a_clip_that_a_line_contains_is_held_out(line, tmp_path):
    names = ["yes/s3x_nohash_0.wav", "yes/s5x_nohash_1.wav", "yes/s 7 (2).wav", "yes/7.wav"]
    found = find_clips(touch(tmp_path, [*names, "yes/other.wav", "no/s3x_nohash_0.wav"]))
    write_list(tmp_path / "testing_list.txt", [line])
    listed = {clip.key for clip in listed_clips(tmp_path, found).testing}
    also = [name for part, name in (("s5x", names[1]), ("(2)", names[2])) if part in line]
    assert listed == {names[0], *also}


def test_a_line_of_another_word_holds_out_nothing(tmp_path, capsys):
    found = find_clips(touch(tmp_path, ["cat/s3x_nohash_0.wav", "cat/a.wav"]))
    write_list(tmp_path / "testing_list.txt", ["bed/s3x_nohash_0.wav", "cat/a.wav"])
    assert {clip.key for clip in listed_clips(tmp_path, found).testing} == {"cat/a.wav"}
    assert "1 of 2 lines name clips not found: 'bed/s3x" in capsys.readouterr().err


def test_long_lists_of_many_clips_are_read_in_seconds(tmp_path):
    clips = [Clip(Path(w) / f"{n:08x}_nohash_0.wav", w, "") for w in "abcde" for n in range(7000)]
    write_list(tmp_path / "testing_list.txt", [clip.key for clip in clips[::4]])
    begin = time.perf_counter()
    assert listed_clips(tmp_path, clips).testing == set(clips[::4])
    assert time.perf_counter() - begin < 20  # about one


def test_absolute_paths_inside_the_folder_are_understood(tmp_path):
    found = find_clips(touch(tmp_path, ["yes/a.wav", "yes/b.wav"]))
    write_list(tmp_path / "validation_list.txt", [str(tmp_path / "yes" / "b.wav")])
    assert listed_clips(tmp_path, found).validation == {found[1]}


def test_a_file_name_alone_names_the_clips_of_that_name(tmp_path):
    found = find_clips(touch(tmp_path, ["yes/a.wav", "yes/b.wav", "no/a.wav"]))
    write_list(tmp_path / "testing_list.txt", ["a.wav"])
    assert {c.key for c in listed_clips(tmp_path, found).testing} == {"yes/a.wav", "no/a.wav"}


@pytest.mark.parametrize(
    "names",
    [("yes/A.wav", "yes/a.wav"), ("yes/a.wav", "yes/a.flac"), ("Yes/a.wav", "yes/a.wav")],
)
def test_all_clips_that_fit_a_line_are_held_out_with_a_warning(names, tmp_path, capsys):
    found = find_clips(touch(tmp_path, [*names, "yes/b.wav"]))
    capsys.readouterr()
    write_list(tmp_path / "testing_list.txt", [names[0]])
    assert {clip.key for clip in listed_clips(tmp_path, found).testing} == set(names)
    assert f"1 lines name more than one clip each: '{names[0]}'" in capsys.readouterr().err


def test_links_to_a_listed_clip_are_held_out_too(tmp_path):
    touch(tmp_path, ["yes/a.wav", "yes/b.wav"])
    (tmp_path / "yes" / "symbolic.wav").symlink_to(tmp_path / "yes" / "a.wav")
    os.link(tmp_path / "yes" / "a.wav", tmp_path / "yes" / "hard.wav")
    write_list(tmp_path / "testing_list.txt", ["yes/a.wav"])
    listed = listed_clips(tmp_path, find_clips(tmp_path))
    assert {clip.path.name for clip in listed.testing} == {"a.wav", "symbolic.wav", "hard.wav"}


def test_a_clip_in_both_lists_is_a_testing_clip_with_a_warning(tmp_path, capsys):
    write_list(tmp_path / "validation_list.txt", ["yes/0a_nohash_0.wav", "yes/(2).wav"])
    write_list(tmp_path / "testing_list.txt", ["YES/0a_nohash_0"])
    listed = listed_clips(tmp_path, CLIPS)
    assert {clip.key for clip in listed.testing} == {"yes/0a_nohash_0.wav"}
    assert {clip.key for clip in listed.validation} == {"yes/(2).wav"}
    assert "1 clips in both lists are testing clips" in capsys.readouterr().err


def test_lines_of_clips_that_are_not_there_are_counted_and_named(tmp_path, capsys):
    lines = ["yes/(2).wav", *(f"yes/{n}_nohash_0.wav" for n in range(5)), "tea/1.wav"]
    write_list(tmp_path / "validation_list.txt", lines)
    assert len(listed_clips(tmp_path, CLIPS).validation) == 1
    assert capsys.readouterr().err == (
        f"warning: {tmp_path / 'validation_list.txt'}: 6 of 7 lines name clips not found: "
        "'yes/0_nohash_0.wav', 'yes/1_nohash_0.wav', 'yes/2_nohash_0.wav' and 3 more\n"
    )


def test_a_list_of_a_larger_data_set_is_no_error(tmp_path, capsys):
    write_list(tmp_path / "testing_list.txt", ["yes/x_nohash_0.wav", "bird/x_nohash_0.wav"])
    assert not listed_clips(tmp_path, CLIPS).testing
    assert "2 of 2 lines name clips not found" in capsys.readouterr().err


@pytest.mark.parametrize(
    "line",
    ["yes/*.wav", "yes/", "yes", "file name", "data/yes", "yes\\", "yes/[ab].wav", "yes/{a,b}.wav"],
)
def test_a_line_that_is_no_path_of_a_clip_stops_the_script(line, tmp_path):
    write_list(tmp_path / "testing_list.txt", ["yes/(2).wav", line])
    with pytest.raises(DataError, match=r"testing_list.txt: line 2: expected <word>/<file>"):
        listed_clips(tmp_path, CLIPS)


def test_a_list_that_fits_nothing_stops_the_script(tmp_path):
    write_list(tmp_path / "testing_list.txt", ["anna/1.wav", "ben/2.wav"])
    with pytest.raises(DataError, match=r"the first: 'anna/1\.wav'"):
        listed_clips(tmp_path, CLIPS)


@pytest.mark.parametrize("name", ["testing_list.csv", "validation_list", "testing_list.txt.txt"])
def test_a_list_of_another_name_stops_the_script(name, tmp_path):
    write_list(tmp_path / name, ["yes/(2).wav"])
    with pytest.raises(DataError, match=r"expected the name (testing|validation)_list\.txt"):
        listed_clips(tmp_path, CLIPS)


LIKE_LISTS = {
    "testing_list": [
        *("test_list.txt", "testing-list.txt", "testing list.txt", "testing_lists.txt"),
        *("testing_list (1).txt", "testlist.txt", "testing.txt", "Testing", "test.txt"),
        *("testing_list - copy.txt", "testing_list.txt~", "list_test.csv", "testing_list(2)"),
    ],
    "validation_list": [
        *("val_list.txt", "valid_list.txt", "validation.txt", "validation", "val.csv"),
        *("Validation List.TXT", "validation_list_2.txt", "validationlist.lst"),
    ],
}


@pytest.mark.parametrize("place", ["", "yes/"])
@pytest.mark.parametrize(("name", "like"), [(n, x) for n, of in LIKE_LISTS.items() for x in of])
def test_names_that_look_like_a_lists_stop_the_script(place, name, like, tmp_path):
    found = find_clips(touch(tmp_path, ["yes/a.wav", f"{place}{like}"]))
    with pytest.raises(DataError, match=rf"expected the .*{name}\.txt"):
        listed_clips(tmp_path, found)


def test_other_files_and_folders_are_not_taken_for_lists(tmp_path):
    names = ["README.md", "LICENSE", "notes.txt", "test.py", "labels.csv", "wordlist.txt", "latest"]
    words = ["test/testing.wav", "testing/validation.wav", "validation/test.wav", "val/1.flac"]
    found = find_clips(touch(tmp_path, [*names, *words, "yes/README.txt", "yes/test_1.wav"]))
    assert not listed_clips(tmp_path, found).testing


@pytest.mark.parametrize("name", ["Testing_List.txt", "TESTING_LIST.TXT"])
def test_a_list_is_found_in_any_case_of_its_name(name, tmp_path):
    write_list(tmp_path / name, ["yes/(2).wav"])
    assert {clip.key for clip in listed_clips(tmp_path, CLIPS).testing} == {"yes/(2).wav"}


@pytest.mark.parametrize("content", [b"yes/caf\xe9.wav\n", "yes/a.wav".encode("utf-16-le")])
def test_a_list_in_another_encoding_is_refused(content, tmp_path):
    (tmp_path / "testing_list.txt").write_bytes(content)
    with pytest.raises(DataError, match=r"testing_list\.txt: expected a list of clips in UTF-8"):
        listed_clips(tmp_path, CLIPS)


def test_names_that_begin_with_the_sign_of_comments_can_be_listed(tmp_path):
    found = find_clips(touch(tmp_path, ["#tag/a.wav", "yes/#1.wav", "yes/b.wav"]))
    write_list(tmp_path / "testing_list.txt", ["#tag/a.wav", "#1.wav", "# yes/b.wav", "#"])
    assert {c.key for c in listed_clips(tmp_path, found).testing} == {"#tag/a.wav", "yes/#1.wav"}


def test_empty_lists_hold_out_nothing(tmp_path):
    for name in ("validation_list.txt", "testing_list.txt"):
        (tmp_path / name).write_text("\n\n")
    listed = listed_clips(tmp_path, CLIPS)
    assert not listed.testing | listed.validation
    assert not listed.has_validation_list
