"""The sound files of a data folder, and what is said of the rest."""

import os
import unicodedata

import pytest

from tests.training.clips.made_clips import touch
from training.clips.errors import DataError
from training.clips.finding import find_clips, find_recordings, noise_folders


def test_a_folder_without_words_says_what_it_holds(tmp_path):
    (tmp_path / "speech_commands" / "yes").mkdir(parents=True)
    with pytest.raises(DataError, match=r"expected folders <word>/\*.wav, found speech_commands"):
        find_clips(tmp_path)


SYSTEM_FILES = [
    ".DS_Store",
    "Thumbs.db",
    "desktop.ini",
    "yes/._a.wav",
    "yes/.hidden.wav",
    "yes/Thumbs.db",
    "yes/desktop.ini",
    "yes/.git/b.wav",
    "__MACOSX/yes/a.wav",
    ".cache/yes/a.wav",
    "README.md",
    "LICENSE",
    "yes/LICENSE.txt",
]


def test_hidden_files_and_those_of_the_system_are_ignored_without_a_word(tmp_path, capsys):
    touch(tmp_path, ["yes/a.wav", "_background_noise_/n.wav", *SYSTEM_FILES])
    assert [clip.key for clip in find_clips(tmp_path)] == ["yes/a.wav"]
    assert [path.name for path in find_recordings(tmp_path / "yes")] == ["a.wav"]
    assert capsys.readouterr().err == ""


def test_files_that_are_not_read_are_counted_and_named(tmp_path, capsys):
    unread = [f"yes/{n}.m4a" for n in range(12)] + ["no/notes.txt", "no/b"]
    touch(tmp_path, ["yes/a.wav", "no/a.WAV", *unread])
    assert [clip.key for clip in find_clips(tmp_path)] == ["no/a.WAV", "yes/a.wav"]
    [line] = capsys.readouterr().err.splitlines()
    assert "14 files are not read (12 .m4a, 1 no extension, 1 .txt; expected .aif" in line
    assert "no/b, no/notes.txt, yes/0.m4a" in line


def test_word_folders_without_a_sound_file_are_named(tmp_path, capsys):
    touch(tmp_path, ["yes/a.wav", "no/a.m4a", "no/b.m4a", "up/notes/x.txt"])
    (tmp_path / "empty").mkdir()
    find_clips(tmp_path)
    assert capsys.readouterr().err.endswith(
        "folders without a sound file are no words: empty (0 files, 0 folders), "
        "no (2 files, 0 folders), up (1 files, 1 folders)\n"
    )


def test_a_folder_without_any_clip_names_the_files_that_are_not_read(tmp_path, capsys):
    touch(tmp_path, ["yes/a.m4a", "no/a.m4a"])
    with pytest.raises(DataError, match="found no, yes"):
        find_clips(tmp_path)
    assert "2 files are not read (2 .m4a;" in capsys.readouterr().err


@pytest.mark.parametrize(
    "names",
    [
        ["yes/anna/1.wav", "yes/ben/1.wav", "no/anna/1.wav"],  # speakers below words
        ["train/yes/1.wav", "test/yes/1.wav"],
        ["anna/yes/1.wav", "anna/no/1.wav"],
        ["speech_commands/yes/1.wav"],
        ["yes/1.wav", "no/1.wav", "yes/test/2.wav"],
        ["yes/1.wav", "yes/a/b/c/2.flac"],
    ],
)
def test_sound_files_below_a_words_folder_stop_the_script(names, tmp_path):
    deep = next(name for name in names if name.count("/") > 1)
    with pytest.raises(DataError, match=r"expected <word>/<file>") as error:
        find_clips(touch(tmp_path, names))
    assert deep.rpartition("/")[0] in str(error.value)
    assert str(tmp_path) in str(error.value)


def test_files_beside_the_folders_are_named(tmp_path, capsys):
    touch(tmp_path, ["yes/a.wav", "stray.wav", "labels.csv", "testing_list.txt"])
    assert len(find_clips(tmp_path)) == 1
    [line] = capsys.readouterr().err.splitlines()
    assert line.endswith("2 files beside the folders are not read: labels.csv, stray.wav")


def test_other_folders_that_begin_with_an_underscore_are_named(tmp_path, capsys):
    touch(tmp_path, ["yes/a.wav", "_extra_/a.wav", "_extra_/b/c.wav", "_old/x.txt"])
    assert len(find_clips(tmp_path)) == 1
    [line] = capsys.readouterr().err.splitlines()
    assert line.endswith("are not read: _extra_ (2 sound files), _old (0 sound files)")


@pytest.mark.parametrize("label", ["unknown", "silence"])
def test_folders_of_unknown_and_silence_are_these_labels_in_every_spelling(label, tmp_path, capsys):
    names = [label, f"_{label}_", label.capitalize(), label.upper(), f"_{label.capitalize()}_"]
    for number, name in enumerate(names):
        folder = touch(tmp_path / str(number), [f"{name}/a.wav", "yes/a.wav"])
        found = find_clips(folder)
        assert {clip.word for clip in found} == {label, "yes"}
        assert {clip.key for clip in found} == {f"{name}/a.wav", "yes/a.wav"}
    lines = capsys.readouterr().err.splitlines()
    assert [f"folder {name} is read as the label {label}" in "".join(lines) for name in names] == [
        False,
        False,
        True,
        True,
        True,
    ]


def test_the_folders_of_the_official_test_set_come_last(tmp_path):
    touch(tmp_path, [f"{name}/a.wav" for name in ("_silence_", "_unknown_", "yes", "no")])
    assert [clip.word for clip in find_clips(tmp_path)] == ["no", "yes", "unknown", "silence"]


@pytest.mark.parametrize(
    ("one", "other"),
    [("Yes", "yes"), ("caf\u00e9", "cafe\u0301"), ("NO", "No")],
)
def test_folders_that_differ_in_case_or_unicode_form_are_one_word_with_a_warning(
    one, other, tmp_path, capsys
):
    touch(tmp_path, [f"{one}/a.wav", f"{other}/a.wav", f"{other}/b.wav"])
    found = find_clips(tmp_path)
    assert {clip.word for clip in found} == {unicodedata.normalize("NFC", other)}
    assert {clip.key for clip in found} == {f"{one}/a.wav", f"{other}/a.wav", f"{other}/b.wav"}
    [line] = capsys.readouterr().err.splitlines()
    assert "(1 clips)" in line
    assert "(2 clips)" in line
    assert "are read as one word" in line


def test_linked_files_and_folders_are_read(tmp_path):
    touch(tmp_path / "elsewhere", ["tea/a.wav"])
    data = touch(tmp_path / "data", ["yes/a.wav"])
    (data / "tea").symlink_to(tmp_path / "elsewhere" / "tea")
    (data / "yes" / "b.wav").symlink_to(data / "yes" / "a.wav")
    assert [clip.key for clip in find_clips(data)] == ["tea/a.wav", "yes/a.wav", "yes/b.wav"]


def test_links_in_a_circle_end(tmp_path):
    touch(tmp_path, ["noise/a.wav"])
    (tmp_path / "noise" / "again").symlink_to(tmp_path / "noise")
    assert [path.name for path in find_recordings(tmp_path / "noise")] == ["a.wav"]


def test_recordings_lie_at_any_depth_and_other_files_are_named(tmp_path, capsys):
    touch(tmp_path, ["b.flac", "a/deep/er.ogg", "a/talk.m4a", "LICENSE", "._b.flac"])
    found = [path.relative_to(tmp_path).as_posix() for path in find_recordings(tmp_path)]
    assert found == ["a/deep/er.ogg", "b.flac"]
    assert "1 files are not read (1 .m4a;" in capsys.readouterr().err
    assert find_recordings(tmp_path / "missing") == []


def test_the_noise_folder_is_found_in_any_case(tmp_path, capsys):
    touch(tmp_path, ["yes/a.wav", "_Background_Noise_/n.wav"])
    assert [path.name for path in noise_folders(tmp_path)] == ["_Background_Noise_"]
    assert [clip.word for clip in find_clips(tmp_path)] == ["yes"]
    assert capsys.readouterr().err == ""


@pytest.mark.skipif(os.name != "posix", reason="names that are not text")
def test_a_name_that_is_not_text_is_found_and_can_be_printed(tmp_path, capsys):
    touch(tmp_path, ["yes/a\udcff.wav", "yes/b\x1b[31m.txt"])
    assert len(find_clips(tmp_path)) == 1
    assert "yes/b\\x1b[31m.txt" in capsys.readouterr().err


def test_other_files_below_a_words_folder_are_named(tmp_path, capsys):
    touch(tmp_path, ["yes/a.wav", "yes/old/b.m4a"])
    assert len(find_clips(tmp_path)) == 1
    assert "1 files are not read (1 .m4a;" in capsys.readouterr().err


@pytest.mark.skipif(os.name != "posix", reason="names that are not text")
def test_a_word_whose_name_is_not_text_stops_the_script(tmp_path):
    touch(tmp_path, ["yes/a.wav", "caf\udce9/a.wav"])
    with pytest.raises(DataError, match=r"expected names of words in UTF-8, found caf\\udce9$"):
        find_clips(tmp_path)
