"""Tests of training/augmentation/settings.py; a recipe's messages are tested with recipes."""

import dataclasses

import pytest

from training.augmentation.settings import Augment


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("speed", 0.51),
        ("speed_share", 1.1),
        ("noise_share", -0.1),
        ("noise_share", float("nan")),
        ("noise_share", True),
        ("shift_ms", "10"),
        ("eq_db", 31),
        ("snr_db", (10, 0)),
        ("snr_db", (0, float("inf"))),
        ("gain_db", (0,)),
        ("time_masks", 1.0),
        ("time_masks", 21),
        ("mel_mask_bands", -1),
        ("mixup_alpha", 0.01),
    ],
)
def test_a_value_outside_its_limits_is_refused_by_name(name, value):
    with pytest.raises(ValueError, match=name):
        Augment(**{name: value})


def test_an_unknown_setting_is_refused():
    with pytest.raises(ValueError, match="pitch"):
        Augment(pitch=1)


def test_whole_numbers_are_decibels_too_and_replacing_checks():
    settings = Augment(snr_db=(-5, 25), shift_ms=0)
    assert settings.snr_db == (-5.0, 25.0)
    with pytest.raises(ValueError, match="speed"):
        dataclasses.replace(settings, speed=2.0)
    with pytest.raises(dataclasses.FrozenInstanceError):
        settings.speed = 0.1
