"""Train a speech-command model.

    python training/train.py --data speech_commands --recipe medium --out runs/medium

The run's folder holds the recipe, the model (`model.keras`) and the state (`last.npz`) after the
last epoch, `history.json`, `metrics.json`, learning curves, the confusion matrix and TensorBoard's
logs, and a folder for each student with the like of it. Ctrl-C ends the training early and keeps
what was learnt; `--resume` goes on after that, or after anything else that ended it.
"""

import argparse
import dataclasses
import hashlib
import json
import os
import shlex
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

ROOT = Path(__file__).resolve().parents[1]
RUN = "run.json"  # how the run was started, for --resume
PATHS = ("data", "negative", "noise", "synthetic", "start")


class _Help(argparse.ArgumentDefaultsHelpFormatter):
    """Every default, but where the help itself says what happens without the option."""

    def _get_help_string(self, action: argparse.Action) -> str | None:
        return super()._get_help_string(action) if action.default else action.help


def parse_arguments(
    arguments: list[str] | None = None, *, typed_only: bool = False
) -> argparse.Namespace:
    """The options, or only those that were typed."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0], formatter_class=_Help)
    add = parser.add_argument
    add(
        "--data",
        type=Path,
        metavar="DIR",
        help="folder of <word>/*.wav (default: Speech Commands v0.02, downloaded)",
    )
    add("--recipe", default="medium", help="name of a recipe in training/recipes/, or a TOML file")
    add(
        "--words",
        nargs="+",
        metavar="W",
        help='command words, or "all" (default: the ten usual if they are there, or all)',
    )
    add(
        "--negative",
        type=Path,
        metavar="DIR",
        help="speech without commands, of any length (default: none)",
    )
    add(
        "--noise",
        type=Path,
        metavar="DIR",
        help="more background noise, of any length (default: none)",
    )
    add(
        "--synthetic",
        type=Path,
        metavar="DIR",
        help="<word>/*.wav for training only (default: none)",
    )
    add("--epochs", type=int, help="instead of the recipe's (default: the recipe's)")
    add("--seed", type=int, help="instead of the recipe's (default: the recipe's)")
    add(
        "--start",
        type=Path,
        metavar="RUN_DIR",
        help="begin with the models of this run (default: new models)",
    )
    add(
        "--teachers",
        type=Path,
        nargs="+",
        default=[],
        metavar="RUN_DIR",
        help="learn from the mean of what the models of these runs answer, in place of what the "
        "recipe's own model answers (default: none)",
    )
    add(
        "--features",
        choices=("graph", "librosa"),
        default="graph",
        help="where features are computed: in the graph, from augmented audio, or once by librosa",
    )
    add("--device", choices=("auto", "cpu", "gpu"), default="auto", help="auto: a GPU if any")
    add(
        "--strategy",
        choices=("none", "mirrored", "multiworker"),
        default="none",
        help="spread every batch over the GPUs of this machine, or the machines of TF_CONFIG",
    )
    default = Path("runs") / time.strftime("%Y%m%d-%H%M%S")
    add("--out", type=Path, default=default, help="folder of the run, without a model in it")
    add(
        "--resume",
        action="store_true",
        help="go on with the run in --out as it was started (default: a new run)",
    )
    if typed_only:
        for action in parser._actions:
            action.default = argparse.SUPPRESS
    return parser.parse_args(arguments)


def main(arguments: list[str] | None = None) -> int:
    given = sys.argv[1:] if arguments is None else arguments
    parsed = parse_arguments(given)
    parsed.given = given
    try:
        return run(parsed)
    except KeyboardInterrupt:
        return 130
    except (OSError, MemoryError) as error:
        print(f"train.py: {error}", file=sys.stderr)
        return 2


def run(parsed: argparse.Namespace) -> int:
    """Read, train, report; returns the exit code."""
    from speechgru.modelfile import ModelError
    from training.clips.errors import DataError
    from training.data.errors import DownloadError
    from training.loop.checkpoint import CheckpointError
    from training.loop.devices import DeviceError
    from training.loop.fit import TrainingError
    from training.recipes.recipe import RecipeError

    try:
        if parsed.resume:
            parsed = as_started(parsed)
        return prepared(parsed)
    except (
        CheckpointError,
        DataError,
        DeviceError,
        DownloadError,
        ModelError,
        RecipeError,
        TrainingError,
    ) as error:
        print(f"train.py: {error}", file=sys.stderr)
        return 2


def as_started(parsed: argparse.Namespace) -> argparse.Namespace:
    """The options with which the run in `--out` was started.

    Raises:
        CheckpointError: there is no run, or another option is given as well.
    """
    from training.loop.checkpoint import CheckpointError

    path = parsed.out / RUN
    try:
        started = json.loads(path.read_text(encoding="utf-8"))
        options, command = started["options"], started["command"]
        options.setdefault("teachers", [])  # there were none once
        if options.keys() != vars(parsed).keys() - {"given", "out", "resume"}:
            raise ValueError(f"options {', '.join(options)}")
        paths = {name: Path(value) for name, value in options.items() if name in PATHS and value}
        paths["teachers"] = [Path(value) for value in options["teachers"]]
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise CheckpointError(f"{path}: expected how the run was started, found {error}") from error
    typed = vars(parse_arguments(parsed.given, typed_only=True)).keys() - {"out", "resume"}
    if typed:
        raise CheckpointError(
            f"--resume takes every option but --out from {path}; found --{min(typed)} as well"
        )
    recipe = str(parsed.out / "recipe.json")  # epochs and seed in it, whatever its source is now
    own = {**options, **paths, "recipe": recipe, "epochs": None, "seed": None}
    return argparse.Namespace(**own, out=parsed.out, resume=True, given=command)


def prepared(parsed: argparse.Namespace) -> int:
    """Lay out the run that the arguments describe, train it and report."""
    from training.clips.errors import DataError
    from training.data.official_release import default_cache, speech_commands
    from training.data.task import make_task
    from training.loop.devices import choose_device, choose_strategy, has_bfloat16, is_chief
    from training.loop.fit import train
    from training.loop.librosa_features import librosa_log_mel, with_silence
    from training.loop.report import report
    from training.loop.step import Trainer
    from training.loop.trained_model import load_trained
    from training.output.atomic_files import write_text
    from training.recipes.recipe import RecipeError, load_recipe

    out = parsed.out
    recipe = load_recipe(parsed.recipe)
    given = {name: getattr(parsed, name) for name in ("epochs", "seed")}
    try:
        recipe = dataclasses.replace(recipe, **{k: v for k, v in given.items() if v is not None})
    except ValueError as error:
        raise RecipeError(str(error)) from error
    for folder in () if parsed.resume else recipe.folders(out):
        if (folder / "model.keras").exists() or (folder / RUN).exists():
            raise DataError(
                f"{folder}: expected a new folder, found a run; --resume goes on with it"
            )
    gpu = choose_device(parsed.device)
    strategy = choose_strategy(parsed.strategy)
    writes = is_chief(strategy)
    start, earlier, start_folders = None, None, []
    for folder in (*([parsed.start] if parsed.start else []), *parsed.teachers):
        if folder.is_file():
            raise RecipeError(f"{folder}: expected the folder of a run, found a file")
    with strategy.scope():
        teachers = [load_trained(folder) for folder in parsed.teachers]
    for folder, (model, _) in zip(parsed.teachers, teachers, strict=True):
        found = model.get_layer("mfcc").config
        if found != recipe.front_end:
            raise RecipeError(f"{folder}: expected a model with {recipe.front_end}, found {found}")
    if parsed.start:
        presets = (recipe.preset, *recipe.students)
        start_folders = [
            own if (own := parsed.start / preset).is_dir() else parsed.start for preset in presets
        ]
        with strategy.scope():
            loaded = [
                load_start(folder, preset, recipe)
                for folder, preset in zip(start_folders, presets, strict=True)
            ]
        start, earlier = [model for model, _ in loaded], loaded[0][1]
    sources = [(parsed.start, earlier)] if earlier else []
    sources += zip(parsed.teachers, (metrics for _, metrics in teachers), strict=True)
    data = parsed.data or speech_commands()
    task = make_task(
        data,
        words=parsed.words,
        negative=parsed.negative,
        noise=parsed.noise,
        synthetic=parsed.synthetic,
        synthetic_weight=recipe.synthetic_weight,
        synthetic_share=recipe.synthetic_share,
        seed=recipe.seed,
        spliced_share=recipe.spliced_share,
    )
    for folder, metrics in sources:
        if tuple(metrics["labels"]) != task.labels:
            raise DataError(
                f"{folder}: expected a model of {' '.join(task.labels)}, "
                f"found one of {' '.join(metrics['labels'])}"
            )
    lists = json.dumps({"labels": task.labels, **task.lists}, indent=0)
    settings = json.dumps(dataclasses.asdict(recipe), indent=1)
    if parsed.resume and (out / "task.json").read_bytes() != lists.encode():
        raise DataError(f"{data}: expected the clips of {out / 'task.json'}, found others")
    identity = hashlib.blake2b((settings + lists).encode())
    identity.update(task.clips)
    for folder in (*start_folders, *parsed.teachers):
        identity.update((folder / "model.keras").read_bytes())
    if writes:
        out.mkdir(parents=True, exist_ok=True)
        write_text(out / "task.json", lists)
        write_text(out / "passed_over.txt", "".join(f"{p}: {why}\n" for p, why in task.skipped))
    if writes and not parsed.resume:
        options = {k: v for k, v in vars(parsed).items() if k not in ("given", "out", "resume")}
        options |= {k: str(options[k].resolve()) for k in PATHS if options[k]}
        options["teachers"] = [str(folder.resolve()) for folder in options["teachers"]]
        started = {"command": parsed.given, "options": options, "git": git_revision()}
        write_text(out / "recipe.json", settings)
        write_text(out / RUN, json.dumps(started, indent=1))
    print(f"training on {task.summary}; validating on {len(task.targets)} clips")
    print(f"labels: {' '.join(task.labels)}")
    if teachers:
        print(f"taught by {' and '.join(map(str, parsed.teachers))}")
    elif recipe.students:
        print(f"taught by labels alone, {' and '.join(recipe.students)} by {recipe.preset} too")
    log_mel = None
    if parsed.features == "librosa":
        print("features by librosa, of the clips as they are: speech is not augmented")
        task = with_silence(task, recipe)
        log_mel = librosa_log_mel(task.clips, recipe.front_end, default_cache() / "features")
    trainer = Trainer(
        task,
        recipe,
        start,
        strategy=strategy,
        teachers=[model for model, _ in teachers],
        mixed=has_bfloat16(gpu),
        log_mel=log_mel,
    )
    interrupted = train(trainer, out, writes, identity.hexdigest())
    commands = [command for _, metrics in sources for command in metrics.get("commands", [])]
    commands.append("python training/train.py " + shlex.join(parsed.given))
    if writes:
        report(trainer, data, list(dict.fromkeys(commands)), out, earlier)
    print(out)
    return 130 if interrupted else 0


def git_revision() -> str | None:
    """The commit of this clone, with "+" if files differ from it; None outside of one."""
    command = ["git", "-C", str(ROOT), "describe", "--always", "--abbrev=40", "--dirty=+"]
    try:
        return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()
    except (OSError, subprocess.CalledProcessError):
        return None


def load_start(folder: Path, preset: str, recipe: Any) -> tuple[Any, dict[str, Any]]:
    """Model and metrics of an earlier run, if it has the preset and the recipe's front end."""
    from training.loop.teachers import build
    from training.loop.trained_model import load_trained
    from training.recipes.recipe import RecipeError

    model, metrics = load_trained(folder)
    try:
        earlier = {k: metrics[k] for k in ("labels", "commands", "epochs", "training_seconds")}
        earlier["labels"] = tuple(earlier["labels"])
    except (KeyError, TypeError) as error:
        raise RecipeError(f"{folder}: expected the folder of a run: {error!r}") from error
    front_end = model.get_layer("mfcc").config
    expected = build(preset, earlier["labels"], recipe.front_end)
    if front_end != recipe.front_end or _sizes(model) != _sizes(expected):
        raise RecipeError(
            f"{folder}: expected a model of preset {preset} with the recipe's front end, "
            f"found {model.name} with {front_end}"
        )
    return model, earlier


def _sizes(model: Any) -> list[Any]:
    outputs = [(layer.name, layer.output.shape) for layer in model.layers]
    return [*outputs, *(weight.shape for weight in model.weights)]


if __name__ == "__main__":
    sys.exit(main())
