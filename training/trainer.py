"""The training loop: one traced step, the best epoch kept, a report at the end."""

import json
import platform
import sys
import time
from importlib.metadata import version
from pathlib import Path
from typing import Any

import keras
import numpy as np
import tensorflow as tf
from tqdm import tqdm

from speechgru.models import build_model
from training import plots
from training.augment import augment, mask_spectrogram
from training.data import Task, draw_batch
from training.files import replacing, write_text
from training.recipe import Recipe

WARM_UP_STEPS = 500
SPEECH_COMMANDS_LICENCE = (  # asked for by the licence of the recordings
    "Trained on Speech Commands by Pete Warden / Google, CC BY 4.0"
)


class Trainer:
    """Model, optimizer and the one traced step that augments, computes features and learns."""

    def __init__(self, task: Task, recipe: Recipe, start: keras.Model | None = None) -> None:
        self.task, self.recipe = task, recipe
        self.traces = 0
        keras.utils.set_random_seed(recipe.seed)
        self.adapted = start is not None  # a trained model keeps the scaling that it learnt with
        self.model = start or build_model(recipe.preset, task.labels, recipe.front_end)
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
        self.traces += 1
        log_mel = self.front_end.log_mel(self.augmented(rows, answers, number))
        log_mel = mask_spectrogram(log_mel, (self.recipe.seed + 1, number), self.recipe.augment)
        features = self.front_end.dct(log_mel)
        gradients, loss, accuracy = self._gradients(features, answers)
        self.optimizer.apply(gradients, self.model.trainable_variables)
        return loss, accuracy

    def augmented(self, rows: Any, answers: Any, number: Any) -> Any:
        """Augmented audio of the given rows of the task's clips, (batch, samples)."""
        return augment(
            tf.gather(self.clips, rows),
            answers == len(self.task.labels) - 1,
            self.noise,
            (self.recipe.seed, number),
            self.recipe.augment,
        )

    def _gradients(self, features: Any, answers: Any) -> tuple[Any, Any, Any]:
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
        features = []
        for number in range(batches):
            rows, answers = self.draw(rng)
            audio = self.augmented(rows, tf.constant(answers), tf.constant(-1 - number))
            features.append(self.front_end(audio).numpy())
        self.model.get_layer("scale").adapt(np.concatenate(features))

    def draw(self, rng: Any) -> Any:
        recipe = self.recipe
        return draw_batch(
            self.task, recipe.batch_size, recipe.unknown_share, recipe.silence_share, rng
        )

    def logits(self, clips: Any) -> Any:
        """Logits of clips as they are, int16 (n, samples) -> float32 (n, labels)."""
        return self.model.predict(clips.astype("float32") / 32768, batch_size=256, verbose=0)


def train(trainer: Trainer, out: Path) -> bool:
    """Train and keep the best epoch's model in `out`; returns whether Ctrl-C ended it early."""
    recipe, task = trainer.recipe, trainer.task
    rng = np.random.default_rng(recipe.seed)
    history: list[dict[str, float]] = []
    best = (-1.0, 0.0)  # accuracy, then the smaller loss
    interrupted = False
    bar = tqdm(total=recipe.epochs * recipe.steps, unit="step", disable=None)
    try:
        if not trainer.adapted:
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
                _save(trainer.model, out / "model.keras")
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
            _save(trainer.model, out / "model.keras")
        write_text(out / "history.json", json.dumps(history, indent=1))
    finally:
        bar.close()
    return interrupted


def _save(model: keras.Model, path: Path) -> None:
    with replacing(path) as unfinished:
        model.save(unfinished)


def _cross_entropy(logits: Any, answers: Any) -> float:
    return float(tf.reduce_mean(tf.nn.sparse_softmax_cross_entropy_with_logits(answers, logits)))


def report(
    trainer: Trainer, data: Path, command: str, out: Path, earlier: dict[str, Any] | None = None
) -> None:
    """Measure the kept model on the validation clips; write metrics.json and the pictures.

    `earlier` is what metrics.json says of the run that this one went on from.
    """
    earlier = earlier or {"commands": [], "epochs": 0, "training_seconds": 0.0}
    trainer.model = keras.saving.load_model(out / "model.keras")
    task = trainer.task
    guesses = trainer.logits(task.validation).argmax(axis=1)
    confusion = np.zeros((len(task.labels), len(task.labels)), int)
    np.add.at(confusion, (task.answers, guesses), 1)
    history = json.loads((out / "history.json").read_text(encoding="utf-8"))
    # The official lists and noises tell Speech Commands from a folder in its layout.
    is_speech_commands = all(
        (data / name).exists()
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
        "epochs": earlier["epochs"] + len(history),
        "training_seconds": sum((e["seconds"] for e in history), earlier["training_seconds"]),
        "training_data": task.summary,
        "data": str(data.resolve()),
        "licence": SPEECH_COMMANDS_LICENCE if is_speech_commands else "",
        "commands": [*earlier["commands"], command],
        "versions": {
            "python": platform.python_version(),
            **{name: version(name) for name in ("tensorflow", "keras", "librosa", "numpy")},
        },
    }
    write_text(out / "metrics.json", json.dumps(metrics, indent=1))
    plots.curves(history, out / "curves.png")
    plots.confusion(confusion, task.labels, out / "confusion.png")
    print(f"validation accuracy {metrics['validation_accuracy']:.2%} on {len(task.answers)} clips")
