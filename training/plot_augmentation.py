"""Draw what each augmentation does to a clip.

    python training/plot_augmentation.py FILE OTHER --out docs/augmentation.png

FILE and OTHER are audio files; mixup blends FILE with OTHER.
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
    add("audio", metavar="FILE", help="audio file; its loudest second is drawn")
    add("other", metavar="OTHER", help="audio file to blend it with")
    add("--out", type=Path, required=True, metavar="PNG", help="the picture to write")
    add("--seed", type=int, default=92, help="seed of the random draws (default: %(default)s)")
    return parser.parse_args(arguments)


@script
def main(arguments: Sequence[str] | None = None) -> None:
    options = parse_arguments(arguments)
    start_tensorflow()
    from speechgru import audio
    from training.clips.window import WINDOW, fit_window
    from training.figures.augmentations import plot_augmentations

    clip, other = (fit_window(audio.load(path), WINDOW) for path in (options.audio, options.other))
    plot_augmentations(clip, other, options.out, options.seed)
    print(options.out)


if __name__ == "__main__":
    sys.exit(main())
