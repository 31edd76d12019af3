"""Draw what the GRUs of a model do while a word is spoken.

    python training/gates.py medium samples/yes-festival-kal-32k-pcm16.wav -o gates.png

MODEL is the name of a bundled model, a run's folder, or a model.keras with its metrics.json beside
it. The picture has a column for each GRU: the waveform, the log-mel spectrogram, the update gate z
(as in Chung 2014: near 1 the candidate is written, whatever the model's own convention is), the
reset gate r, the norms of candidate and state, and the probability of every label over time. A
table with the same content is printed.
"""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

if __name__ == "__main__":  # the repository instead of this folder, whose names could hide packages
    sys.path[0] = str(Path(__file__).resolve().parents[1])

from training.output.script import script
from training.output.tensorflow_start import start_tensorflow


def parse_arguments(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    add = parser.add_argument
    add("model", metavar="MODEL", help='"medium", "small", a run folder or a .keras file')
    add("audio", metavar="FILE", help="audio file; the loudest part of the window's length is used")
    add("-o", "--out", type=Path, required=True, metavar="PNG", help="the picture to write")
    return parser.parse_args(arguments)


@script
def main(arguments: Sequence[str] | None = None) -> None:
    options = parse_arguments(arguments)
    start_tensorflow()
    from speechgru import audio
    from training.clips.window import fit_window
    from training.evaluation.gate_trace import gate_table, load_gru_model, trace_gates
    from training.figures.gates import plot_gates

    model, labels = load_gru_model(options.model)
    trace = trace_gates(model, fit_window(audio.load(options.audio), model.input_shape[1]))
    title = f"The GRUs of {Path(options.model).name} during {Path(options.audio).name}"
    plot_gates(trace, labels, title, options.out)
    print(gate_table(trace, labels))
    print(options.out)


if __name__ == "__main__":
    sys.exit(main())
