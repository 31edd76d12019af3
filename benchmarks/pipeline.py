"""Measure where the time of training goes: reading, drawing, augmentation, features, the step.

    python benchmarks/pipeline.py --data DIR [--recipe NAME] [--batch N] [--steps N]

It uses a GPU if there is one. Each part runs once in every round, and is timed until the device has
finished. The last line is the figure that counts: the share of the loop that is spent in the
training step, which augments, computes features and updates the weights. The loop draws the next
batch while a step runs, as training does. On a GPU XLA compiles the step and the loop, but not the
parts by themselves.
"""

import argparse
import statistics
import sys
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, Any

if __name__ == "__main__":  # the repository instead of this folder, whose names could hide packages
    sys.path[0] = str(Path(__file__).resolve().parents[1])

from training.output.script import script
from training.output.tensorflow_start import start_tensorflow

if TYPE_CHECKING:
    from training.data.task import Task
    from training.loop.trainer import Trainer
    from training.recipes.recipe import Recipe

STEP, LOOP = "the step", "the loop"


@script
def main(arguments: Sequence[str] | None = None) -> None:
    """Measure and print a line for each part."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, required=True, help="folder of <word>/*.wav")
    parser.add_argument("--recipe", default="medium", help="default: medium")
    parser.add_argument("--batch", type=int, help="clips in a batch (default: the recipe's)")
    parser.add_argument("--steps", type=int, default=60, help="rounds to measure (default: 60)")
    options = parser.parse_args(arguments)
    from training.recipes.recipe import load_recipe, with_batch_size

    recipe = load_recipe(options.recipe)
    recipe = with_batch_size(recipe, options.batch or recipe.batch_size)
    start_tensorflow()
    from training.comparison.timing import rounds
    from training.loop.devices import choose_device
    from training.loop.trainer import Trainer

    device = choose_device("auto")
    print(f"device: {device.name}", flush=True)
    task = read_task(options.data, recipe)
    with ThreadPoolExecutor(1) as thread:
        trainer = Trainer(task, recipe, compiled=device.is_gpu)
        taken = rounds(parts(trainer, thread), options.steps)
    medians = {name: statistics.median(seconds) for name, seconds in taken.items()}
    for name, seconds in medians.items():
        rate = recipe.batch_size / seconds
        print(f"{name:28} {rate:8.0f} clips/s {1e3 * seconds:8.1f} ms a batch")
    print(f"share of the step in the loop: {medians[STEP] / medians[LOOP]:.1%}")


def read_task(data: Path, recipe: "Recipe") -> "Task":
    """Read the clips and print how fast that was, and how much memory it took at the peak."""
    from training.data.task import make_task

    before, began = peak_memory(), time.perf_counter()
    task = make_task(
        data,
        words=None,
        negative=(),
        synthetic=None,
        synthetic_weight=recipe.synthetic_weight,
        synthetic_share=recipe.synthetic_share,
        seed=recipe.seed,
        spliced_share=recipe.spliced_share,
        windows=recipe.windows,
    )
    seconds = time.perf_counter() - began
    clips = len(task.clips) + len(task.validation)
    memory = (peak_memory() - before) / clips
    print(f"{'reading':28} {clips / seconds:8.0f} clips/s, {memory:.0f} KiB a clip at the peak")
    return task


def peak_memory() -> int:
    """Return the highest memory of this process so far, in KiB; 0 on Windows."""
    try:
        import resource
    except ImportError:
        return 0
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss


def parts(trainer: "Trainer", thread: ThreadPoolExecutor) -> dict[str, Callable[[], Any]]:
    """Return a function without arguments for each part of the loop, and one for the loop."""
    import numpy as np
    import tensorflow as tf

    from training.augmentation.random_draws import RandomDraws
    from training.comparison.timing import synchronised

    task, rng = trainer.task, np.random.default_rng(0)
    trainer.adapt(rng, batches=2)
    rows, labels = trainer.draw(rng)
    batch = tf.constant(task.clips[rows])
    targets = tf.one_hot(labels, len(task.labels))
    features = tf.function(trainer.front_end)
    gradient = gradient_function(trainer, targets)

    @tf.function  # type: ignore[untyped-decorator]
    def augment(number: Any) -> Any:
        return trainer.augmented(batch, labels, RandomDraws((0, number), len(rows)))[0]

    def draw() -> Any:
        return trainer.load(*trainer.draw(rng))

    audio = augment(tf.constant(0))
    mfcc = features(audio)
    loaded = draw()
    drawn = [thread.submit(draw)]

    def loop() -> None:
        now = drawn.pop().result()
        drawn.append(thread.submit(draw))
        trainer.step(*now, 1)

    found = {
        "drawing, gathering, copying": draw,
        "augmentation": lambda: augment(tf.constant(1)),
        "features": lambda: features(audio),
        "gradient": lambda: gradient(mfcc),
        STEP: lambda: trainer.step(*loaded, 1),
        LOOP: loop,
    }
    return {name: synchronised(run) for name, run in found.items()}


def gradient_function(trainer: "Trainer", targets: Any) -> Callable[[Any], Any]:
    """Return a function from MFCC to the gradients of all networks."""
    import keras
    import tensorflow as tf

    models = [network.train_model for network in trainer.networks]
    classifiers = [keras.Model(m.get_layer("mfcc").output, m.output) for m in models]

    def gradient(mfcc: Any) -> Any:
        with tf.GradientTape() as tape:
            logits = [classifier(mfcc, training=True) for classifier in classifiers]
            losses = [tf.nn.softmax_cross_entropy_with_logits(targets, own) for own in logits]
        return tape.gradient(losses, [model.trainable_variables for model in models])

    traced: Callable[[Any], Any] = tf.function(gradient)
    return traced


if __name__ == "__main__":
    sys.exit(main())
