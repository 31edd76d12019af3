"""The script draws the gates of a run, and refuses other files."""

import numpy as np
import pytest
import soundfile

from training.gates import main


@pytest.mark.parametrize("bundled", [True, False])
def test_a_picture_and_a_table_are_made(bundled, run_folder, samples, tmp_path, capsys):
    path = tmp_path / "gates.png"
    audio = str(samples / "yes-festival-kal-32k-pcm16.wav")
    model = "small" if bundled else str(run_folder)
    assert main([model, audio, "-o", str(path)]) == 0
    assert path.read_bytes().startswith(b"\x89PNG")
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].split()[:3] == ["seconds", "level,", "dB"]
    assert len(lines) == 7
    if bundled:
        assert lines[5].split()[-2] == "yes"


@pytest.mark.parametrize("wrong", ["model", "suffix", "audio"])
def test_wrong_input_is_one_line(wrong, run_folder, tmp_path, capsys):
    audio = tmp_path / "silence.wav"
    soundfile.write(audio, np.zeros(16000), 16000)
    if wrong == "audio":
        audio.write_bytes(b"nothing")
    model = {"model": tmp_path, "suffix": tmp_path / "m.tflite"}.get(wrong, run_folder)
    assert main([str(model), str(audio), "-o", str(tmp_path / "gates.png")]) == 2
    errors = capsys.readouterr().err
    assert errors.startswith("gates.py: ")
    assert errors.count("\n") == 1
    assert not (tmp_path / "gates.png").exists()
