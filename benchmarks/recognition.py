"""Time of recognising one clip: in a new process, with a loaded Recognizer, in several processes.

    python benchmarks/recognition.py [FILE.wav] [--runs N]

The new process is timed in turn with one that only imports LiteRT, so that a change of the
machine's speed affects both. The ratio of each pair can be compared between machines.
Numbers of worker processes are also timed in turn.
"""

import argparse
import itertools
import os
import statistics
import subprocess
import sys
import time
from pathlib import Path

import speechgru

SAMPLE = Path(__file__).resolve().parents[1] / "samples" / "yes-festival-kal-32k-pcm16.wav"
IMPORT_LITERT = [sys.executable, "-c", "import ai_edge_litert.interpreter"]
WARM_CALLS = 300
CLIPS_A_RUN = 400
MANY_ROUNDS = 3


def main() -> None:
    assert __doc__
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("file", nargs="?", type=Path, default=SAMPLE)
    help_text = f"new processes of each kind; many clips are {CLIPS_A_RUN} for each run"
    parser.add_argument("--runs", type=int, default=15, help=help_text)
    options = parser.parse_args()

    command = [str(Path(sys.executable).with_name("speechgru")), "recognize", str(options.file)]
    pairs = [(process_ms(IMPORT_LITERT), process_ms(command)) for _ in range(options.runs + 1)]
    pairs = pairs[1:]  # the first pair fills the file system's cache
    print_row("import ai_edge_litert.interpreter", [first for first, _ in pairs], "ms")
    print_row("speechgru recognize, new process", [second for _, second in pairs], "ms")
    print_row("ratio of each pair", [second / first for first, second in pairs], "")
    print_row("Recognizer.recognize(path), loaded", loaded_ms(options.file), "ms")
    clips = CLIPS_A_RUN * options.runs
    rates = clips_per_second(options.file, clips)
    for workers, values in rates.items():
        print_row(f"{clips} clips, workers={workers}", values, "/s")
    for workers in list(rates)[1:]:
        gains = [many / one for one, many in zip(rates[1], rates[workers], strict=True)]
        print_row(f"workers={workers}: ratio to workers=1", gains, "")


def process_ms(command: list[str]) -> float:
    """Return the wall time of a whole process in ms."""
    start = time.perf_counter()
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    return 1e3 * (time.perf_counter() - start)


def loaded_ms(path: Path) -> list[float]:
    """Return the wall times of calls of one Recognizer in ms."""
    recognizer = speechgru.Recognizer()
    times = []
    for _ in range(WARM_CALLS):
        start = time.perf_counter()
        recognizer.recognize(path)
        times.append(1e3 * (time.perf_counter() - start))
    return times


def clips_per_second(path: Path, clips: int) -> dict[int, list[float]]:
    """Return the rates of 1, 2, 4 ... worker processes up to one for each core, at least 2."""
    recognizer = speechgru.Recognizer()
    most = max(2, os.cpu_count() or 1)
    counts = list(itertools.takewhile(lambda count: count <= most, (2**k for k in range(10))))
    rates: dict[int, list[float]] = {count: [] for count in counts}
    for _, count in itertools.product(range(MANY_ROUNDS), counts):
        start = time.perf_counter()
        recognizer.recognize([path] * clips, workers=count)
        rates[count].append(clips / (time.perf_counter() - start))
    return rates


def print_row(name: str, values: list[float], unit: str) -> None:
    """Print median, least and greatest of some values."""
    low, middle, high = min(values), statistics.median(values), max(values)
    print(f"{name:36} median {middle:8.2f} {unit:2}  (min {low:.2f}, max {high:.2f})")


if __name__ == "__main__":
    main()
