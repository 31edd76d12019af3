"""Noises that are computed: coloured noise, hum, clicks, babble and single events."""

import numpy as np
import numpy.typing as npt
import scipy.signal

from training.clips.levels import db_to_amplitude
from training.clips.window import RATE, Samples

Noise = npt.NDArray[np.float64]


def synthetic_noise(speech: Samples, rng: np.random.Generator, seconds: int = 12) -> list[Noise]:
    """Make 84 noises: 24 coloured, 6 hums, 4 of clicks, 10 of babble and 40 of events.

    Args:
        speech: clips for the babble, int16, shape (clips, samples).
        rng: decides everything.
        seconds: length of each noise. Default 12.

    Returns:
        Noises at 16 kHz and at any level, float64, shape (seconds * 16000,) each.
    """
    return [
        *(coloured_noise(rng, seconds) for _ in range(24)),
        *(hum(rng, seconds) for _ in range(6)),
        *(clicks(rng, seconds) for _ in range(4)),
        *(babble(speech, rng, seconds) for _ in range(10)),
        *(events(rng, seconds) for _ in range(40)),
    ]


def coloured_noise(rng: np.random.Generator, seconds: int) -> Noise:
    """Noise from brown to slightly blue, with one broad peak; half of the time it fluctuates.

    Its amplitude falls or rises as f**slope. The fluctuation, as of machines and streets, has a
    standard deviation of 8 dB at four random levels a second.
    """
    size = seconds * RATE
    frequency = np.maximum(np.fft.rfftfreq(size, 1 / RATE), 20)
    slope = rng.uniform(-1.2, 0.3)
    peak = 1 + rng.uniform(0, 8) * np.exp(
        -((np.log2(frequency / rng.uniform(80, 6000)) / rng.uniform(0.1, 1)) ** 2)
    )
    shape = frequency**slope * peak
    noise = np.fft.irfft(np.fft.rfft(rng.normal(size=size)) * shape, size)
    if rng.random() < 0.5:
        times = np.arange(0, seconds + 1, 0.25)
        slow = np.interp(_time(size), times, rng.normal(size=4 * seconds + 4))
        noise *= db_to_amplitude(slow * 8)
    return noise


def hum(rng: np.random.Generator, seconds: int) -> Noise:
    """Nineteen harmonics of 50 Hz, of 60 Hz or of a pitch up to 400 Hz, and soft white noise."""
    size = seconds * RATE
    time = _time(size)
    base = rng.choice([50, 60, rng.uniform(80, 400)])
    tones = sum(
        (
            rng.random() / k * np.sin(2 * np.pi * (k * base * time + rng.random()))
            for k in range(1, 20)
        ),
        np.zeros(size),
    )
    return tones + 0.05 * rng.normal(size=size)


def clicks(rng: np.random.Generator, seconds: int) -> Noise:
    """Two to twenty clicks a second at random times and levels, each a short decaying noise."""
    size = seconds * RATE
    hits = (rng.random(size) < rng.uniform(2, 20) / RATE) * rng.exponential(size=size)
    ring = np.exp(-np.arange(2000) / rng.uniform(20, 400)) * rng.normal(size=2000)
    noise: Noise = scipy.signal.fftconvolve(hits, ring)[:size] + 1e-3 * rng.normal(size=size)
    return noise


def babble(speech: Samples, rng: np.random.Generator, seconds: int) -> Noise:
    """Four to nine voices at once, each saying one random clip after another."""
    voices = rng.integers(4, 10)
    size = seconds * RATE
    clips = -(-size // speech.shape[1])
    picks = speech[rng.integers(len(speech), size=(voices, clips))].reshape(voices, -1)
    together: Noise = picks[:, :size].astype(np.float64).sum(axis=0)
    return together


def events(rng: np.random.Generator, seconds: int) -> Noise:
    """Three sounds of `event` a second, at random times and up to 20 dB softer."""
    size = seconds * RATE
    noise = 1e-3 * rng.normal(size=size)
    for _ in range(3 * seconds):
        sound = event(rng)[: size // 2]
        start = rng.integers(size - sound.size)
        noise[start : start + sound.size] += sound * db_to_amplitude(rng.uniform(-20, 0))
    return noise


def event(rng: np.random.Generator) -> Noise:
    """Make a sound that is not speech: a call, a whistle, a bell or a bang, as if in a body.

    It is a sum of partials, or noise for a bang; then a resonance may follow, an attack and a
    decay, and a rattle.

    Args:
        rng: decides everything.

    Returns:
        0.05 to 1.2 s at 16 kHz, float64, its greatest magnitude 1.
    """
    size = int(RATE * 0.05 * 24 ** rng.random())
    kind = rng.choice(["call", "whistle", "bell", "bang"])
    sound = rng.normal(size=size) if kind == "bang" else _partials(kind, size, rng)
    if rng.random() < 0.7:
        centre, q = 200 * 2 ** rng.uniform(0, 4.5), rng.uniform(0.7, 8)
        sound = sound + 4 * scipy.signal.lfilter(*scipy.signal.iirpeak(centre, q, fs=RATE), sound)
    sound = sound * _envelope(size, rng)
    return sound / max(float(np.abs(sound).max()), 1e-9)


def _partials(kind: str, size: int, rng: np.random.Generator) -> Noise:
    """Partials of one gliding and trembling pitch; those of a bell are inharmonic and steady."""
    time = _time(size)
    pitch = 80 * 2 ** rng.uniform(0, 3.5) if kind == "call" else 300 * 2 ** rng.uniform(0, 3.5)
    glide = 2 ** np.interp(np.linspace(0, 3, size), range(4), rng.normal(size=4) * 0.4)
    tremble = 1 + rng.uniform(0, 0.05) * np.sin(2 * np.pi * rng.uniform(3, 40) * time)
    course = np.ones(size) if kind == "bell" else glide * tremble
    phase = 2 * np.pi * np.cumsum(pitch * course) / RATE
    count = 1 + int(rng.integers(3)) if kind == "whistle" else int(rng.integers(4, 24))
    partials = np.arange(1, count + 1, dtype=float)
    if kind == "bell":
        partials[1:] = 1 + rng.uniform(0, 7, size=count - 1)
    partials = partials[partials * pitch * 1.5 < RATE / 2]
    fall = rng.uniform(0, 1.5)
    return sum((p**-fall * np.sin(p * phase + 7 * p) for p in partials), np.zeros(size))


def _envelope(size: int, rng: np.random.Generator) -> Noise:
    """Attack, exponential decay and a fade of 5 ms at the end; three in ten also rattle."""
    time = _time(size)
    attack, decay = 0.002 * 50 ** rng.random(), 0.03 * 30 ** rng.random()
    envelope: Noise = (
        np.minimum(time / attack, 1)
        * np.exp(-time / decay)
        * np.minimum((time[-1] - time) / 0.005, 1)
    )
    if rng.random() < 0.3:
        envelope *= 0.5 + 0.5 * np.sin(2 * np.pi * rng.uniform(8, 60) * time)
    return envelope


def _time(size: int) -> Noise:
    return np.arange(size) / RATE
