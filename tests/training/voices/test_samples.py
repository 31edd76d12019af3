"""Tests of training/voices/samples.py and of the sample sounds that it made."""

import re
from collections import defaultdict
from pathlib import Path

import numpy as np
import pytest
import soundfile

from training.voices import samples
from training.voices.samples import FORMATS, write_samples
from training.voices.words import COMMANDS, SAMPLE_OTHERS

ROOT = Path(__file__).resolve().parents[3]


@pytest.mark.usefixtures("synthesisers")
def test_samples_in_every_format_are_made_again_byte_for_byte(tmp_path, monkeypatch):
    monkeypatch.setattr(samples, "COMMANDS", ["stop"])
    assert write_samples(tmp_path) == 12
    made = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
    assert len(made) == 12
    assert write_samples(tmp_path) == 12
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == made


def test_the_repository_has_samples_of_each_command_in_three_voices_and_formats():
    voices, formats = defaultdict(set), defaultdict(set)
    for path in sorted((ROOT / "samples").glob("*.wav")):
        word, voice, kind = re.fullmatch(r"([a-z]+)-([a-z]+-[a-z]+)-(.+)", path.stem).groups()
        sound, rate = soundfile.read(path, always_2d=True)
        info = soundfile.info(path)
        assert (rate, info.channels, info.subtype) == FORMATS[kind], path.name
        assert 0.4 < len(sound) / rate < 1.2, path.name
        assert 0.48 < np.abs(sound).max() < 0.53, path.name
        assert np.sqrt(np.mean(sound[: rate // 20] ** 2)) < 0.01, path.name
        voices[word].add(voice)
        formats[word].add((rate, info.channels, info.subtype))
    assert set(voices) == {*COMMANDS, *SAMPLE_OTHERS}
    assert min(map(len, voices.values())) >= 3
    assert min(map(len, formats.values())) >= 3
