"""TODO: recipe."""

import dataclasses
import json
import math
import tomllib
from pathlib import Path
from typing import Any

from speechgru.architectures import PRESETS as MODELS
from speechgru.audio import SAMPLE_RATE
from speechgru.features import MFCCConfig
from training.augmentation.settings import Augment
from training.loop.teachers import TEACHERS

RECIPES = Path(__file__).parent
PRESETS = (*MODELS, *TEACHERS)


class RecipeError(ValueError):
    """A recipe that cannot be used; the message names the file and the key."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class Recipe:
    """Settings of a run. An epoch is `steps` batches, each drawn evenly over the words."""

    preset: str = "medium"
    epochs: int = 40
    steps: int = 400
    batch_size: int = 128
    learning_rate: float = 2e-3  # peak; warmed up over the first 500 steps, cosine decay to zero
    weight_decay: float = 1e-2
    clip_norm: float = 1.0
    label_smoothing: float = 0.0
    unknown_share: float = 0.2  # of every batch
    silence_share: float = 0.06
    spliced_share: float = 0.1  # of "unknown": halves of two commands joined
    carried_share: float = 0.5  # of the clips go on from the state that another clip has left
    students: tuple[str, ...] = ()  # presets that learn in the same steps, from the labels and,
    teaching: float = 0.8  # with this weight, from what the model answers
    average: float = 0.0  # momentum of a moving average of the weights; 0 is none
    synthetic_weight: float = 0.15  # a synthetic clip is drawn so often for each real one,
    synthetic_share: float = 0.2  # and together they are at least this share of a label
    seed: int = 0
    front_end: MFCCConfig = dataclasses.field(default_factory=MFCCConfig)
    augment: Augment = dataclasses.field(default_factory=Augment)

    def __post_init__(self) -> None:
        if self.preset not in PRESETS:
            raise ValueError(f"`preset` must be one of {', '.join(PRESETS)}: {self.preset!r}")
        presets = (self.preset, *self.students)
        if not set(presets) <= set(PRESETS) or len(set(presets)) < len(presets):
            raise ValueError(
                f"`students` must be presets other than {self.preset!r} and each other: "
                f"{list(self.students)}"
            )
        if not 0 <= self.teaching <= 1:
            raise ValueError(f"`teaching` must be from 0 to 1: {self.teaching}")
        for name in ("epochs", "steps", "batch_size"):
            if getattr(self, name) < 1:
                raise ValueError(f"`{name}` must be at least 1: {getattr(self, name)}")
        for name in ("learning_rate", "clip_norm"):
            if not 0 < getattr(self, name) < math.inf:
                raise ValueError(f"`{name}` must be greater than 0: {getattr(self, name)}")
        if not 0 <= self.carried_share <= 1:
            raise ValueError(f"`carried_share` must be from 0 to 1: {self.carried_share}")
        if not 0 <= self.average < 1:
            raise ValueError(f"`average` must be from 0 to less than 1: {self.average}")
        for name in (
            "label_smoothing",
            "unknown_share",
            "silence_share",
            "synthetic_share",
            "spliced_share",
        ):
            if not 0 <= getattr(self, name) < 0.5:
                raise ValueError(f"`{name}` must be from 0 to less than 0.5: {getattr(self, name)}")
        for name in ("weight_decay", "synthetic_weight"):
            if not 0 <= getattr(self, name) < math.inf:
                raise ValueError(f"`{name}` must be at least 0: {getattr(self, name)}")
        if self.spliced_share + self.synthetic_share > 0.7:  # a quarter is negative speech
            raise ValueError(
                "`spliced_share` and `synthetic_share` must be at most 0.7 together: "
                f"{self.spliced_share} and {self.synthetic_share}"
            )
        if not 0 <= self.seed < 2**31 - 1:
            raise ValueError(f"`seed` must be from 0 to less than 2**31 - 1: {self.seed}")
        if self.front_end.sample_rate != SAMPLE_RATE:
            raise ValueError(
                f"`front_end.sample_rate` must be {SAMPLE_RATE}: {self.front_end.sample_rate}"
            )

    def folders(self, out: Path) -> list[Path]:
        """The folder of a run's model, then those of its students."""
        return [out, *(out / student for student in self.students)]


def load_recipe(name_or_path: str) -> Recipe:
    """Read a recipe by name from `training/recipes/` or by path; a run's `recipe.json` is one too.

    Raises:
        RecipeError: no such recipe, not TOML, an unknown key or a value that does not fit.
    """
    path = RECIPES / f"{name_or_path}.toml"
    if not path.is_file():
        path = Path(name_or_path)
    if not path.is_file():
        known = ", ".join(sorted(p.stem for p in RECIPES.glob("*.toml")))
        raise RecipeError(f"no recipe {name_or_path!r}: expected a TOML file or one of {known}")
    try:
        text = path.read_text(encoding="utf-8")
        values = json.loads(text) if path.suffix == ".json" else tomllib.loads(text)
        return _build(Recipe, values)
    except (ValueError, TypeError, AttributeError) as error:
        raise RecipeError(f"{path}: {error}") from error


def _build(kind: type, values: dict[str, Any], where: str = "") -> Any:
    """A dataclass from a table, each value of the type of the field's default."""
    fields = {field.name: field for field in dataclasses.fields(kind)}
    built = {}
    for key, value in values.items():
        if key not in fields:
            raise ValueError(f"unknown key {where + key!r}; expected one of {', '.join(fields)}")
        expected = getattr(kind(), key)
        if dataclasses.is_dataclass(expected) and isinstance(value, dict):
            value = _build(type(expected), value, f"{key}.")
        elif isinstance(expected, float) and type(value) in (int, float):
            value = float(value)
        elif expected == () and isinstance(value, list):
            if not all(isinstance(v, str) for v in value):
                raise ValueError(f"{where + key!r} must be a list of strings: {value!r}")
            value = tuple(value)
        elif isinstance(expected, tuple) and isinstance(value, list):
            if len(value) != len(expected) or any(type(v) not in (int, float) for v in value):
                raise ValueError(f"{where + key!r} must be {len(expected)} numbers: {value!r}")
            value = tuple(float(v) for v in value)
        elif type(value) is not type(expected):
            kind_name = type(expected).__name__
            raise ValueError(f"{where + key!r} must be of type {kind_name}: {value!r}")
        built[key] = value
    return kind(**built)
