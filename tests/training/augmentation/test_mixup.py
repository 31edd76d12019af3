"""Mixup blends clips and targets with the same weights."""

import numpy as np

from tests.training.augmentation.signals import BATCH, only
from training.augmentation.mixup import mixup


def test_mixup_weighs_the_targets_as_it_weighs_the_clips(draws):
    # Each clip is one-hot in its row of the batch, so the result shows the weights.
    clips = np.repeat(np.eye(BATCH, dtype=np.float32), 10, axis=1)
    labels = np.random.default_rng(0).integers(0, 12, BATCH)
    labels_one_hot = np.eye(12, dtype=np.float32)[labels]
    audio, targets = mixup(clips, labels_one_hot, draws, only(mixup_share=1, mixup_alpha=1))
    weights = audio.numpy()[:, ::10]
    np.testing.assert_allclose(targets, weights @ labels_one_hot, atol=1e-6)
    np.testing.assert_allclose(weights.sum(axis=1), 1, atol=1e-6)
    own = np.diag(weights)
    np.testing.assert_allclose(weights[np.arange(BATCH), np.arange(BATCH) - 1], 1 - own, atol=1e-6)
    assert own.min() < 0.2
    assert own.max() > 0.8


def test_mixup_leaves_all_but_its_share(draws):
    batch = np.random.default_rng(0).normal(size=(BATCH, 100)).astype(np.float32)
    found, _ = mixup(batch, np.eye(BATCH, dtype=np.float32), draws, only(mixup_share=0.5))
    assert 0.25 < (found.numpy() == batch).all(axis=1).mean() < 0.75
