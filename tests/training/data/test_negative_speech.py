"""Speech without commands."""

import numpy as np
import soundfile

from tests.training.data.made_tasks import task


def test_negative_speech_takes_the_place_of_made_words(word_folder, tmp_path, capsys):
    soundfile.write(tmp_path / "long.wav", 0.1 * np.ones(8000 * 20), 8000)
    soundfile.write(tmp_path / "short.flac", 0.1 * np.ones(4000), 16000)
    made = task(word_folder, words=["all"], negative=[tmp_path])
    assert capsys.readouterr().out == ""
    assert made.lists["negative"] == ["long.wav", "short.flac"]
    assert made.lists["training_unknown"] == []
    assert len(made.pools[3][0]) == 39 + 1
