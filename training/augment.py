"""Augmentation of batches of clips in the TensorFlow graph.

Every random number comes from a stateless generator, so a batch depends on the seed and the number
of the step alone and a run can be repeated.
"""

import math
from typing import Any

import numpy as np
import tensorflow as tf

from training.data import NOISE_ROW, RATE
from training.recipe import Augment

_EQ_POINTS = np.geomspace(60, 8000, 9)


class Draw:
    """Random numbers for one step: each call takes the next stateless stream."""

    def __init__(self, seed: Any, batch: Any) -> None:
        self.seed, self.batch, self.calls = seed, batch, 0

    def _next(self) -> Any:
        self.calls += 1
        return tf.random.experimental.stateless_fold_in(self.seed, self.calls)

    def uniform(self, low: Any, high: Any, width: int = 1) -> Any:
        """float32 (batch, width) in [low, high)."""
        return tf.random.stateless_uniform((self.batch, width), self._next(), low, high)

    def normal(self, width: int) -> Any:
        """float32 (batch, width)."""
        return tf.random.stateless_normal((self.batch, width), self._next())

    def chance(self, share: float) -> Any:
        """bool (batch, 1), true with probability `share`."""
        return self.uniform(0.0, 1.0) < share


def augment(audio: Any, is_silence: Any, noise: Any, seed: Any, settings: Augment) -> Any:
    """Move, stretch, reverberate, mix with noise, filter and scale a batch of clips.

    Args:
        audio: int16, shape (batch, samples); silence clips are all zeros.
        is_silence: bool, shape (batch,).
        noise: float32, shape (rows, NOISE_ROW); consecutive noise at an RMS near 1.
        seed: int32, shape (2,).
        settings: what to do and how much.

    Returns:
        float32, shape (batch, samples), in [-1, 1].
    """
    draw = Draw(seed, tf.shape(audio)[0])
    speech = tf.cast(audio, tf.float32) / 32768.0
    speech = shift_and_stretch(speech, draw, settings)
    speech = reverberate(speech, draw, settings.reverb_share)
    background = _background(noise, draw, speech.shape[1])
    mixed = mix(speech, background, is_silence[:, None], draw, settings)
    mixed = microphone(mixed, draw, settings)
    gain = decibels(draw.uniform(*settings.gain_db))
    gain = tf.where(is_silence[:, None], 1.0, gain)  # its level has been drawn already
    return tf.clip_by_value(mixed * gain, -1.0, 1.0)


def decibels(level: Any) -> Any:
    """Amplitude factor of a level in dB."""
    return tf.pow(10.0, level / 20.0)


def rms(audio: Any) -> Any:
    """Root mean square of each clip, shape (batch, 1)."""
    return tf.sqrt(tf.reduce_mean(tf.square(audio), axis=1, keepdims=True) + 1e-20)


def shift_and_stretch(audio: Any, draw: Draw, settings: Augment) -> Any:
    """Play each clip from another start and at another speed (pitch changes with it)."""
    samples = audio.shape[1]
    limit = settings.shift_ms * RATE / 1000
    speed = draw.uniform(1 - settings.speed, 1 + settings.speed)
    speed = tf.where(draw.chance(settings.speed_share), speed, 1.0)
    # Whole samples where the speed is 1: nothing is smoothed by interpolation.
    start = tf.round(draw.uniform(-limit, limit))
    middle = samples / 2
    times = (tf.range(samples, dtype=tf.float32)[None] - middle) * speed + middle + start
    return interpolate(audio, times)


@tf.function(jit_compile=True)  # fused by XLA, these gathers take a fifth of the time
def interpolate(audio: Any, times: Any) -> Any:
    """Values of each clip at times in samples, between neighbours linearly, zero outside.

    Args:
        audio: float32, shape (batch, samples).
        times: float32, shape (batch, n).

    Returns:
        float32, shape (batch, n).
    """
    samples = audio.shape[1]
    before = tf.floor(times)
    fraction = times - before
    index = tf.clip_by_value(tf.cast(before, tf.int32) + 2, 0, samples + 2)
    padded = tf.pad(audio, ((0, 0), (2, 2)))  # outside, both neighbours are zeros
    left = tf.gather(padded, index, batch_dims=1)
    right = tf.gather(padded, index + 1, batch_dims=1)
    return left + fraction * (right - left)


def reverberate(audio: Any, draw: Draw, share: float) -> Any:
    """Put the first `share` of the batch into rooms: decaying noise after the direct sound."""
    if not share:
        return audio
    rooms = tf.cast(tf.math.ceil(share * tf.cast(draw.batch, tf.float32)), tf.int32)
    samples = audio.shape[1]
    length = RATE // 4
    decay = draw.uniform(0.1, 0.5)  # time in which the tail falls by 60 dB, in seconds
    time = tf.range(length, dtype=tf.float32)[None] / RATE
    tail = draw.normal(length) * tf.exp(-math.log(1000) * time / decay)
    tail *= tf.cast(time > draw.uniform(0.001, 0.01), tf.float32)  # the first reflection
    tail *= decibels(draw.uniform(-15.0, 3.0)) / (rms(tail) * math.sqrt(length))
    response = tail + tf.cast(time == 0, tf.float32)
    size = [samples + length]
    wet = tf.signal.irfft(
        tf.signal.rfft(audio[:rooms], size) * tf.signal.rfft(response[:rooms], size), size
    )[:, :samples]
    return tf.concat([wet, audio[rooms:]], axis=0)


def _background(noise: Any, draw: Draw, samples: int) -> Any:
    """Two random stretches of the noise for each clip, blended, at an RMS of 1."""
    rows = -(-samples // NOISE_ROW)
    last = tf.cast(tf.shape(noise)[0] - rows, tf.float32)

    def stretch() -> Any:
        start = tf.cast(draw.uniform(0.0, last), tf.int32)
        piece = tf.gather(noise, start + tf.range(rows)[None])
        piece = tf.reshape(piece, (-1, rows * NOISE_ROW))[:, :samples]
        return piece / rms(piece)

    blended = stretch() + decibels(draw.uniform(-40.0, 0.0)) * stretch()
    return blended / rms(blended)


def mix(speech: Any, background: Any, is_silence: Any, draw: Draw, settings: Augment) -> Any:
    """Add noise to speech at a random SNR; give silence a random level down to digital zero."""
    level = rms(speech) / decibels(draw.uniform(*settings.snr_db))
    level = tf.where(draw.chance(settings.noise_share), level, 0.0)
    tone = decibels(draw.uniform(-80.0, -10.0))
    tone = tf.where(draw.chance(0.1), 0.0, tone)
    return speech + tf.where(is_silence, tone, level) * background


def microphone(audio: Any, draw: Draw, settings: Augment) -> Any:
    """A random smooth frequency response, and for some clips a narrow band."""
    samples = audio.shape[1]
    size = 1 << (samples - 1).bit_length()
    frequency = np.linspace(0, RATE / 2, size // 2 + 1)
    log_frequency = np.log(np.maximum(frequency, 1))
    hats = [np.interp(log_frequency, np.log(_EQ_POINTS), row) for row in np.eye(len(_EQ_POINTS))]
    curve = tf.matmul(draw.normal(len(hats)) * settings.eq_db, np.array(hats, np.float32))
    narrow = draw.chance(settings.band_limit_share)
    top = tf.where(narrow, draw.uniform(3000.0, 7500.0), 1e5)
    bottom = tf.where(narrow, draw.uniform(50.0, 400.0), 1e-5)
    f = tf.constant(frequency[None], tf.float32)
    # Steep like a resampler above, gentle like a small capsule below.
    curve -= 80 * tf.sigmoid((f - top) / 60)
    curve -= 10 * tf.math.log1p(tf.square(bottom / (f + 1.0)))
    spectrum = tf.signal.rfft(audio, [size]) * tf.cast(decibels(curve), tf.complex64)
    return tf.signal.irfft(spectrum, [size])[:, :samples]


def mask_spectrogram(log_mel: Any, seed: Any, settings: Augment) -> Any:
    """SpecAugment (Park 2019): bands of time and frequency replaced by the clip's mean.

    Args:
        log_mel: float32, shape (batch, frames, bands).
        seed: int32, shape (2,).
        settings: number and greatest size of the masks.

    Returns:
        float32, the same shape.
    """
    draw = Draw(seed, tf.shape(log_mel)[0])
    frames, bands = log_mel.shape[1:]
    hidden = tf.zeros((1, frames, bands), tf.bool)
    for count, longest, size, axis in (
        (settings.time_masks, settings.time_mask_frames, frames, -1),
        (settings.mel_masks, settings.mel_mask_bands, bands, 1),
    ):
        position = tf.range(size, dtype=tf.float32)[None]
        for _ in range(count):
            width = tf.floor(draw.uniform(0.0, longest + 1.0))
            start = tf.floor(draw.uniform(0.0, 1.0) * (size - width + 1))
            inside = (position >= start) & (position < start + width)
            hidden |= tf.expand_dims(inside, axis)
    mean = tf.reduce_mean(log_mel, axis=(1, 2), keepdims=True)
    return tf.where(hidden, mean, log_mel)
