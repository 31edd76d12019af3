"""Where the time of training goes: reading, drawing, augmenting, features, and the step.

    python benchmarks/pipeline.py --data DIR [--recipe NAME] [--steps N]

Every part takes its turn in every round. The share that counts is the last line's: how much of the
loop is spent inside the traced step, which augments, computes features and learns.
"""

import argparse
import os
import resource
import statistics
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import keras
import numpy as np
import tensorflow as tf

from training.comparison.timing import rounds
from training.data.task import make_task
from training.loop.step import Trainer
from training.recipes.recipe import load_recipe


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, required=True, help="folder of <word>/*.wav")
    parser.add_argument("--recipe", default="medium")
    parser.add_argument("--steps", type=int, default=60, help="rounds that are counted")
    options = parser.parse_args()

    recipe = load_recipe(options.recipe)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    began = time.perf_counter()
    task = make_task(
        options.data,
        words=None,
        negative=None,
        synthetic=None,
        synthetic_weight=recipe.synthetic_weight,
        synthetic_share=recipe.synthetic_share,
        seed=recipe.seed,
        spliced_share=recipe.spliced_share,
    )
    seconds = time.perf_counter() - began
    clips = len(task.clips) + len(task.validation)
    memory = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / clips
    print(f"{'reading':28} {clips / seconds:8.0f} clips/s, {memory:.0f} KiB a clip at the peak")

    trainer = Trainer(task, recipe)
    rng = np.random.default_rng(0)
    trainer.adapt(rng, batches=2)
    rows, answers = trainer.draw(rng)
    batch = tf.constant(task.clips[rows])
    labels = tf.one_hot(answers, len(task.labels))
    augment = tf.function(lambda clips, seed: trainer.augmented(clips, answers, seed)[0])
    features = tf.function(trainer.front_end)
    audio = augment(batch, (0, tf.constant(0)))
    mfcc = features(audio)

    classifiers = [
        keras.Model(n.learner.get_layer("mfcc").output, n.learner.output) for n in trainer.networks
    ]

    @tf.function
    def gradient(mfcc: Any) -> Any:
        with tf.GradientTape() as tape:
            logits = [classifier(mfcc, training=True) for classifier in classifiers]
            losses = [tf.nn.softmax_cross_entropy_with_logits(labels, own) for own in logits]
        return tape.gradient(losses, [n.learner.trainable_variables for n in trainer.networks])

    def drawn() -> Any:
        rows, answers = trainer.draw(rng)
        return task.clips[rows], answers

    def loop() -> Any:
        rows, answers = trainer.draw(rng)
        return trainer.step(rows, answers, 1)

    parts: dict[str, Callable[[], Any]] = {
        "drawing and gathering": drawn,
        "augmentation": lambda: augment(batch, (0, tf.constant(1))).numpy(),
        "features": lambda: features(audio).numpy(),
        "gradient": lambda: [g.numpy() for own in gradient(mfcc) for g in own],
        "the traced step": lambda: trainer.step(rows, answers, 1)[0].numpy(),
        "the loop": lambda: loop()[0].numpy(),
    }
    taken = rounds(parts, options.steps)
    for name, values in taken.items():
        middle = statistics.median(values)
        print(f"{name:28} {recipe.batch_size / middle:8.0f} clips/s {1e3 * middle:8.1f} ms a batch")
    drawing, whole = (statistics.median(taken[n]) for n in ("drawing and gathering", "the loop"))
    print(f"share of the traced step in the loop: {1 - drawing / whole:.1%}")


if __name__ == "__main__":
    main()
