"""TODO: rooms."""

import functools
import math
from typing import Any

import numpy as np
import numpy.typing as npt
import tensorflow as tf

from training.augmentation.levels import replace
from training.augmentation.random_draws import Draw
from training.clips.window import RATE

SOUND = 343.0  # metres a second
ROOMS, ROOM_SAMPLES = 200, RATE // 4  # simulated rooms, and the length of their responses


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
    return replace(audio, places, tf.signal.irfft(spectrum, size)[:, :samples])


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
