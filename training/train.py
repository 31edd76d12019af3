"""Train a speech-command model.

    python training/train.py --data speech_commands --recipe medium --out runs/medium

The run's folder holds the recipe, the best model so far (`model.keras`), `history.json`,
`metrics.json`, learning curves and the confusion matrix. Ctrl-C ends the training early and keeps
what was learnt.
"""

import argparse
import dataclasses
import json
import os
import platform
import shlex
import sys
import time
from importlib.metadata import version
from pathlib import Path
from typing import Any

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

WARM_UP_STEPS = 500
SPEECH_COMMANDS_LICENCE = (
    "Trained on Speech Commands by Pete Warden / Google, CC BY 4.0"  # asked for by its licence
)


def parse_arguments(arguments: list[str] | None = None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__.splitlines()[0],
        formatter_class=argparse.ArgumentDefaultsHelpFormatter,
    )
    add = parser.add_argument
    add("--data", type=Path, required=True, help="folder of <word>/*.wav (Speech Commands layout)")
    add("--recipe", default="medium", help="name of a recipe in training/recipes/, or a TOML file")
    add("--words", nargs="+", metavar="W", help="command words (default: the ten usual, or all)")
    add("--negative", type=Path, metavar="DIR", help="speech without commands, of any length")
    add("--synthetic", type=Path, metavar="DIR", help="<word>/*.wav for training only")
    add("--epochs", type=int, help="instead of the recipe's")
    add("--seed", type=int, help="instead of the recipe's")
    default = Path("runs") / time.strftime("%Y%m%d-%H%M%S")
    add("--out", type=Path, default=default, help="folder of the run, without a model in it")
    return parser.parse_args(arguments)


class Trainer:
    """Model, optimizer and the one traced step that augments, computes features and learns."""

    def __init__(self, task: Any, recipe: Any) -> None:
        import keras
        import tensorflow as tf

        from speechgru.models import build_model

        self.task, self.recipe = task, recipe
        self.traces = 0
        keras.utils.set_random_seed(recipe.seed)
        self.model = build_model(recipe.preset, task.labels, recipe.front_end)
        self.front_end = self.model.get_layer("mfcc")
        self.classifier = keras.Model(self.front_end.output, self.model.output)
        total = recipe.epochs * recipe.steps
        warm_up = min(WARM_UP_STEPS, total // 10)
        schedule = keras.optimizers.schedules.CosineDecay(
            recipe.learning_rate / 100,
            decay_steps=max(1, total - warm_up),
            warmup_target=recipe.learning_rate,
            warmup_steps=warm_up,
        )
        self.optimizer = keras.optimizers.AdamW(
            schedule, weight_decay=recipe.weight_decay, global_clipnorm=recipe.clip_norm
        )
        self.optimizer.exclude_from_weight_decay(var_names=["bias"])
        self.optimizer.build(self.model.trainable_variables)
        with tf.device("CPU"):  # all clips stay in main memory
            self.clips = tf.constant(task.clips)
        self.noise = tf.constant(task.noise)
        # XLA fuses the GRU's small operators. On a GPU it has not been tried.
        gpu = bool(tf.config.list_physical_devices("GPU"))
        self._gradients = tf.function(self._gradients_eagerly, jit_compile=not gpu)
        self.step = tf.function(
            self._step,
            input_signature=[
                tf.TensorSpec((recipe.batch_size,), tf.int32),
                tf.TensorSpec((recipe.batch_size,), tf.int32),
                tf.TensorSpec((), tf.int32),
            ],
        )

    def _step(self, rows: Any, answers: Any, number: Any) -> tuple[Any, Any]:
        """One step; returns loss and accuracy on this batch."""
        from training.augment import mask_spectrogram

        self.traces += 1
        log_mel = self.front_end.log_mel(self.augmented(rows, answers, number))
        log_mel = mask_spectrogram(log_mel, (self.recipe.seed + 1, number), self.recipe.augment)
        features = self.front_end.dct(log_mel)
        gradients, loss, accuracy = self._gradients(features, answers)
        self.optimizer.apply(gradients, self.model.trainable_variables)
        return loss, accuracy

    def augmented(self, rows: Any, answers: Any, number: Any) -> Any:
        """Augmented audio of the given rows of the task's clips, (batch, samples)."""
        import tensorflow as tf

        from training.augment import augment

        return augment(
            tf.gather(self.clips, rows),
            answers == len(self.task.labels) - 1,
            self.noise,
            (self.recipe.seed, number),
            self.recipe.augment,
        )

    def _gradients_eagerly(self, features: Any, answers: Any) -> tuple[Any, Any, Any]:
        import tensorflow as tf

        labels = len(self.task.labels)
        smoothing = self.recipe.label_smoothing
        wanted = tf.one_hot(answers, labels) * (1 - smoothing) + smoothing / labels
        with tf.GradientTape() as tape:
            logits = self.classifier(features, training=True)
            loss = tf.reduce_mean(tf.nn.softmax_cross_entropy_with_logits(wanted, logits))
        right = tf.argmax(logits, axis=1, output_type=tf.int32) == answers
        accuracy = tf.reduce_mean(tf.cast(right, tf.float32))
        return tape.gradient(loss, self.model.trainable_variables), loss, accuracy

    def adapt(self, rng: Any, batches: int = 16) -> None:
        """Set the scaling of the features from augmented training clips."""
        import numpy as np
        import tensorflow as tf

        features = []
        for number in range(batches):
            rows, answers = self.draw(rng)
            audio = self.augmented(rows, tf.constant(answers), tf.constant(-1 - number))
            features.append(self.front_end(audio).numpy())
        self.model.get_layer("scale").adapt(np.concatenate(features))

    def draw(self, rng: Any) -> Any:
        from training.data import draw_batch

        recipe = self.recipe
        return draw_batch(
            self.task, recipe.batch_size, recipe.unknown_share, recipe.silence_share, rng
        )

    def logits(self, clips: Any) -> Any:
        """Logits of clips as they are, int16 (n, samples) -> float32 (n, labels)."""
        return self.model.predict(clips.astype("float32") / 32768, batch_size=256, verbose=0)


def train(trainer: Trainer, out: Path) -> bool:
    """Train and keep the best epoch's model in `out`; returns whether Ctrl-C ended it early."""
    import numpy as np
    from tqdm import tqdm

    recipe, task = trainer.recipe, trainer.task
    rng = np.random.default_rng(recipe.seed)
    history: list[dict[str, float]] = []
    best = (-1.0, 0.0)  # accuracy, then the smaller loss
    interrupted = False
    bar = tqdm(total=recipe.epochs * recipe.steps, unit="step", disable=None)
    try:
        trainer.adapt(rng)
        for epoch in range(recipe.epochs):
            began = time.monotonic()
            results = []
            for step in range(recipe.steps):
                rows, answers = trainer.draw(rng)
                results.append(trainer.step(rows, answers, epoch * recipe.steps + step))
                bar.update()
            loss, accuracy = np.mean([[float(v) for v in pair] for pair in results], axis=0)
            logits = trainer.logits(task.validation)
            validation = float(np.mean(logits.argmax(1) == task.answers))
            validation_loss = _cross_entropy(logits, task.answers)
            history.append(
                {
                    "epoch": epoch + 1,
                    "loss": float(loss),
                    "training_accuracy": float(accuracy),
                    "validation_loss": validation_loss,
                    "validation_accuracy": validation,
                    "seconds": time.monotonic() - began,
                }
            )
            if (validation, -validation_loss) > best:
                save_model(trainer.model, out / "model.keras")
                best = (validation, -validation_loss)
            write_text(out / "history.json", json.dumps(history, indent=1))
            bar.set_postfix(
                loss=f"{loss:.3f}", validation=f"{validation:.2%}", best=f"{best[0]:.2%}"
            )
            if bar.disable:
                line = f"epoch {epoch + 1}/{recipe.epochs}: loss {loss:.3f}, augmented training "
                line += (
                    f"accuracy {accuracy:.2%}, validation {validation:.2%} (best {best[0]:.2%}), "
                )
                print(line + f"{history[-1]['seconds']:.0f} s", flush=True)
    except KeyboardInterrupt:
        interrupted = True
        print("interrupted: keeping the best model so far", file=sys.stderr)
        if best[0] < 0:
            save_model(trainer.model, out / "model.keras")
        write_text(out / "history.json", json.dumps(history, indent=1))
    finally:
        bar.close()
    return interrupted


def _cross_entropy(logits: Any, answers: Any) -> float:
    import numpy as np

    top = logits.max(axis=1, keepdims=True)
    log_total = np.log(np.exp(logits - top).sum(axis=1)) + top[:, 0]
    return float(np.mean(log_total - logits[np.arange(len(answers)), answers]))


def report(trainer: Trainer, out: Path, arguments: argparse.Namespace) -> None:
    """Measure the kept model on the validation clips; write metrics.json and the pictures."""
    import keras
    import numpy as np

    from training import plots

    trainer.model = keras.saving.load_model(out / "model.keras")
    task = trainer.task
    guesses = trainer.logits(task.validation).argmax(axis=1)
    confusion = np.zeros((len(task.labels), len(task.labels)), int)
    np.add.at(confusion, (task.answers, guesses), 1)
    history = json.loads((out / "history.json").read_text())
    # The official lists and noises tell Speech Commands from a folder in its layout.
    is_speech_commands = all(
        (arguments.data / name).exists()
        for name in ("validation_list.txt", "testing_list.txt", "_background_noise_", "LICENSE")
    )
    metrics = {
        "validation_accuracy": float(np.mean(guesses == task.answers)),
        "last_epoch_validation_accuracy": history[-1]["validation_accuracy"] if history else None,
        "validation_clips": len(task.answers),
        "validation_of_new_voices": task.new_voices,
        "recall": {
            label: float(row[i] / row.sum()) if row.sum() else None
            for i, (label, row) in enumerate(zip(task.labels, confusion, strict=True))
        },
        "confusion": confusion.tolist(),
        "labels": list(task.labels),
        "parameters": sum(int(np.prod(w.shape)) for w in trainer.model.trainable_weights),
        "training_clips": len(task.clips) - 1,
        "epochs": len(history),
        "training_seconds": sum(epoch["seconds"] for epoch in history),
        "training_data": task.summary,
        "data": str(arguments.data.resolve()),
        "licence": SPEECH_COMMANDS_LICENCE if is_speech_commands else "",
        "command": "python training/train.py " + shlex.join(arguments.given),
        "versions": {
            "python": platform.python_version(),
            **{name: version(name) for name in ("tensorflow", "keras", "librosa", "numpy")},
        },
    }
    write_text(out / "metrics.json", json.dumps(metrics, indent=1))
    plots.curves(history, out / "curves.png")
    plots.confusion(confusion, task.labels, out / "confusion.png")
    print(f"validation accuracy {metrics['validation_accuracy']:.2%} on {len(task.answers)} clips")


def save_model(model: Any, path: Path) -> None:
    """Save beside the place and rename, so that `path` is never half a file."""
    unfinished = path.with_name(f".{path.stem}.part.keras")
    model.save(unfinished)
    unfinished.replace(path)


def write_text(path: Path, text: str) -> None:
    """Write beside the place and rename."""
    unfinished = path.with_name(f".{path.name}.part")
    unfinished.write_text(text + "\n", encoding="utf-8")
    unfinished.replace(path)


def main(arguments: list[str] | None = None) -> int:
    given = sys.argv[1:] if arguments is None else arguments
    parsed = parse_arguments(given)
    parsed.given = given
    try:
        return run(parsed)
    except KeyboardInterrupt:
        return 130
    except OSError as error:
        print(f"train.py: {error}", file=sys.stderr)
        return 2


def run(parsed: argparse.Namespace) -> int:
    """Read, train, report; returns the exit code."""
    from training.data import DataError, make_task
    from training.recipe import RecipeError, load_recipe

    out = parsed.out
    try:
        if (out / "model.keras").exists():
            raise DataError(f"{out}: expected a new folder for the run, found one with a model")
        recipe = load_recipe(parsed.recipe)
        given = {name: getattr(parsed, name) for name in ("epochs", "seed")}
        try:
            recipe = dataclasses.replace(
                recipe, **{name: value for name, value in given.items() if value is not None}
            )
        except ValueError as error:
            raise RecipeError(str(error)) from error
        task = make_task(
            parsed.data,
            words=parsed.words,
            negative=parsed.negative,
            synthetic=parsed.synthetic,
            synthetic_weight=recipe.synthetic_weight,
            synthetic_share=recipe.synthetic_share,
            seed=recipe.seed,
        )
    except (DataError, RecipeError) as error:
        print(f"train.py: {error}", file=sys.stderr)
        return 2
    out.mkdir(parents=True, exist_ok=True)
    write_text(out / "recipe.json", json.dumps(dataclasses.asdict(recipe), indent=1))
    print(f"training on {task.summary}; validating on {len(task.answers)} clips")
    print(f"labels: {' '.join(task.labels)}")
    trainer = Trainer(task, recipe)
    interrupted = train(trainer, out)
    report(trainer, out, parsed)
    print(out)
    return 130 if interrupted else 0


if __name__ == "__main__":
    sys.exit(main())
