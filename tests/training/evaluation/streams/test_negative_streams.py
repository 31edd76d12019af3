"""Streams without a command."""

import numpy as np
import pytest
import soundfile

from tests.training.evaluation.streams.examples import hiss
from training.clips.errors import DataError
from training.clips.levels import rms
from training.evaluation.speakers import RESERVED, UNRESERVED
from training.evaluation.streams.negative_streams import (
    noise_stream,
    speech_streams,
)
from training.evaluation.streams.recipe import StreamRecipe

RECIPE = StreamRecipe(noise_minutes=0.1)


@pytest.fixture
def folder(tmp_path):
    """Two recordings of one and two seconds by each of twelve speakers."""
    for speaker in range(12):
        for take in (1, 2):
            samples = 0.1 * np.sin(np.arange(take * 16000) / (5 + speaker))
            soundfile.write(tmp_path / f"s{speaker}_{take}.wav", samples, 16000)
    return tmp_path


def test_recordings_are_joined_by_speaker_and_pauses_are_no_time(folder):
    streams = list(speech_streams(folder, UNRESERVED, RECIPE))
    assert len({stream.speaker for stream in streams}) == len(streams)
    for stream in streams:
        assert [one.name for one in stream.recordings] == [
            f"{stream.speaker}_1.wav",
            f"{stream.speaker}_2.wav",
        ]
        assert [(one.start, one.end) for one in stream.recordings] == [(0.0, 1.0), (1.5, 3.5)]
        assert stream.hours == pytest.approx(3 / 3600)
        assert rms(stream.samples[24000:56000]) == pytest.approx(0.0707, abs=1e-3)
        assert rms(stream.samples[16000:24000]) < 1e-3


def test_each_speaker_is_either_reserved_or_not(folder):
    parts = [
        {stream.speaker for stream in speech_streams(folder, speakers, RECIPE)}
        for speakers in (UNRESERVED, RESERVED)
    ]
    assert all(parts)
    assert not parts[0] & parts[1]
    assert parts[0] | parts[1] == {f"s{number}" for number in range(12)}


def test_a_folder_without_recordings_is_an_error(tmp_path):
    with pytest.raises(DataError, match="expected recordings without a command, found none"):
        list(speech_streams(tmp_path / "none", UNRESERVED, RECIPE))


def test_a_folder_of_silence_is_an_error(tmp_path):
    for number in range(12):
        soundfile.write(tmp_path / f"{number}.wav", np.zeros(16000), 16000)
    with pytest.raises(DataError, match="expected recordings with sound, found none"):
        list(speech_streams(tmp_path, UNRESERVED, RECIPE))


def test_noise_alone_lasts_as_long_as_the_recipe_says():
    stream = noise_stream([hiss()], RECIPE)
    assert stream.samples.size == 96000
    assert stream.hours == pytest.approx(0.1 / 60)
    assert rms(stream.samples) == pytest.approx(0.01, rel=0.05)
