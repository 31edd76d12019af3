"""The optimizer: AdamW with warm-up, cosine decay and an optional average of the weights."""

from collections.abc import Sequence
from typing import Any

import keras

from training.recipes.recipe import Recipe

WARM_UP_STEPS = 500


def make_optimizer(recipe: Recipe, restarts: Sequence[int] = ()) -> keras.optimizers.Optimizer:
    """Make the optimizer of a run (AdamW: Loshchilov & Hutter 2019, arXiv:1711.05101).

    The learning rate rises to the recipe's over the first 500 steps, or the first tenth of a
    shorter run, and then falls to zero as a cosine. Biases have no weight decay.

    Args:
        recipe: the recipe.
        restarts: the epochs before which the learning rate has fallen to zero and rises anew,
            in the same way. Default: none.
    """
    begins = [0, *restarts]
    ends = [*restarts, recipe.epochs]
    cosines = [
        _cosine(recipe, (end - begin) * recipe.steps)
        for begin, end in zip(begins, ends, strict=True)
    ]
    schedule = Restarts(cosines, [begin * recipe.steps for begin in begins])
    optimizer = keras.optimizers.AdamW(
        schedule if restarts else cosines[0],
        weight_decay=recipe.weight_decay,
        use_ema=recipe.average > 0,
        ema_momentum=recipe.average,
        ema_overwrite_frequency=None,
    )
    optimizer.exclude_from_weight_decay(var_names=["bias"])
    return optimizer


class Restarts(keras.optimizers.schedules.LearningRateSchedule):  # type: ignore[misc]
    """Learning rates one after another.

    Args:
        schedules: the schedules.
        begins: the step of the run in which each begins.
    """

    def __init__(
        self, schedules: Sequence[keras.optimizers.schedules.CosineDecay], begins: Sequence[int]
    ) -> None:
        self.schedules, self.begins = schedules, begins

    def __call__(self, step: Any) -> Any:
        rate = self.schedules[0](step)
        for schedule, begin in zip(self.schedules[1:], self.begins[1:], strict=True):
            rate = keras.ops.where(step < begin, rate, schedule(step - begin))
        return rate

    def get_config(self) -> dict[str, Any]:
        return {"schedules": self.schedules, "begins": self.begins}


def _cosine(recipe: Recipe, steps: int) -> keras.optimizers.schedules.CosineDecay:
    warm_up = min(WARM_UP_STEPS, steps // 10)
    return keras.optimizers.schedules.CosineDecay(
        recipe.learning_rate / 100,
        decay_steps=max(1, steps - warm_up),
        warmup_target=recipe.learning_rate,
        warmup_steps=warm_up,
    )
