"""Run training/train.py with noises of one second, for tests that need other processes."""

import functools
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from training.data import task
from training.train import main

task.synthetic_noise = functools.partial(task.synthetic_noise, seconds=1)

if __name__ == "__main__":
    sys.exit(main())
