"""SpecAugment masks whole frames and whole bands."""

import numpy as np

from tests.training.augmentation.signals import only
from training.augmentation.random_draws import RandomDraws
from training.augmentation.spec_augment import mask_spectrogram


def test_masks_hide_whole_rows_and_columns_up_to_their_size():
    log_mel = np.random.default_rng(0).normal(size=(64, 50, 40)).astype(np.float32)
    settings = only(time_masks=1, time_mask_frames=5, mel_masks=1, mel_mask_bands=4)
    found = mask_spectrogram(log_mel, RandomDraws((0, 1), len(log_mel)), settings).numpy()
    hidden = found != log_mel
    frames, bands = hidden.all(axis=2).sum(axis=1), hidden.all(axis=1).sum(axis=1)
    assert (frames.max(), bands.max()) == (5, 4)
    assert frames.min() == 0
    whole = hidden.all(axis=2)[:, :, None] | hidden.all(axis=1)[:, None, :]
    np.testing.assert_array_equal(hidden, whole)
