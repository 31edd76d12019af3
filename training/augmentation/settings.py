"""Settings of the augmentation and their limits."""

from typing import Annotated

from pydantic import AfterValidator, ConfigDict, Field
from pydantic.dataclasses import dataclass

# No conversion of types, no unknown keys, no NaN or infinity. Recipes are checked alike.
CHECKED = ConfigDict(strict=True, extra="forbid", allow_inf_nan=False)


def _ascending(limits: tuple[float, float]) -> tuple[float, float]:
    if limits[0] > limits[1]:
        raise ValueError("expected the lower limit first")
    return limits


Share = Annotated[float, Field(ge=0, le=1)]
Decibels = Annotated[float, Field(ge=-100, le=100)]
DecibelRange = Annotated[tuple[Decibels, Decibels], AfterValidator(_ascending)]


@dataclass(frozen=True, kw_only=True, config=CHECKED)
class Augment:
    """Random changes to the training clips.

    A share is the part of the clips that is changed. A share, range or number of 0 disables a
    change; the random draws of the others stay the same. The methods are described in
    `training/augmentation/`.

    Args:
        shift_ms: greatest shift in time, in ms, either way.
        speed: greatest change of speed, as a fraction: 0.2 is 0.8 to 1.2 times as fast. The pitch
            changes with it.
        speed_share: share of clips at another speed.
        snr_db: range of the signal-to-noise ratio, in dB.
        noise_share: share of clips with noise.
        reverb_share: share of clips in a simulated room.
        eq_db: standard deviation of a random microphone's frequency response, in dB.
        band_limit_share: share of clips with a narrower band, as of small microphones and low
            sample rates.
        telephone_share: share of clips in telephone quality: 300-3400 Hz, 8 kHz, 8-bit mu-law.
        gain_db: range of the change of level, in dB.
        time_masks: number of SpecAugment masks over time (Park 2019, arXiv:1904.08779).
        time_mask_frames: greatest width of these, in frames.
        mel_masks: number of SpecAugment masks over mel bands.
        mel_mask_bands: greatest width of these, in bands.
        mixup_share: share of clips that are blended with another clip of the batch, and their
            targets with them (Zhang 2018, arXiv:1710.09412).
        mixup_alpha: weights of the blend are drawn from Beta(mixup_alpha, mixup_alpha).

    Raises:
        pydantic.ValidationError: a value is outside its limits. It is a ``ValueError``.
    """

    shift_ms: Annotated[float, Field(ge=0, le=1000)] = 100.0
    speed: Annotated[float, Field(ge=0, le=0.5)] = 0.2
    speed_share: Share = 0.8
    snr_db: DecibelRange = (-5.0, 30.0)
    noise_share: Share = 0.75
    reverb_share: Share = 0.25
    eq_db: Annotated[float, Field(ge=0, le=30)] = 4.0
    band_limit_share: Share = 0.2
    telephone_share: Share = 0.05
    gain_db: DecibelRange = (-20.0, 10.0)
    time_masks: Annotated[int, Field(ge=0, le=20)] = 2
    time_mask_frames: Annotated[int, Field(ge=0)] = 6
    mel_masks: Annotated[int, Field(ge=0, le=20)] = 2
    mel_mask_bands: Annotated[int, Field(ge=0)] = 6
    mixup_share: Share = 0.0
    mixup_alpha: Annotated[float, Field(ge=0.05, le=100)] = 0.2  # gamma of less underflows float64
