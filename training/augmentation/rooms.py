"""Simulated rooms: reverberation."""

import functools
import math

import numpy as np
import numpy.typing as npt
import tensorflow as tf

from training.augmentation.random_draws import RandomDraws
from training.augmentation.random_share import change_share
from training.clips.window import RATE

SPEED_OF_SOUND = 343.0  # m/s
ROOMS = 200
RESPONSE_SAMPLES = RATE // 4  # length of an impulse response


def reverberate(audio: tf.Tensor, draws: RandomDraws, share: float) -> tf.Tensor:
    """Convolve a share of the clips with impulse responses of simulated rooms.

    The direct sound keeps its level and its time.

    Args:
        audio: float32, shape (batch, samples).
        draws: the random numbers of the step.
        share: part of the batch, rounded up to whole clips; 0 disables the rooms.

    Returns:
        float32, shape (batch, samples).
    """
    if not share:
        return audio
    samples = audio.shape[1]
    length = [samples + RESPONSE_SAMPLES]
    room = tf.cast(draws.uniform("room", 0.0, float(ROOMS)), tf.int32)[:, 0]

    def convolve(clips: tf.Tensor, rows: tf.Tensor) -> tf.Tensor:
        response = tf.gather(_room_spectra(samples), tf.gather(room, rows))
        spectrum = tf.signal.rfft(clips, length) * response
        return tf.signal.irfft(spectrum, length)[:, :samples]

    return change_share(audio, draws, "reverb share", share, convolve)


@functools.cache
def _room_spectra(samples: int) -> tf.Tensor:
    """Return the spectra of all rooms, padded to convolve clips of so many samples."""
    with tf.init_scope():  # one tensor outside of the graphs that use it
        spectra = np.fft.rfft(room_impulse_responses(), samples + RESPONSE_SAMPLES)
        return tf.constant(spectra.astype(np.complex64))


def room_impulse_responses() -> npt.NDArray[np.float64]:
    """Return the responses of ROOMS random rooms, always the same, (ROOMS, RESPONSE_SAMPLES)."""
    rng = np.random.default_rng(0)
    responses = []
    for _ in range(ROOMS):
        size = rng.uniform((2.5, 2.5, 2.3), (8.0, 6.0, 3.5))  # metres
        absorption = eyring_absorption(size, rng.uniform(0.1, 0.45))
        microphone = rng.uniform(0.4, size - 0.4)
        offset = rng.normal(size=3)
        distance = math.exp(rng.uniform(math.log(0.15), math.log(1.5)))
        offset *= distance / np.linalg.norm(offset)
        source = np.clip(microphone + offset, 0.3, size - 0.3)
        responses.append(
            room_impulse_response(size, absorption, source, microphone, RESPONSE_SAMPLES)
        )
    return np.array(responses)


def eyring_absorption(size: npt.ArrayLike, seconds: float) -> float:
    """Return the absorption of the walls for a reverberation time (Eyring 1930).

    Args:
        size: length, width and height of the room in metres.
        seconds: the reverberation time (60 dB).

    Returns:
        The part of the energy that a wall absorbs, in (0, 1).
    """
    x, y, z = np.asarray(size, float).tolist()
    surface = 2 * (x * y + y * z + z * x)
    return 1 - math.exp(-24 * math.log(10) / SPEED_OF_SOUND * x * y * z / (surface * seconds))


def room_impulse_response(
    size: npt.ArrayLike,
    absorption: float,
    source: npt.ArrayLike,
    microphone: npt.ArrayLike,
    samples: int,
) -> npt.NDArray[np.float64]:
    """Return the impulse response of a box-shaped room by mirror images (Allen & Berkley 1979).

    Each reflection inverts the sign. With the same sign, the many images would add up to an offset.

    Args:
        size: length, width and height of the room in metres.
        absorption: the part of the energy that a wall absorbs, in (0, 1).
        source: position of the source in metres from one corner.
        microphone: position of the microphone in metres from the same corner.
        samples: length of the response.

    Returns:
        float64, shape (samples,). The first sample is the direct sound and is 1.
    """
    axes = np.array([size, source, microphone], float).T  # (3, 3), a row for each axis
    direct = float(np.linalg.norm(axes[:, 1] - axes[:, 2]))
    farthest = direct + samples / RATE * SPEED_OF_SOUND
    squares, gains = [], []
    for length, source_at, microphone_at in axes:
        limit = int(farthest / length) + 1
        reflections = np.arange(-limit, limit + 1)
        mirrored = np.where(reflections % 2, length - source_at, source_at)
        image = reflections * length + mirrored
        squares.append(np.square(image - microphone_at).astype(np.float32))
        gains.append(((-math.sqrt(1 - absorption)) ** np.abs(reflections)).astype(np.float32))
    distance = np.sqrt(squares[0][:, None, None] + squares[1][:, None] + squares[2])
    gain = gains[0][:, None, None] * gains[1][:, None] * gains[2] * (direct / distance)
    delay = np.rint((distance - direct) * (RATE / SPEED_OF_SOUND)).astype(np.int32)
    arrives = delay < samples
    return np.bincount(delay[arrives], gain[arrives], samples).astype(np.float64)
