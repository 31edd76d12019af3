"""Show what a model's GRUs do while a word is spoken.

    python training/gates.py runs/medium samples/yes-festival-kal-32k-pcm16.wav -o gates.png

MODEL is a run's folder or a model.keras with its metrics.json beside it. The picture has the
waveform, the log-mel spectrogram, and for each GRU the update gate z in the reading of Chung 2014
(near 1 writes, whatever the model's own reading is), the reset gate r, the norms of candidate and
state, and the probability of every label as it builds up. A table of the same is printed.
"""

import argparse
import os
import sys
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
import numpy as np

from speechgru import audio
from speechgru.audio import AudioError
from speechgru.modelfile import ModelError
from training.clips.window import one_second
from training.figures.gate_trace import table, trace


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("model", type=Path, metavar="MODEL", help="run folder or .keras file")
    parser.add_argument("sound", metavar="FILE", help="the second with the word is heard")
    parser.add_argument("-o", "--out", type=Path, required=True, metavar="PNG")
    parsed = parser.parse_args(arguments)
    from training.figures.gates import plot_gates
    from training.loop.trained_model import load_trained

    try:
        if parsed.model.suffix == ".tflite":
            raise ModelError(f"{parsed.model}: expected a run's folder or a .keras file")
        model, metrics = load_trained(parsed.model, streams=True)
        labels = tuple(metrics["labels"])
        samples = one_second(audio.load(parsed.sound)).astype(np.float32)
        found = trace(model, samples)
        plot_gates(found, labels, Path(parsed.sound).name, parsed.out)
    except KeyboardInterrupt:
        return 130
    except (AudioError, ModelError, OSError) as error:
        print(f"gates.py: {' '.join(str(error).split())}", file=sys.stderr)
        return 2
    print(table(found, labels))
    print(parsed.out)
    return 0


if __name__ == "__main__":
    sys.exit(main())
