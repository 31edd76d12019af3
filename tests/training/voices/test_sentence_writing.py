"""Tests of training/voices/sentence_writing.py."""

import re
from itertools import cycle
from pathlib import Path

import numpy as np
import pytest
import soundfile

from training.clips.finding import find_recordings
from training.clips.reading import Reading
from training.clips.speakers import recording_speaker
from training.data.negative_speech import read_negative_speech
from training.voices import sentence_writing
from training.voices.errors import SynthesisError
from training.voices.sentence_speakers import SIDES, voices_of
from training.voices.sentence_table import read_table
from training.voices.sentence_writing import has_plausible_length, write_sentences
from training.voices.sentences import Sentence, read_sentences
from training.voices.speakers import Speaker
from training.voices.words import COMMANDS

HOURS_OF_A_TURN = 10 * 2 / 3600  # of the voice below


def contents(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


@pytest.fixture
def sentences(tmp_path) -> list[Sentence]:
    """A text of 200 sentences, of which each side says a part."""
    path = tmp_path / "text.txt"
    animals = ["cat", "dog", "cow", "hen", "pig", "rat", "bee", "fox", "owl", "elk"]
    lines = (
        f"The {a} saw a {b} by the {c}." for a in animals for b in animals for c in ("sea", "lake")
    )
    path.write_text("\n".join(lines))
    return read_sentences([path])


@pytest.fixture
def voice(monkeypatch) -> list[Speaker]:
    """A voice that says every sentence in two seconds; the speakers that used it."""
    used = []

    def speak(speaker, texts, before, after):
        used.append(speaker)
        return [(text, np.sin(np.arange(32000) * len(text))) for text in texts]

    monkeypatch.setattr(sentence_writing, "speak", speak)
    return used


@pytest.mark.usefixtures("voice")
def test_recordings_are_what_evaluation_and_training_read(tmp_path, sentences):
    made = write_sentences(tmp_path / "out", 3 * HOURS_OF_A_TURN, "held-out", sentences, 0)
    rows = read_table(tmp_path / "out")
    assert (made.recordings, len(rows)) == (30, 30)
    assert made.hours == pytest.approx(3 * HOURS_OF_A_TURN)
    assert made.voices == len({row.speaker for row in rows}) == 3
    paths = find_recordings(tmp_path / "out")
    assert sorted(path.name for path in paths) == sorted(row.file for row in rows)
    assert {recording_speaker(path) for path in paths} <= {
        s.voice_name for s in voices_of(SIDES["held-out"])
    }
    for row, path in zip(sorted(rows), sorted(paths), strict=True):
        info = soundfile.info(path)
        assert (info.samplerate, info.channels, info.subtype) == (16000, 1, "PCM_16")
        assert (info.frames, row.seconds) == (32000, "2.00")
        assert recording_speaker(path) == row.speaker
        assert row.licence == "as text.txt"
        assert row.transcript.startswith("The ")
        assert soundfile.read(path)[0].std() > 0.1
    reading = Reading()
    assert len(read_negative_speech(reading, tmp_path / "out")) == 30


@pytest.mark.usefixtures("voice")
def test_the_sides_share_no_sentence(tmp_path, sentences):
    said = {}
    for side in ("training", "held-out"):
        write_sentences(tmp_path / side, 2 * HOURS_OF_A_TURN, side, sentences, 0)
        said[side] = {row.transcript for row in read_table(tmp_path / side)}
        assert len(said[side]) == 20
    assert not said["training"] & said["held-out"]


@pytest.mark.usefixtures("voice")
def test_no_sentence_is_said_again_before_all_are_said(tmp_path, sentences):
    write_sentences(tmp_path / "out", 40 * HOURS_OF_A_TURN, "training", sentences, 0)
    said = [row.transcript for row in read_table(tmp_path / "out")]
    assert len(said) == 400
    assert len(set(said)) > 120
    counts = [said.count(sentence) for sentence in set(said)]
    assert max(counts) - min(counts) <= 2


@pytest.mark.usefixtures("voice")
def test_a_continued_run_gives_the_same_bytes_as_one_in_one_go(tmp_path, sentences):
    write_sentences(tmp_path / "once", 5 * HOURS_OF_A_TURN, "training", sentences, 3)
    for turns in (1, 3, 3, 5):
        write_sentences(tmp_path / "parts", turns * HOURS_OF_A_TURN, "training", sentences, 3)
    assert contents(tmp_path / "parts") == contents(tmp_path / "once")
    assert len(contents(tmp_path / "once")) == 51
    write_sentences(tmp_path / "other", 5 * HOURS_OF_A_TURN, "training", sentences, 4)
    assert contents(tmp_path / "other") != contents(tmp_path / "once")


@pytest.mark.parametrize("stop", [KeyboardInterrupt, OSError(28, "No space left on device")])
def test_an_interrupted_run_leaves_whole_recordings_and_is_continued(
    stop, voice, tmp_path, sentences, monkeypatch
):
    def write_wav(path, *arguments):
        nonlocal left
        left -= 1
        if left == 0:
            path.write_bytes(b"half a rec")
            raise stop
        written(path, *arguments)

    write_sentences(tmp_path / "once", 4 * HOURS_OF_A_TURN, "training", sentences, 0)
    written, left = sentence_writing.write_wav, 25
    out = tmp_path / "out"
    monkeypatch.setattr(sentence_writing, "write_wav", write_wav)
    with pytest.raises((KeyboardInterrupt, OSError)):
        write_sentences(out, 4 * HOURS_OF_A_TURN, "training", sentences, 0)
    assert [row.number for row in read_table(out)] == list(range(20))
    assert all(soundfile.info(path).frames == 32000 for path in out.glob("*.wav"))
    write_sentences(out, 4 * HOURS_OF_A_TURN, "training", sentences, 0)
    assert contents(out) == contents(tmp_path / "once")


@pytest.mark.usefixtures("voice")
@pytest.mark.parametrize(("side", "seed"), [("training", 1), ("held-out", 0)])
def test_recordings_with_other_arguments_are_not_continued(tmp_path, sentences, side, seed):
    out = tmp_path / "out"
    write_sentences(out, HOURS_OF_A_TURN, "training", sentences, 0)
    before = contents(out)
    with pytest.raises(SynthesisError, match="made with the same voices, text and seed"):
        write_sentences(out, 2 * HOURS_OF_A_TURN, side, sentences, seed)
    assert contents(out) == before


def test_a_folder_in_use_is_refused_before_anything_is_spoken(tmp_path, voice, sentences):
    with pytest.raises(SynthesisError, match="found other files in it"):
        write_sentences(tmp_path, 1.0, "training", sentences, 0)
    assert not voice


def test_too_short_a_text_is_an_error(tmp_path, voice):
    (tmp_path / "text.txt").write_text("The sky is blue.")
    with pytest.raises(SynthesisError, match="expected 10 sentences for training voices, found"):
        write_sentences(
            tmp_path / "out", 1.0, "training", read_sentences([tmp_path / "text.txt"]), 0
        )
    assert not (tmp_path / "out").exists()


@pytest.mark.usefixtures("voice")
def test_speech_of_a_wrong_length_is_left_out_and_the_numbers_go_on(
    tmp_path, sentences, monkeypatch
):
    def speak(speaker, texts, before, after):
        lengths = [32000] * 9 + [9000]
        return [(t, np.ones(length)) for t, length in zip(texts, lengths, strict=True)]

    monkeypatch.setattr(sentence_writing, "speak", speak)
    for hours in (0.01, 0.02):
        write_sentences(tmp_path / "out", hours, "training", sentences, 0)
    numbers = [row.number for row in read_table(tmp_path / "out")]
    assert numbers == [n for n in range(40) if n % 10 != 9]


@pytest.mark.parametrize(
    ("seconds", "plausible"), [(0.7, False), (1.5, True), (3.0, True), (9.0, False)]
)
def test_a_plausible_length_depends_on_the_letters(seconds, plausible):
    assert (
        has_plausible_length(Speaker("flite", "awb"), "The sky is very blue.", seconds) is plausible
    )


@pytest.mark.usefixtures("synthesisers")
def test_the_synthesisers_speak_sentences_the_same_way_each_time(tmp_path, sentences, monkeypatch):
    def draw(side, seed):
        return cycle(
            [
                Speaker("festival", "ked_diphone", size=1.1),
                Speaker("espeak-ng", "en-gb+Alicia", speed=160),
                Speaker("flite", "rms"),
            ]
        )

    monkeypatch.setattr(sentence_writing, "draw_sentence_speakers", draw)
    monkeypatch.setattr(sentence_writing, "TURNS_AHEAD", 0)
    for name in ("first", "second"):
        write_sentences(tmp_path / name, 0.013, "training", sentences, 0)
    assert contents(tmp_path / "first") == contents(tmp_path / "second")
    rows = read_table(tmp_path / "first")
    assert {row.source.split("-")[0] for row in rows} == {"festival", "espeak", "flite"}
    assert len(rows) == 30


def test_no_command_is_spoken(tmp_path, sentences, voice):
    path = tmp_path / "text.txt"
    path.write_text(path.read_text() + "\n".join(f"He said {w} to them." for w in COMMANDS))
    sentences = read_sentences([path])
    write_sentences(tmp_path / "out", 30 * HOURS_OF_A_TURN, "training", sentences, 0)
    for row in read_table(tmp_path / "out"):
        assert not {*COMMANDS} & {*re.findall("[a-z]+", row.transcript.lower())}
