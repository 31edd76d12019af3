"""Time of recognising one clip: a whole cold process, and a warm Recognizer.

    python benchmarks/recognition.py [FILE.wav] [--runs N]

The cold process is timed in turn with one that only imports LiteRT, so that a drift of the
machine's speed meets both; the ratio of each pair is what can be compared between machines.
"""

import argparse
import statistics
import subprocess
import sys
import time
from pathlib import Path

import speechgru

SAMPLE = Path(__file__).resolve().parents[1] / "samples" / "yes-festival-kal-32k-pcm16.wav"
BASELINE = [sys.executable, "-c", "import ai_edge_litert.interpreter"]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("file", nargs="?", type=Path, default=SAMPLE)
    parser.add_argument("--runs", type=int, default=15, help="cold processes of each kind")
    options = parser.parse_args()

    command = [str(Path(sys.executable).with_name("speechgru")), "recognize", str(options.file)]
    pairs = [(seconds(BASELINE), seconds(command)) for _ in range(options.runs + 1)][1:]
    row("import ai_edge_litert.interpreter", [1e3 * a for a, _ in pairs], "ms")
    row("speechgru recognize, cold", [1e3 * b for _, b in pairs], "ms")
    row("ratio, pair by pair", [b / a for a, b in pairs], "")

    recognizer = speechgru.Recognizer()
    warm = []
    for _ in range(300):
        began = time.perf_counter()
        recognizer.recognize(options.file)
        warm.append(1e3 * (time.perf_counter() - began))
    row("Recognizer.recognize(path), warm", warm, "ms")


def seconds(command: list[str]) -> float:
    """Wall time of a whole process."""
    began = time.perf_counter()
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    return time.perf_counter() - began


def row(name: str, values: list[float], unit: str) -> None:
    low, middle, high = min(values), statistics.median(values), max(values)
    print(f"{name:36} median {middle:8.2f} {unit:2}  (min {low:.2f}, max {high:.2f})")


if __name__ == "__main__":
    main()
