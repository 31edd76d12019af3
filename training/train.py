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
import shlex
import sys
import time
from pathlib import Path
from typing import Any

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
sys.path.insert(0, str(Path(__file__).resolve().parents[1]))


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
    add("--start", type=Path, metavar="RUN_DIR", help="go on from the model of this run")
    default = Path("runs") / time.strftime("%Y%m%d-%H%M%S")
    add("--out", type=Path, default=default, help="folder of the run, without a model in it")
    return parser.parse_args(arguments)


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
    from training.files import write_text
    from training.recipe import RecipeError, load_recipe
    from training.trainer import Trainer, report, train

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
        start, earlier = load_start(parsed.start, recipe) if parsed.start else (None, None)
        task = make_task(
            parsed.data,
            words=parsed.words,
            negative=parsed.negative,
            synthetic=parsed.synthetic,
            synthetic_weight=recipe.synthetic_weight,
            synthetic_share=recipe.synthetic_share,
            seed=recipe.seed,
        )
        if earlier and tuple(earlier["labels"]) != task.labels:
            raise DataError(
                f"{parsed.start}: expected a model of {' '.join(task.labels)}, "
                f"found one of {' '.join(earlier['labels'])}"
            )
    except (DataError, RecipeError) as error:
        print(f"train.py: {error}", file=sys.stderr)
        return 2
    out.mkdir(parents=True, exist_ok=True)
    write_text(out / "recipe.json", json.dumps(dataclasses.asdict(recipe), indent=1))
    print(f"training on {task.summary}; validating on {len(task.answers)} clips")
    print(f"labels: {' '.join(task.labels)}")
    trainer = Trainer(task, recipe, start)
    interrupted = train(trainer, out)
    command = "python training/train.py " + shlex.join(parsed.given)
    report(trainer, parsed.data, command, out, earlier)
    print(out)
    return 130 if interrupted else 0


def load_start(folder: Path, recipe: Any) -> tuple[Any, dict[str, Any]]:
    """Model and metrics of an earlier run, if it has the architecture that the recipe asks for."""
    import keras

    import speechgru.models  # noqa: F401  registers the layers that the file names
    from training.recipe import RecipeError

    try:
        metrics = json.loads((folder / "metrics.json").read_text(encoding="utf-8"))
        model = keras.saving.load_model(folder / "model.keras")
    except Exception as error:  # Keras raises many kinds for what is no model
        reason = str(error).splitlines()[0]
        raise RecipeError(f"{folder}: expected the folder of a run: {reason}") from error
    front_end = model.get_layer("mfcc").config
    if model.name != f"speechgru_{recipe.preset}" or front_end != recipe.front_end:
        raise RecipeError(
            f"{folder}: expected a model of preset {recipe.preset} with the recipe's front end, "
            f"found {model.name} with {front_end}"
        )
    return model, metrics


if __name__ == "__main__":
    sys.exit(main())
