"""The sound that is saved for each detection: where it lies, its name, and how much is held."""

import itertools

import numpy as np
import pytest

from speechgru import audio
from speechgru.cli.piped_sound import detect
from speechgru.cli.saved_detections import SavedDetections
from speechgru.detection import Detection
from speechgru.recognizer import Recognizer


def saved(folder):
    return sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*.wav"))


def best_place(samples, part):
    """Where a part lies in a sound."""
    size = 1 << 18
    product = np.fft.rfft(samples, size) * np.conj(np.fft.rfft(part, size))
    return int(np.fft.irfft(product, size)[: len(samples)].argmax())


@pytest.mark.parametrize("size", [7, 1600, 10**6])
def test_what_is_saved_ends_soon_after_the_word_however_the_sound_is_divided(
    size, three_words, tmp_path
):
    stream = Recognizer().stream(16000)
    saving = SavedDetections(tmp_path, 1.0)
    blocks = (three_words[start : start + size] for start in range(0, len(three_words), size))
    times = []
    for detection in detect(stream, saving.remember(blocks, 16000, "x"), "<test>"):
        saving.save(detection)
        times.append(detection.time)
    assert len(times) == 3
    for path in tmp_path.rglob("*.wav"):
        sound = audio.load(path)
        end = (best_place(three_words, sound) + len(sound)) / 16000
        part = three_words[round(end * 16000) - len(sound) :][: len(sound)]
        np.testing.assert_allclose(sound, part, atol=1 / 32768)
        assert 0 <= end - float(path.name.split("_")[1]) < 0.8


def test_what_is_remembered_does_not_grow(tmp_path):
    saving = SavedDetections(tmp_path, 1.0)
    blocks = itertools.repeat(np.zeros((480, 2)), 2000)
    number = 0
    for _ in saving.remember(blocks, 48000):
        number += 1
        held = sum(map(len, saving._pieces))
        assert held <= 2 * 48000 + 480
    assert number == 2000


def test_a_label_that_is_a_path_stays_in_the_folder(tmp_path):
    saving = SavedDetections(tmp_path / "in", 1.0)
    next(saving.remember([np.zeros((1600, 1), np.float32)], 16000))
    for label in ("../out", "/etc", "a b"):
        saving.save(Detection(label, 0.1, 0.9))
    assert [name.split("/")[0] for name in saved(tmp_path / "in")] == ["_._out", "_etc", "a b"]
    assert saved(tmp_path) == [f"in/{name}" for name in saved(tmp_path / "in")]


def test_two_detections_at_one_time_are_two_files(tmp_path):
    saving = SavedDetections(tmp_path, 1.0)
    next(saving.remember([np.zeros((1600, 1), np.float32)], 16000, "x"))
    for _ in range(2):
        saving.save(Detection("yes", 0.1, 0.9))
    assert saved(tmp_path) == ["yes/x_0.10_0.900.wav", "yes/x_0.10_0.900_2.wav"]
