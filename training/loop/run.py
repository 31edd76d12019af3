"""A training run from checked options to the report."""

import dataclasses
import json
import shlex
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import tensorflow as tf

from speechgru.atomic_files import write_text
from training.clips.window import RATE, WINDOW
from training.data.official_release import default_cache, speech_commands
from training.data.task import Task, make_task
from training.loop.arguments import Options
from training.loop.checks import Plan, find_labels
from training.loop.devices import (
    Device,
    check_batch_size,
    choose_device,
    choose_strategy,
    describe_device,
    is_chief,
    pays_to_compile,
)
from training.loop.fit import train
from training.loop.librosa_features import librosa_log_mel, with_silence
from training.loop.report import report
from training.loop.stream_trainer import StreamTrainer
from training.loop.trainer import Trainer
from training.recipes.recipe import Recipe, with_batch_size
from training.run_files import run_folder
from training.run_files.earlier_runs import (
    EarlierRun,
    check_labels,
    check_windows,
    load_start,
    load_teachers,
    with_labels,
)
from training.run_files.lengthening import write_lengthenings

_UNKNOWN = {
    "recorded words": "recordings of other words",
    "negative speech": "negative speech of speakers that are not trained on",
    "synthetic voices": "words spoken by synthetic voices",
    "made sounds": "made sounds alone",
}


def run(plan: Plan) -> bool:
    """Load the data, train and report.

    Args:
        plan: the options and the recipe.

    Returns:
        Whether Ctrl-C ended the training. The models of the last complete epoch are reported.

    Raises:
        SpeechGRUError: the data, a model or a device cannot be used, or the training failed.
        OSError: a file cannot be read or written.
    """
    # Each network has a graph of its own, which TensorFlow takes for one that is traced again.
    tf.get_logger().addFilter(lambda record: "tf.function retracing" not in record.getMessage())
    device = choose_device(plan.options.device)
    strategy = choose_strategy(plan.options.strategy, device)
    if plan.options.batch == "auto" and device.is_gpu:
        recipe = with_batch_size(plan.recipe, plan.recipe.gpu_batch_size)
        plan = dataclasses.replace(plan, recipe=recipe)
    with device.scope():
        return _run(plan, device, strategy)


def _run(plan: Plan, device: Device, strategy: Any) -> bool:
    options, recipe = plan.options, plan.recipe
    check_batch_size(recipe, strategy)
    with strategy.scope():
        start = load_start(options.start, recipe) if options.start else []
        teachers = load_teachers(options.teachers, recipe)
    data = options.data or speech_commands()
    labels = plan.labels or find_labels(data, options.words)
    check_labels(teachers, labels)
    with strategy.scope():
        start = with_labels(start, labels, recipe) if start else []
    task = _make_task(data, options, recipe)
    was_auto = recipe.window_seconds == "auto"
    recipe = dataclasses.replace(recipe, window_seconds=task.window / RATE)
    plan = dataclasses.replace(plan, recipe=recipe)
    check_windows(teachers, task.window)
    writes = is_chief(strategy)
    models = [model.file for model in (*start, *teachers)]
    identity = _prepare_folder(plan, task, models, writes)
    _describe(task, recipe, start, teachers)
    _describe_window(task, was_auto)
    print(f"{describe_device(device, strategy)}; {_describe_batch(plan, device)}")
    log_mel = None
    if options.features == "librosa":
        task, log_mel = _librosa_features(task, recipe)
    kind = StreamTrainer if recipe.scene_seconds > 1 else Trainer
    trainer = kind(
        task,
        recipe,
        [model.model for model in start] or None,
        device=device,
        strategy=strategy,
        teachers=[teacher.model for teacher in teachers],
        compiled=pays_to_compile(device, strategy, recipe),
        log_mel=log_mel,
        restarts=[lengthening.before for lengthening in plan.lengthened],
    )
    interrupted = train(trainer, options.out, writes, identity)
    if writes:
        commands = _commands([*start[:1], *teachers], plan)
        report(trainer, data, commands, options.out, start)
    return interrupted


def _make_task(data: Path, options: Options, recipe: Recipe) -> Task:
    return make_task(
        data,
        words=options.words,
        negative=options.negative,
        noise=options.noise,
        synthetic=options.synthetic,
        synthetic_weight=recipe.synthetic_weight,
        synthetic_share=recipe.synthetic_share,
        seed=recipe.seed,
        spliced_share=recipe.spliced_share,
        negative_share=recipe.negative_share,
        spoken=options.phrases is not None and options.synthetic is None,
        windows=recipe.windows,
    )


def _prepare_folder(plan: Plan, task: Task, models: Sequence[Path], writes: bool) -> str:
    """Write how the run is started, or check that a resumed run has the same clips.

    Returns:
        The run's identity.
    """
    out = plan.options.out
    text = json.dumps({"labels": task.labels, **task.lists}, indent=0)
    if plan.options.resume:
        run_folder.check_task(out, text)
    if writes:
        out.mkdir(parents=True, exist_ok=True)
        write_text(out / run_folder.TASK, text)
        skipped = "".join(f"{path}: {reason}\n" for path, reason in task.skipped)
        write_text(out / run_folder.SKIPPED, skipped)
        if not plan.options.resume:
            run_folder.write_start(out, plan.options, plan.recipe)
        if plan.lengthened:
            write_lengthenings(out, plan.lengthened)
    recipe = plan.recipe  # as the run was started
    if plan.lengthened:
        recipe = dataclasses.replace(recipe, epochs=plan.lengthened[0].before)
    return run_folder.run_identity(recipe, text, task.clips, models)


def _describe(
    task: Task, recipe: Recipe, start: Sequence[EarlierRun], teachers: Sequence[EarlierRun]
) -> None:
    print(f"training on {task.summary}; validating on {len(task.targets)} clips")
    print(f"labels: {', '.join(task.labels)}")
    print(f'"unknown" in validation: {_UNKNOWN[task.validation_unknown]}')
    if start:
        print(f"start: {', '.join(str(run.folder) for run in start)}")
        if start[0].head:
            print(start[0].head.description)
    if teachers:
        print(f"teachers: {', '.join(str(teacher.folder) for teacher in teachers)}")
    elif recipe.students:
        print(f"students: {', '.join(recipe.students)}, with {recipe.preset} as teacher")


def _describe_window(task: Task, was_auto: bool) -> None:
    if task.window != WINDOW:
        how = "the shortest into which 95 % of the words fit" if was_auto else "as in the recipe"
        print(f"window: {task.window / RATE} s, {how}")


def _describe_batch(plan: Plan, device: Device) -> str:
    recipe, options = plan.recipe, plan.options
    text = f"batches of {recipe.batch_size}, {recipe.steps} an epoch"
    if options.batch:
        text += f", learning rate {recipe.learning_rate:.3g}"
    elif device.is_gpu and not options.resume and recipe.gpu_batch_size > recipe.batch_size:
        text += f" (--batch auto trains with {recipe.gpu_batch_size}, which keeps a GPU busier)"
    return text


def _librosa_features(task: Task, recipe: Recipe) -> tuple[Task, npt.NDArray[np.float32]]:
    print("features: by librosa, once; speech is not augmented")
    task = with_silence(task, recipe)
    cache = default_cache() / "features"
    return task, librosa_log_mel(task.clips, recipe.front_end, cache)


def _commands(earlier: Sequence[EarlierRun], plan: Plan) -> list[str]:
    """Return the commands that the models come from, each once, this run's last."""
    commands: list[Any] = [c for run in earlier for c in run.metrics.get("commands", [])]
    own = [plan.options.command, *(lengthening.command for lengthening in plan.lengthened)]
    commands += ["python training/train.py " + shlex.join(command) for command in own]
    return list(dict.fromkeys(commands))
