"""TODO: settings."""

import dataclasses


@dataclasses.dataclass(frozen=True, kw_only=True)
class Augment:
    """Random changes to every training clip; a share is the part of the clips that get it.

    A share, range or number of 0 switches a change off; no other draws anything else for that.
    """

    shift_ms: float = 100.0  # moved by up to this much, either way
    speed: float = 0.2  # resampled: faster and higher, or slower and lower, by up to this part
    speed_share: float = 0.8
    snr_db: tuple[float, float] = (-5.0, 30.0)
    noise_share: float = 0.75
    reverb_share: float = 0.25  # simulated rooms
    eq_db: float = 4.0  # deviation of a random microphone curve
    band_limit_share: float = 0.2  # small microphones and low sample rates
    telephone_share: float = 0.05  # 300-3400 Hz at 8 kHz in 8 bit mu-law
    gain_db: tuple[float, float] = (-20.0, 10.0)
    time_masks: int = 2
    time_mask_frames: int = 6
    mel_masks: int = 2
    mel_mask_bands: int = 6
    mixup_share: float = 0.0  # blended with another clip of the batch, targets too,
    mixup_alpha: float = 0.2  # with a weight from Beta(alpha, alpha)

    def __post_init__(self) -> None:
        for field in dataclasses.fields(self):
            value = getattr(self, field.name)
            if isinstance(value, tuple):
                if not -200 <= value[0] <= value[1] <= 200:
                    raise ValueError(f"`augment.{field.name}` must ascend: {value}")
            elif not 0 <= value <= (1 if field.name.endswith("_share") else 1000):
                raise ValueError(f"`augment.{field.name}` is out of range: {value}")
        if self.speed > 0.5:
            raise ValueError(f"`augment.speed` must be at most 0.5: {self.speed}")
        if self.mixup_alpha < 0.05:  # float64 holds gamma variates of no smaller one
            raise ValueError(f"`augment.mixup_alpha` must be at least 0.05: {self.mixup_alpha}")
