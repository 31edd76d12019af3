"""Augmentation of batches of clips in the TensorFlow graph.

Every random number comes from a stateless generator, from a stream of its own name: a batch depends
on the seed and the number of the step alone, and a part that is switched off neither costs anything
nor changes what the others draw. `docs/augmentation.md` lists the parts and shows them.
"""

import functools
import math
import zlib
from typing import Any

import numpy as np
import numpy.typing as npt
import tensorflow as tf

from training.data import NOISE_ROW, RATE
from training.recipe import Augment

SOUND = 343.0  # metres a second
ROOMS, ROOM_SAMPLES = 200, RATE // 4  # simulated rooms, and the length of their responses
_EQ_POINTS = np.geomspace(60, 8000, 9)
_GRID = 16  # a microphone's curve is computed at every so many bins of the spectrum


class Draw:
    """Random numbers for one step, each from the stateless stream of its name."""

    def __init__(self, seed: Any, batch: Any) -> None:
        self.seed, self.batch = seed, batch

    def _stream(self, name: str) -> Any:
        number = zlib.crc32(name.encode()) & 0x7FFFFFFF
        return tf.random.experimental.stateless_fold_in(self.seed, number)

    def uniform(self, name: str, low: Any, high: Any) -> Any:
        """float32 (batch, 1) in [low, high)."""
        return tf.random.stateless_uniform((self.batch, 1), self._stream(name), low, high)

    def normal(self, name: str, width: int) -> Any:
        """float32 (batch, width)."""
        return tf.random.stateless_normal((self.batch, width), self._stream(name))

    def beta(self, name: str, alpha: float) -> Any:
        """float32 (batch, 1) in [0, 1], from the distribution Beta(alpha, alpha)."""
        shape = (self.batch, 2)  # float64 because a gamma of a small alpha underflows float32
        gamma = tf.random.stateless_gamma(shape, self._stream(name), alpha, dtype=tf.float64)
        return tf.cast(gamma[:, :1] / tf.reduce_sum(gamma, axis=1, keepdims=True), tf.float32)

    def chance(self, name: str, share: float) -> Any:
        """bool (batch, 1), true with probability `share`."""
        return self.uniform(name, 0.0, 1.0) < share

    def some(self, name: str, share: float) -> Any:
        """int32 (count,): ceil(share * batch) different places of the batch."""
        count = tf.math.ceil(share * tf.cast(self.batch, tf.float32))
        order = tf.argsort(self.uniform(name, 0.0, 1.0)[:, 0])
        return order[: tf.cast(count, tf.int32)]


def augment(audio: Any, is_silence: Any, noise: Any, seed: Any, settings: Augment) -> Any:
    """Move, stretch, reverberate, mix with noise, filter, code and scale a batch of clips.

    Args:
        audio: int16, shape (batch, samples), samples divisible by 4; silence clips are all zeros.
        is_silence: bool, shape (batch,).
        noise: float32, shape (rows, NOISE_ROW); consecutive noise at an RMS near 1.
        seed: int32, shape (2,).
        settings: what to do and how much.

    Returns:
        float32, shape (batch, samples), in [-1, 1].
    """
    draw = Draw(seed, tf.shape(audio)[0])
    silence = is_silence[:, None]
    speech = shift_and_stretch(audio, draw, settings)
    speech = reverberate(speech, draw, settings.reverb_share)
    mixed = add_noise(speech, silence, noise, draw, settings)
    mixed = microphone(mixed, draw, settings)
    mixed = telephone(mixed, draw, settings.telephone_share)
    if settings.gain_db == (0, 0):
        return tf.clip_by_value(mixed, -1.0, 1.0)
    gain = decibels(draw.uniform("gain", *settings.gain_db))
    return _scale(mixed, tf.where(silence, 1.0, gain))  # the level of silence is drawn already


def mixup(audio: Any, wanted: Any, draw: Draw, settings: Augment) -> tuple[Any, Any]:
    """Blend clips with their neighbours in the batch, and their targets alike (Zhang 2018).

    Args:
        audio: float32, shape (batch, samples), after `augment`.
        wanted: float32, shape (batch, labels): the target distribution of each clip.
        draw: `Draw(seed, batch)`; the seed may be that of `augment`.
        settings: `mixup_share` of the clips, with weights from Beta(mixup_alpha, mixup_alpha).

    Returns:
        Audio and targets of the same shapes.
    """
    if not settings.mixup_share:
        return audio, wanted
    weight = draw.beta("mixup weight", settings.mixup_alpha)
    weight = tf.where(draw.chance("mixup", settings.mixup_share), weight, 1.0)
    audio = weight * audio + (1 - weight) * tf.roll(audio, 1, axis=0)
    return audio, weight * wanted + (1 - weight) * tf.roll(wanted, 1, axis=0)


def decibels(level: Any) -> Any:
    """Amplitude factor of a level in dB."""
    return tf.exp(level * (math.log(10) / 20))


def rms(audio: Any) -> Any:
    """Root mean square of each clip, shape (batch, 1)."""
    return tf.sqrt(tf.reduce_mean(tf.square(audio), axis=1, keepdims=True) + 1e-20)


def shift_and_stretch(audio: Any, draw: Draw, settings: Augment) -> Any:
    """Play each clip from another start and at another speed.

    Speed is that of a tape: at 1.15 a clip is 15 % shorter and every frequency 15 % higher.
    """
    stretches = settings.speed and settings.speed_share
    if not (settings.shift_ms or stretches):
        return _as_float(audio)
    samples = audio.shape[1]
    speed = tf.ones((draw.batch, 1))
    if stretches:
        faster = draw.uniform("speed", 1 - settings.speed, 1 + settings.speed)
        speed = tf.where(draw.chance("speed share", settings.speed_share), faster, speed)
    middle = start = samples / 2
    if settings.shift_ms:
        # Whole samples where the speed is 1: nothing is smoothed by interpolation.
        limit = settings.shift_ms * RATE / 1000
        start = middle + tf.round(draw.uniform("shift", -limit, limit))
    times = (tf.range(samples, dtype=tf.float32)[None] - middle) * speed + start
    return interpolate(audio, times)


@tf.function(jit_compile=True)  # fused by XLA, these gathers take a fifth of the time
def interpolate(audio: Any, times: Any) -> Any:
    """Values of each clip at times in samples, between neighbours linearly, zero outside.

    Args:
        audio: float32, or int16 of which 32768 is 1.0, shape (batch, samples).
        times: float32, shape (batch, n).

    Returns:
        float32, shape (batch, n).
    """
    samples = audio.shape[1]
    before = tf.floor(times)
    fraction = times - before
    index = tf.clip_by_value(tf.cast(before, tf.int32) + 2, 0, samples + 2)
    padded = tf.pad(audio, ((0, 0), (2, 2)))  # outside, both neighbours are zeros
    left = _as_float(tf.gather(padded, index, batch_dims=1))
    right = _as_float(tf.gather(padded, index + 1, batch_dims=1))
    return left + fraction * (right - left)


def _as_float(audio: Any) -> Any:
    return tf.cast(audio, tf.float32) / 32768.0 if audio.dtype == tf.int16 else audio


def reverberate(audio: Any, draw: Draw, share: float) -> Any:
    """Put `share` of the clips into simulated rooms, the direct sound as it was."""
    if not share:
        return audio
    samples = audio.shape[1]
    places = draw.some("reverb share", share)
    room = tf.cast(draw.uniform("room", 0.0, float(ROOMS)), tf.int32)[:, 0]
    response = tf.gather(_room_spectra(samples), tf.gather(room, places))
    size = [samples + ROOM_SAMPLES]
    spectrum = tf.signal.rfft(tf.gather(audio, places), size) * response
    return _replace(audio, places, tf.signal.irfft(spectrum, size)[:, :samples])


def _replace(audio: Any, places: Any, clips: Any) -> Any:
    return tf.tensor_scatter_nd_update(audio, places[:, None], clips)


@functools.cache
def _room_spectra(samples: int) -> Any:
    """Spectra of `room_bank`, made once and long enough to convolve clips of `samples`."""
    with tf.init_scope():  # a tensor that the graph refers to, not a part of it
        return tf.constant(np.fft.rfft(room_bank(), samples + ROOM_SAMPLES).astype(np.complex64))


def room_bank() -> npt.NDArray[np.float64]:
    """Impulse responses of ROOMS random rooms, the same at every call, (ROOMS, ROOM_SAMPLES)."""
    rng = np.random.default_rng(0)
    responses = []
    for _ in range(ROOMS):
        size = rng.uniform((2.5, 2.5, 2.3), (8.0, 6.0, 3.5))
        absorption = absorption_of(size, rng.uniform(0.1, 0.45))
        microphone = rng.uniform(0.4, size - 0.4)
        way = rng.normal(size=3)
        way *= math.exp(rng.uniform(math.log(0.15), math.log(1.5))) / np.linalg.norm(way)
        source = np.clip(microphone + way, 0.3, size - 0.3)
        responses.append(room_response(size, absorption, source, microphone, ROOM_SAMPLES))
    return np.array(responses)


def absorption_of(size: Any, seconds: float) -> float:
    """Absorption of the walls of a room (metres) that gives a reverberation time (Eyring 1930)."""
    x, y, z = size
    surface = 2 * (x * y + y * z + z * x)
    return 1 - math.exp(-24 * math.log(10) / SOUND * x * y * z / (surface * seconds))


def room_response(
    size: npt.ArrayLike,
    absorption: float,
    source: npt.ArrayLike,
    microphone: npt.ArrayLike,
    samples: int,
) -> npt.NDArray[np.float64]:
    """Impulse response of a box by its mirror images (Allen & Berkley 1979).

    A wall turns the sign of what it reflects, so that the sum over the many images has no offset.

    Args:
        size: length, width and height of the room in metres.
        absorption: part of the energy that a wall takes, in (0, 1).
        source, microphone: positions in metres from one corner.
        samples: length of the response.

    Returns:
        float64, shape (samples,): the direct sound is its first sample and 1.
    """
    geometry = np.array([size, source, microphone], float).T  # a row for each axis
    direct = float(np.linalg.norm(geometry[:, 1] - geometry[:, 2]))
    reach = direct + samples / RATE * SOUND
    squares, gains = [], []
    for length, s, m in geometry:
        reflections = np.arange(-int(reach / length) - 1, int(reach / length) + 2)
        image = reflections * length + np.where(reflections % 2, length - s, s)
        squares.append(np.square(image - m).astype(np.float32))
        gains.append(((-math.sqrt(1 - absorption)) ** np.abs(reflections)).astype(np.float32))
    distance = np.sqrt(squares[0][:, None, None] + squares[1][:, None] + squares[2])
    gain = gains[0][:, None, None] * gains[1][:, None] * gains[2] * (direct / distance)
    delay = np.rint((distance - direct) * (RATE / SOUND)).astype(np.int32)
    heard = delay < samples
    return np.bincount(delay[heard], gain[heard], samples).astype(np.float64)


def add_noise(speech: Any, is_silence: Any, noise: Any, draw: Draw, settings: Augment) -> Any:
    """Add noise to speech at a random SNR; give silence a random level down to digital zero."""
    background = _background(noise, draw, speech.shape[1])
    tone = decibels(draw.uniform("silence level", -80.0, -10.0))
    level = tf.where(draw.chance("digital zero", 0.1), 0.0, tone)
    if settings.noise_share:
        wanted = rms(speech) / decibels(draw.uniform("snr", *settings.snr_db))
        wanted = tf.where(draw.chance("noise share", settings.noise_share), wanted, 0.0)
        level = tf.where(is_silence, level, wanted)
    else:
        level = tf.where(is_silence, level, 0.0)
    return speech + (level / rms(background)) * background


def _background(noise: Any, draw: Draw, samples: int) -> Any:
    """Two random stretches of the noise for each clip, blended."""
    rows = -(-samples // NOISE_ROW)
    last = tf.cast(tf.shape(noise)[0] - rows, tf.float32)

    def stretch(name: str) -> Any:
        start = tf.cast(draw.uniform(name, 0.0, last), tf.int32)
        piece = tf.gather(noise, start + tf.range(rows)[None])
        return tf.reshape(piece, (-1, rows * NOISE_ROW))[:, :samples]

    second = decibels(draw.uniform("second noise level", -40.0, 0.0))
    return stretch("first noise") + second * stretch("second noise")


def microphone(audio: Any, draw: Draw, settings: Augment) -> Any:
    """A random smooth frequency response, and for some clips a narrow band."""
    if not (settings.eq_db or settings.band_limit_share):
        return audio
    samples = audio.shape[1]
    bins = samples // 2 + 1
    frequency = np.arange(0, bins + _GRID, _GRID) * RATE / samples
    curve = tf.zeros((1, len(frequency)))
    if settings.eq_db:
        octaves = np.log(np.maximum(frequency, 1))
        hats = [np.interp(octaves, np.log(_EQ_POINTS), row) for row in np.eye(len(_EQ_POINTS))]
        curve += tf.matmul(
            draw.normal("eq", len(hats)) * settings.eq_db, np.array(hats, np.float32)
        )
    if settings.band_limit_share:
        narrow = draw.chance("band limit", settings.band_limit_share)
        top = tf.where(narrow, draw.uniform("band top", 3000.0, 7500.0), 1e5)
        bottom = tf.where(narrow, draw.uniform("band bottom", 50.0, 400.0), 1e-5)
        f = tf.constant(frequency[None], tf.float32)
        # Steep like a resampler above, gentle like a small capsule below.
        curve -= 80 * tf.sigmoid((f - top) / 60)
        curve -= 10 * tf.math.log1p(tf.square(bottom / (f + 1.0)))
    return tf.signal.irfft(_shape(tf.signal.rfft(audio), decibels(curve)), [samples])


@tf.function(jit_compile=True)  # one pass over the spectrum
def _shape(spectrum: Any, gain: Any) -> Any:
    """Multiply spectra by gains that are given at every _GRID-th bin."""
    way = tf.range(_GRID, dtype=tf.float32) / _GRID
    fine = gain[:, :-1, None] * (1 - way) + gain[:, 1:, None] * way
    fine = tf.reshape(fine, (-1, (gain.shape[1] - 1) * _GRID))[:, : spectrum.shape[1]]
    return spectrum * tf.cast(fine, tf.complex64)


def telephone(audio: Any, draw: Draw, share: float) -> Any:
    """Send `share` of the clips through a line: 300-3400 Hz, 8 kHz, 8 bit mu-law."""
    if not share:
        return audio
    samples = audio.shape[1]
    places = draw.some("telephone share", share)
    bins = samples // 4  # below 4 kHz
    frequency = np.arange(bins) * RATE / samples
    band = 1 / (1 + np.exp((300 - frequency) / 15)) / (1 + np.exp((frequency - 3400) / 40))
    band = tf.constant(band, tf.complex64)
    spectrum = tf.signal.rfft(tf.gather(audio, places))[:, :bins] * (band / 2)
    coded = mu_law(tf.signal.irfft(spectrum, [samples // 2]))
    spectrum = tf.pad(tf.signal.rfft(coded)[:, :bins] * 2, ((0, 0), (0, bins + 1)))
    return _replace(audio, places, tf.signal.irfft(spectrum, [samples]))


def mu_law(audio: Any) -> Any:
    """What ITU-T G.711 mu-law leaves of samples in [-1, 1]: 8 segments of 16 steps and a sign."""
    shifted = tf.minimum(tf.abs(audio) * 8192.0, 8158.0) + 33.0  # 14 bit, and the bias of G.711
    exponent = tf.bitwise.bitwise_and(tf.bitcast(shifted, tf.int32), 0x7F800000)
    step = tf.bitcast(exponent, tf.float32) / 16  # of the segment from a power of two to the next
    magnitude = (tf.floor(shifted / step) + 0.5) * step - 33.0
    return tf.sign(audio) * magnitude / 8192.0


@tf.function(jit_compile=True)  # one pass instead of three
def _scale(audio: Any, gain: Any) -> Any:
    return tf.clip_by_value(audio * gain, -1.0, 1.0)


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
    masks = []
    for kind, count, longest, size, axis in (
        ("time", settings.time_masks, settings.time_mask_frames, frames, -1),
        ("mel", settings.mel_masks, settings.mel_mask_bands, bands, 1),
    ):
        position = tf.range(size, dtype=tf.float32)[None]
        for number in range(count if longest else 0):
            name = f"{kind} mask {number}"
            width = tf.floor(draw.uniform(f"{name} width", 0.0, longest + 1.0))
            start = tf.floor(draw.uniform(f"{name} start", 0.0, 1.0) * (size - width + 1))
            inside = (position >= start) & (position < start + width)
            masks.append(tf.expand_dims(inside, axis))
    if not masks:
        return log_mel
    mean = tf.reduce_mean(log_mel, axis=(1, 2), keepdims=True)
    return tf.where(functools.reduce(tf.logical_or, masks), mean, log_mel)
