"""Where the noise of an evaluation comes from."""

import shutil

import numpy as np
import soundfile

from tests.training.evaluation.examples import WORDS, noise_clips
from training.clips.window import WINDOW
from training.data.evaluation_set import evaluation_set
from training.evaluation.noises import find_noises, noise_windows


def test_noise_is_the_part_that_training_does_not_use(word_folder, tmp_path):
    folder = tmp_path / "words"
    shutil.copytree(word_folder, folder)
    noise = np.where(np.arange(160_000) < 128_000, 0.5, 0.25)
    soundfile.write(folder / "_background_noise_" / "hiss.wav", noise, 16000)
    clips = evaluation_set(folder, words=["yes", "no"], split="validation", seed=0, window=WINDOW)
    rng = np.random.default_rng(0)
    noises, source = find_noises(clips, None, rng)
    assert "last fifth" in source
    assert np.unique(noise_windows(noises, (20, WINDOW), rng)).tolist() == [8192]


def test_noise_may_be_short_and_of_another_rate(tmp_path):
    soundfile.write(tmp_path / "short.wav", np.tile([0.1, -0.1], 1200), 8000)
    soundfile.write(tmp_path / "nothing.wav", np.zeros(8000), 8000)
    (tmp_path / "link.wav").symlink_to("short.wav")
    rng = np.random.default_rng(0)
    noises, source = find_noises(noise_clips(["yes"]), tmp_path, rng)
    assert source == f"1 recordings of {tmp_path}"
    (window,) = noise_windows(noises, (1, WINDOW), rng)
    np.testing.assert_array_equal(window[4800:9600], window[:4800])


def test_without_recordings_noise_is_synthesised():
    rng = np.random.default_rng(0)
    noises, source = find_noises(noise_clips(WORDS), None, rng)
    assert "synthetic noises" in source
    assert all(window.any() for window in noise_windows(noises, (50, WINDOW), rng))
