"""The clips that calibrate int8 and that check a file."""

import numpy as np

from export.model_package.reference_clips import calibration_clips, check_clips
from speechgru import modelfile
from training.clips.finding import find_clips
from training.clips.splitting import split_clips

LABELS = ("yes", "no", "unknown", "silence")


def test_calibration_clips_are_fixed_and_of_training_speakers(word_folder):
    audio = calibration_clips(word_folder, LABELS, 16000)
    again = calibration_clips(word_folder, LABELS, 16000)
    np.testing.assert_array_equal(audio.samples, again.samples)
    assert not audio.samples[0].any()
    training = split_clips(word_folder, find_clips(word_folder), commands=LABELS[:2]).training
    assert len(audio.samples) == 1 + len(training)
    assert audio.source == f"{len(training)} training clips of {word_folder.name}"


def test_the_listed_clips_are_training_clips(real_data):
    audio = calibration_clips(real_data, modelfile.read(None).labels, 16000)
    assert audio.source == "the clips of calibration_clips.txt"
    assert len(audio.samples) == 171


def test_without_data_the_repositorys_samples_are_used(samples):
    audio = check_clips(None, LABELS, 16000)
    assert audio.source == "the repository's samples"
    assert audio.samples.shape == (len(list(samples.glob("*.wav"))), 16000)
