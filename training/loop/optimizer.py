"""The optimizer: AdamW with warm-up, cosine decay and an optional average of the weights."""

import keras

from training.recipes.recipe import Recipe

WARM_UP_STEPS = 500


def make_optimizer(recipe: Recipe) -> keras.optimizers.Optimizer:
    """Make the optimizer of a run (AdamW: Loshchilov & Hutter 2019, arXiv:1711.05101).

    The learning rate rises to the recipe's over the first 500 steps, or the first tenth of a
    shorter run, and then falls to zero as a cosine. Biases have no weight decay.
    """
    total = recipe.epochs * recipe.steps
    warm_up = min(WARM_UP_STEPS, total // 10)
    schedule = keras.optimizers.schedules.CosineDecay(
        recipe.learning_rate / 100,
        decay_steps=max(1, total - warm_up),
        warmup_target=recipe.learning_rate,
        warmup_steps=warm_up,
    )
    optimizer = keras.optimizers.AdamW(
        schedule,
        weight_decay=recipe.weight_decay,
        use_ema=recipe.average > 0,
        ema_momentum=recipe.average,
        ema_overwrite_frequency=None,
    )
    optimizer.exclude_from_weight_decay(var_names=["bias"])
    return optimizer
