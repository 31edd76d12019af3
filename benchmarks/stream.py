"""Time and memory of a stream: microseconds for each hop of audio, all in.

    python benchmarks/stream.py [--model M] [--seconds N] [--hours H]

Audio is fed in blocks as programs do. The time of all calls for a second of audio is divided by its
hops; the first ten seconds are not timed. With `--hours 24` the samples are also fed over and
over for 24 hours of audio: memory must not grow, and the detections must repeat at the same times.
"""

import argparse
import itertools
import os
import resource
import statistics
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import soxr

from speechgru import Recognizer, audio

SAMPLES = Path(__file__).resolve().parents[1] / "samples"
CASES = (  # rate in Hz, channels, dtype, frames in a block
    (16_000, 1, "int16", 640),
    (16_000, 1, "float32", 640),
    (16_000, 1, "int16", 160),
    (44_100, 1, "int16", 1024),
    (48_000, 1, "float32", 960),
    (48_000, 2, "int16", 1024),
    (192_000, 2, "float32", 4096),
)
WARM_SECONDS = 10
CYCLE_SECONDS = 60  # of the audio that is fed for hours: a whole number of hops


def main() -> None:
    assert __doc__
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--model", help="model file, or a bundled model")
    parser.add_argument("--seconds", type=int, default=60, help="of audio for each row")
    parser.add_argument("--hours", type=float, default=0, help="of audio at 44.1 kHz, in one go")
    options = parser.parse_args()
    recognizer = Recognizer(options.model)
    hop = recognizer.hop_seconds
    print(f"{hop * 1e3:.0f} ms a hop; at most 0.4 % of a core: {hop * 4e3:.0f} us a hop")
    for rate, channels, dtype, size in CASES:
        signal = make_audio(rate, channels, dtype, options.seconds)
        times = [hop * us for us in second_us(recognizer, signal, rate, size)]
        name = f"{rate} Hz, {channels} channel(s), {dtype}, blocks of {size}"
        low, middle, high = min(times), statistics.median(times), max(times)
        print(f"{name:52} median {middle:6.1f} us a hop  (min {low:.1f}, max {high:.1f})")
    before = resident_mib()
    streams = [recognizer.stream() for _ in range(20)]
    for stream in streams:
        stream.feed(np.zeros(16_000, np.int16))
    print(f"memory of a stream: {(resident_mib() - before) / len(streams):.2f} MiB")
    if options.hours:
        feed_hours(recognizer, options.hours)


def make_audio(rate: int, channels: int, dtype: str, seconds: int) -> np.ndarray:
    """The samples one after the other, again and again, in the form that a microphone gives."""
    words = np.concatenate([audio.load(path) for path in sorted(SAMPLES.glob("*.wav"))])
    signal = np.resize(soxr.resample(words, 16_000, rate), rate * seconds)
    if dtype == "int16":
        signal = np.round(signal * 32767).astype(np.int16)
    return np.repeat(signal[:, np.newaxis], channels, axis=1) if channels > 1 else signal


def second_us(recognizer: Recognizer, signal: np.ndarray, rate: int, size: int) -> list[float]:
    """Return the time of all calls for each second of audio in us, the first seconds left out."""
    times = []
    with recognizer.stream(rate) as stream:
        for block in blocks(signal, size):
            start = time.perf_counter()
            stream.feed(block)
            times.append(1e6 * (time.perf_counter() - start))
    ends = [number * rate // size for number in range(WARM_SECONDS, len(signal) // rate + 1)]
    return [sum(times[start:end]) for start, end in itertools.pairwise(ends)]


def blocks(signal: np.ndarray, size: int) -> Iterator[np.ndarray]:
    """Whole blocks of a signal."""
    for start in range(0, len(signal) - size + 1, size):
        yield signal[start : start + size]


def feed_hours(recognizer: Recognizer, hours: float) -> None:
    """Feed hours of audio in one go, and print how memory and times change."""
    rate, size = 44_100, 4_410
    cycle = make_audio(rate, 1, "int16", CYCLE_SECONDS)
    count = max(2, round(3600 * hours / CYCLE_SECONDS))
    start = time.perf_counter()
    found, memory = [], []
    with recognizer.stream(rate) as stream:
        for _ in range(count):
            found.append(
                [detection for block in blocks(cycle, size) for detection in stream.feed(block)]
            )
            memory.append(resident_mib())
    seconds = time.perf_counter() - start
    # The first cycle begins after nothing, all others after the end of a cycle.
    offsets = [
        [round(one.time - CYCLE_SECONDS * number, 6) for one in cycle_found]
        for number, cycle_found in enumerate(found)
    ]
    drift = max(
        (
            abs(late - early)
            for cycle_offsets in offsets[2:]
            for early, late in zip(offsets[1], cycle_offsets, strict=False)
        ),
        default=0.0,
    )
    print(f"{count * CYCLE_SECONDS / 3600:.2f} h of audio in {seconds:.0f} s of one core")
    print(f"detections: {sum(map(len, found))}, in each minute {sorted(set(map(len, found[1:])))}")
    print(f"greatest change of a detection's time in its minute: {drift * 1e3:.0f} ms")
    print(f"memory after the first minute {memory[0]:.1f} MiB, at the end {memory[-1]:.1f} MiB")


def resident_mib() -> float:
    """Memory that the process uses now, or at most where the system does not say it, in MiB."""
    try:
        pages = int(Path("/proc/self/statm").read_text().split()[1])
        return pages * os.sysconf("SC_PAGE_SIZE") / 2**20
    except (OSError, ValueError):
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**10


if __name__ == "__main__":
    main()
