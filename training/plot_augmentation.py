"""Pictures: curves and confusion of a run, a model in noise, and what augmentation does to a clip.

    python training/plots.py SOUND OTHER --out docs/augmentation.png

draws one second of SOUND before and after each augmentation; OTHER is mixed up with it.
"""

import argparse
import os
import sys
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
from speechgru import audio
from training.figures.augmentations import _second, plot_augmentations


def main(arguments: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description="Draw what each augmentation does to a clip.")
    parser.add_argument("sound", type=Path, help="sound file; its first second is drawn")
    parser.add_argument("other", type=Path, help="sound file to mix it up with")
    parser.add_argument("--out", type=Path, required=True, metavar="PNG")
    parser.add_argument("--seed", type=int, default=92, help="default: %(default)s")
    options = parser.parse_args(arguments)
    clip, other = (_second(audio.load(path)) for path in (options.sound, options.other))
    plot_augmentations(clip, other, options.out, options.seed)


if __name__ == "__main__":
    main()
