"""Tests of training/loop/librosa_features.py."""

import numpy as np

from speechgru import MFCCConfig, mfcc
from speechgru.mfcc_layer import MFCC
from training.loop.librosa_features import librosa_log_mel


def test_features_are_those_of_the_front_end_and_are_read_from_the_cache_the_second_time(tmp_path):
    clips = np.random.default_rng(0).integers(-9000, 9000, (5, 16000)).astype(np.int16)
    config = MFCCConfig()
    found = librosa_log_mel(clips, config, tmp_path)
    layer = MFCC(config)
    np.testing.assert_allclose(found, layer.log_mel(clips / 32768), atol=1e-3)
    np.testing.assert_allclose(layer.dct(found)[2], mfcc(clips[2] / 32768, config), atol=1e-3)

    (path,) = tmp_path.iterdir()
    np.save(path, np.zeros_like(found))
    np.testing.assert_array_equal(librosa_log_mel(clips, config, tmp_path), 0)
    other = librosa_log_mel(clips, MFCCConfig(n_mels=32, n_mfcc=32), tmp_path)
    assert other.shape == (5, 50, 32)
    assert np.abs(librosa_log_mel(clips[::-1], config, tmp_path)).max() > 1
