"""The order in which a batch of clips is augmented."""

import tensorflow as tf

from training.augmentation.channel import RESPONSE_POINTS, apply_microphone, apply_telephone
from training.augmentation.levels import db_to_amplitude
from training.augmentation.noise_mixing import add_noise
from training.augmentation.random_draws import RandomDraws
from training.augmentation.rooms import reverberate
from training.augmentation.settings import Augment
from training.augmentation.speed_and_shift import change_speed_and_shift


def augment(
    audio: tf.Tensor,
    is_silence: tf.Tensor,
    noise: tf.Tensor,
    draws: RandomDraws,
    settings: Augment,
    spoken: tf.Tensor | float = 1.0,
) -> tf.Tensor:
    """Augment a batch of clips.

    Args:
        audio: int16, shape (batch, samples), samples divisible by 4; zeros in clips of silence.
        is_silence: bool, shape (batch,).
        noise: float32, shape (rows, NOISE_ROW), consecutive noise at an RMS near 1.
        draws: the random numbers of the step.
        settings: what to change and how much.
        spoken: share of each clip's time that is not silence, float32, shape (batch, 1). Default 1.

    Returns:
        float32, shape (batch, samples), in [-1, 1].
    """
    is_silence = is_silence[:, None]
    speech = change_speed_and_shift(audio, draws, settings)
    speech = reverberate(speech, draws, settings.reverb_share)
    mixed = add_noise(speech, is_silence, noise, draws, settings, spoken)
    mixed = apply_microphone(mixed, draws, settings)
    mixed = apply_telephone(mixed, draws, settings.telephone_share)
    if settings.gain_db == (0, 0):
        return tf.clip_by_value(mixed, -1.0, 1.0)
    gain = db_to_amplitude(draws.uniform("gain", *settings.gain_db))
    # The level of noise in a clip of silence is random already.
    return _scale(mixed, tf.where(is_silence, 1.0, gain))


def draw_before_xla(draws: RandomDraws, settings: Augment) -> dict[str, tf.Tensor]:
    """Draw what a function that XLA compiles cannot draw by itself; see `RandomDraws`.

    Args:
        draws: the random numbers of the step.
        settings: those of `augment` and `mixup`.

    Returns:
        The numbers by the names of their draws.
    """
    drawn = {}
    if settings.eq_db:
        drawn["eq"] = draws.normal("eq", len(RESPONSE_POINTS))
    if settings.mixup_share:
        drawn["mixup weight"] = draws.beta("mixup weight", settings.mixup_alpha)
    return drawn


@tf.function(jit_compile=True)  # one pass instead of three
def _scale(audio: tf.Tensor, gain: tf.Tensor) -> tf.Tensor:
    return tf.clip_by_value(audio * gain, -1.0, 1.0)
