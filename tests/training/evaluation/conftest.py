"""A folder in the layout of the official test set."""

import shutil

import numpy as np
import pytest
import soundfile


@pytest.fixture(scope="session")
def test_set(tmp_path_factory, word_folder):
    """A test set with 30 clips of yes, no and unknown words, and two of silence."""
    folder = tmp_path_factory.mktemp("archive") / "test_set"
    for word in ("yes", "no"):
        shutil.copytree(word_folder / word, folder / word)
    (folder / "_unknown_").mkdir()
    for path in (word_folder / "bird").iterdir():
        shutil.copy(path, folder / "_unknown_" / f"bird_{path.name}")
    (folder / "_silence_").mkdir()
    soundfile.write(folder / "_silence_" / "0.wav", np.zeros(16000), 16000)
    soundfile.write(folder / "_silence_" / "1.wav", np.full(16000, 0.25), 16000)
    (folder / "LICENSE").touch()
    return folder
