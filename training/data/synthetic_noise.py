"""TODO: synthetic_noise."""

import numpy as np
import numpy.typing as npt
import scipy.signal

from training.clips.window import RATE, Samples


def synthetic_noise(
    speech: Samples, rng: np.random.Generator, seconds: int = 12
) -> list[npt.NDArray[np.float64]]:
    """Noises that no recording gives: coloured and fluctuating noise, hum, clicks, babble, events.

    Args:
        speech: clips to make babble of, int16 (n, WINDOW).
        rng: source of all choices.
        seconds: length of each noise.
    """
    size = seconds * RATE
    time = np.arange(size) / RATE
    frequency = np.maximum(np.fft.rfftfreq(size, 1 / RATE), 20)
    noises = []
    for _ in range(24):
        slope = rng.uniform(-1.2, 0.3)  # amplitude ~ f^slope: brown to a little blue
        bump = 1 + rng.uniform(0, 8) * np.exp(
            -((np.log2(frequency / rng.uniform(80, 6000)) / rng.uniform(0.1, 1)) ** 2)
        )
        shape = frequency**slope * bump
        noise = np.fft.irfft(np.fft.rfft(rng.normal(size=size)) * shape, size)
        if rng.random() < 0.5:  # loud and soft by turns, as machines and streets are
            slow = np.interp(
                time, np.arange(0, seconds + 1, 0.25), rng.normal(size=4 * seconds + 4)
            )
            noise *= 10 ** (slow * 8 / 20)
        noises.append(noise)
    for _ in range(6):
        base = rng.choice([50, 60, rng.uniform(80, 400)])
        hum = sum(
            rng.random() / k * np.sin(2 * np.pi * (k * base * time + rng.random()))
            for k in range(1, 20)
        )
        noises.append(hum + 0.05 * rng.normal(size=size))
    for _ in range(4):
        hits = (rng.random(size) < rng.uniform(2, 20) / RATE) * rng.exponential(size=size)
        ring = np.exp(-np.arange(2000) / rng.uniform(20, 400)) * rng.normal(size=2000)
        noises.append(scipy.signal.fftconvolve(hits, ring)[:size] + 1e-3 * rng.normal(size=size))
    for _ in range(10):
        voices = rng.integers(4, 10)
        picks = speech[rng.integers(len(speech), size=(voices, seconds))]
        noises.append(picks.reshape(voices, -1).astype(np.float64).sum(axis=0))
    for _ in range(40):
        noise = 1e-3 * rng.normal(size=size)
        for _ in range(3 * seconds):
            sound = _event(rng)[: size // 2]
            start = rng.integers(size - sound.size)
            noise[start : start + sound.size] += sound * 10 ** (rng.uniform(-20, 0) / 20)
        noises.append(noise)
    return noises


def _event(rng: np.random.Generator) -> npt.NDArray[np.float64]:
    """A sound of 0.05 to 1.2 s that is no speech: a call, a whistle, a bell or a bang, in a body.

    A sum of partials of one gliding and trembling pitch, or of none that fit together, or noise;
    then a resonance, and an attack and a decay.
    """
    size = int(RATE * 0.05 * 24 ** rng.random())
    time = np.arange(size) / RATE
    kind = rng.choice(["call", "whistle", "bell", "bang"])
    if kind == "bang":
        sound = rng.normal(size=size)
    else:
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
        sound = sum((p**-fall * np.sin(p * phase + 7 * p) for p in partials), 0.0 * time)
    if rng.random() < 0.7:
        centre, q = 200 * 2 ** rng.uniform(0, 4.5), rng.uniform(0.7, 8)
        sound = sound + 4 * scipy.signal.lfilter(*scipy.signal.iirpeak(centre, q, fs=RATE), sound)
    attack, decay = 0.002 * 50 ** rng.random(), 0.03 * 30 ** rng.random()
    envelope = (
        np.minimum(time / attack, 1)
        * np.exp(-time / decay)
        * np.minimum((time[-1] - time) / 0.005, 1)
    )
    if rng.random() < 0.3:  # a rattle
        envelope *= 0.5 + 0.5 * np.sin(2 * np.pi * rng.uniform(8, 60) * time)
    sound = sound * envelope
    return sound / max(float(np.abs(sound).max()), 1e-9)
