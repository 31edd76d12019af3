"""Noise recordings: read once, their ends held out."""

import numpy as np
import pytest
import soundfile

from tests.training.data.made_tasks import task
from training.data.noise_recordings import noise_rows


def test_added_noises_are_trained_on_and_their_ends_are_validated_on(word_folder, tmp_path, plain):
    (tmp_path / "kitchen").mkdir()
    rate = 22050
    noise = 0.1 * np.random.default_rng(0).normal(size=rate * 10)
    soundfile.write(tmp_path / "kitchen" / "fan.flac", noise, rate)
    soundfile.write(tmp_path / "click.ogg", 0.1 * np.sin(np.arange(900)), 16000)
    made = task(word_folder, noise=tmp_path)
    folder = tmp_path.name
    assert made.lists["noise"] == [
        "_background_noise_/hiss.wav",
        f"{folder}/click.ogg",
        f"{folder}/kitchen/fan.flac",
    ]
    assert made.summary.endswith(f", 2 noises of {folder}")
    more = (made.noise.size - plain.noise.size) / 16000
    assert more == pytest.approx(8 + 900 / 16000, abs=0.02)
    tasks = [task(word_folder, noise=tmp_path, seed=seed) for seed in range(4)]
    silence = [line for one in tasks for line in one.lists["validation_silence"]]
    ends = [int(line.split("@")[1].split("*")[0]) for line in silence if "fan" in line]
    assert ends
    assert min(ends) >= 8 * 16000
    assert not [line for line in silence if "click" in line]


def test_a_noise_given_twice_is_read_once(word_folder, plain):
    made = task(word_folder, noise=word_folder / "_background_noise_")
    np.testing.assert_array_equal(made.noise, plain.noise)


def test_noise_rows_are_level_and_of_any_length():
    rng = np.random.default_rng(0)
    loud, soft = 1000 * rng.normal(size=5000), rng.normal(size=777).astype(np.float32)
    rows = noise_rows([loud.astype(np.int16), np.zeros(50, np.int16), soft])
    assert (rows.dtype, rows.shape) == (np.float32, (5777 // 160, 160))
    assert np.sqrt(np.mean(rows.ravel()[:5000] ** 2)) == pytest.approx(1, abs=1e-5)
    assert np.sqrt(np.mean(rows.ravel()[5000:] ** 2)) == pytest.approx(1, abs=0.1)
