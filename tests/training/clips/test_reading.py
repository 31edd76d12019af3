"""Reading sound files: what is skipped, and in which order the rest comes."""

import re
import threading

import numpy as np
import pytest
import soundfile

from speechgru import audio
from tests.training.clips.made_clips import tone, word_in_noise, write_clips
from training.clips.clip import Clip
from training.clips.errors import DataError
from training.clips.finding import find_clips
from training.clips.reading import Reading, read_clips
from training.clips.window import WINDOW


def test_short_clips_are_centred_and_long_ones_cut_around_the_loudest_second(tmp_path):
    click = np.zeros(800)
    click[400] = 0.5
    soundfile.write(tmp_path / "short.wav", click, 16000)
    long = 0.001 * np.random.default_rng(0).normal(size=80000)
    long[50000:58000] = 0.5
    soundfile.write(tmp_path / "long.wav", long, 16000)
    clips = [Clip(tmp_path / f"{name}.wav", "yes", "s") for name in ("short", "long")]
    samples, read = read_clips(clips, "clips", WINDOW)
    assert (samples.dtype, samples.shape, read) == (np.int16, (2, 16000), clips)
    assert samples[0].argmax() == 7600 + 400
    assert (samples[1] > 16000).sum() == 8000


def test_clips_whose_word_is_cut_are_counted_and_named(tmp_path, capsys):
    # Spans are in steps of 10 ms and hold a step before and after the sound.
    lengths = {"lights on": [0.5, 1.2, 2.3], "lights off": [0.9, 1.5], "sentence": [2.5]}
    for word, seconds in lengths.items():
        (tmp_path / word).mkdir()
        for length in seconds:
            sound, _, _ = word_in_noise(0.2, length=length)
            soundfile.write(tmp_path / word / f"anna_{length}.wav", sound, 16000)
    found = find_clips(tmp_path)
    reading = Reading(["lights on", "lights off"])
    reading.clips(found[:3], np.empty((3, 16000), np.int16), "clips")
    reading.clips(found[3:], np.empty((3, 16000), np.int16), "more")
    reading.show()
    assert capsys.readouterr().err == (
        "warning: 3 of 5 clips hold a word longer than 1.0 s and are cut to it: "
        "lights off/anna_1.5.wav (1.52 s), lights on/anna_1.2.wav (1.22 s), "
        "lights on/anna_2.3.wav (2.32 s)\n"
    )
    reading = Reading(["lights on", "lights off"])
    reading.clips(found, np.empty((6, 38400), np.int16), "clips")
    reading.show()
    assert capsys.readouterr().err == ""


def test_words_of_clips_that_fit_are_not_measured(tmp_path, monkeypatch):
    monkeypatch.setattr("training.clips.reading.word_span", None)
    found = write_clips(tmp_path, 3)
    rows = np.empty((3, WINDOW), np.int16)
    assert Reading(["yes"]).clips(found, rows, "clips") == found


def test_files_of_other_rates_are_resampled(tmp_path):
    time = np.arange(8000) / 8000
    soundfile.write(tmp_path / "a.wav", 0.5 * np.sin(2 * np.pi * 440 * time), 8000)
    samples, _ = read_clips([Clip(tmp_path / "a.wav", "yes", "s")], "clips", WINDOW)
    assert np.abs(np.fft.rfft(samples[0])).argmax() == 440


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "found an empty file"),
        (b"<!DOCTYPE html><html>404</html>", "expected sound that libsndfile can decode"),
        (b"RIFF\x24\x00\x00\x00WAVE", "expected sound"),
    ],
)
def test_unreadable_files_are_skipped_with_the_reason(content, reason, tmp_path):
    found = write_clips(tmp_path, 30)
    found[7].path.write_bytes(content)
    reading = Reading()
    rows = np.empty((30, WINDOW), np.int16)
    read = reading.clips(found, rows, "clips")
    reading.check()
    assert read == [*found[:7], *found[8:]]
    [(path, found_reason)] = reading.skipped
    assert path == str(found[7].path)
    assert reason in found_reason
    assert path not in found_reason


@pytest.mark.parametrize("level", [0, 1e-4])
def test_silent_files_are_skipped_except_those_of_silence(level, tmp_path):
    found = write_clips(tmp_path, 3)
    (tmp_path / "silence").mkdir()
    silent = level * np.random.default_rng(0).normal(size=16000)  # 1e-4: -80 dBFS
    for path in (found[1].path, tmp_path / "silence" / "room.wav"):
        soundfile.write(path, silent, 16000, subtype="FLOAT")
    reading = Reading()
    found = find_clips(tmp_path)
    read = reading.clips(found, np.empty((4, WINDOW), np.int16), "clips")
    reading.check()  # a third is silent, and all could be read
    assert [clip.key for clip in read] == [
        "silence/room.wav",
        "yes/s000_nohash_0.wav",
        "yes/s002_nohash_0.wav",
    ]
    assert "found silence" in reading.skipped[0][1]


def test_a_sound_file_with_another_formats_name_is_read(tmp_path):
    soundfile.write(tmp_path / "a.wav", tone(1, 0.1), 16000, format="FLAC")
    samples, _ = read_clips([Clip(tmp_path / "a.wav", "yes", "a")], "clips", WINDOW)
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
    rows, read = read_clips(find_clips(tmp_path), "clips", WINDOW)
    assert [clip.word for clip in read] == ["tea"]
    assert np.abs(np.fft.rfft(rows[0])).argmax() == pytest.approx(440, abs=2)
    sound = np.flatnonzero(abs(rows[0]) > 3000)
    assert sound.mean() == pytest.approx(8000, abs=400)


def test_only_the_first_five_are_shown(tmp_path, capsys):
    found = write_clips(tmp_path, 7)
    for clip in found:
        soundfile.write(clip.path, np.zeros(8000), 16000)
    rows, read = read_clips(found, "clips", WINDOW)
    assert (rows.shape, read) == ((0, WINDOW), [])
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


def test_files_are_read_side_by_side_and_read_in_order(tmp_path, monkeypatch):
    found = write_clips(tmp_path, 12)
    expected, _ = read_clips(found, "clips", WINDOW)
    both = threading.Barrier(2, timeout=20)
    load = audio.load
    monkeypatch.setattr(audio, "load", lambda path: both.wait() * 0 or load(path))
    rows, read = read_clips(found, "clips", WINDOW)  # alone, a reader would wait for ever
    assert read == found
    np.testing.assert_array_equal(rows, expected)
