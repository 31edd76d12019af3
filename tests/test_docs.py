"""The guides' Python does what it says."""

import io
import re
import types
from pathlib import Path

import numpy as np

from speechgru import audio

ROOT = Path(__file__).resolve().parents[1]


def test_the_deployment_guide_hears_commands_in_a_stream(samples, monkeypatch, capsys):
    words = ("yes-festival-kal-32k-pcm16.wav", "stop-festival-kal-22k05-pcm16.wav")
    quiet = np.zeros(audio.SAMPLE_RATE)
    sound = [part for word in words for part in (quiet, audio.load(samples / word))]
    pcm = (32767 * np.concatenate([*sound, quiet])).astype("<i2").tobytes()
    guide = (ROOT / "docs" / "deploy.md").read_text(encoding="utf-8")
    (code,) = re.findall(r"```python\n(.*?)```", guide, re.DOTALL)
    monkeypatch.chdir(ROOT)
    monkeypatch.setattr("sys.stdin", types.SimpleNamespace(buffer=io.BytesIO(pcm)))
    exec(compile(code, "deploy.md", "exec"), {})
    assert capsys.readouterr().out.split() == ["yes", "stop"]
