"""Recipes: the settings of a training run, read from TOML files and checked.

This module does not need TensorFlow.
"""

import dataclasses
import difflib
import json
import math
import tomllib
from pathlib import Path
from typing import Annotated, Any, Literal, get_args

from pydantic import Field, PlainValidator, TypeAdapter, ValidationError, model_validator
from pydantic.dataclasses import dataclass

from speechgru.architectures import (
    HOP_FRAMES,
    MAX_WINDOW_SECONDS,
    WINDOW_SECONDS,
    window_samples,
)
from speechgru.audio import SAMPLE_RATE
from speechgru.errors import SpeechGRUError
from speechgru.features import MFCCConfig
from training.augmentation.settings import CHECKED, Augment, Share
from training.output.script import one_line

RECIPES = Path(__file__).parent
Preset = Literal["small", "medium", "large", "convolutions", "residual"]
PRESETS: tuple[Preset, ...] = get_args(Preset)
CLIP_PRESETS = ("convolutions", "residual")  # they cannot run on a stream
RENAMED = {"carried_share": "state_carry_probability"}
MAX_BYTES = 1 << 20  # of a recipe file
MAX_STEPS = 2**31 - 1  # in a run: TensorFlow counts them in int32


class RecipeError(SpeechGRUError, ValueError):
    """A recipe that cannot be used. The message names the file and the key."""


def _window_seconds(value: Any) -> float | Literal["auto"]:
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    if is_number and WINDOW_SECONDS <= value <= MAX_WINDOW_SECONDS:
        return float(value)
    if value == "auto":
        return "auto"
    raise ValueError(f'expected {WINDOW_SECONDS:g} to {MAX_WINDOW_SECONDS:g} seconds or "auto"')


WindowSeconds = Annotated[float | Literal["auto"], PlainValidator(_window_seconds)]
BatchSize = Annotated[int, Field(ge=1, le=16_384)]
BelowHalf = Annotated[float, Field(ge=0, lt=0.5)]


@dataclass(frozen=True, kw_only=True, config=CHECKED)
class Recipe:
    """Settings of a training run.

    Args:
        preset: the model: a preset of `speechgru.build_model`, or a teacher of
            `training/loop/teachers.py` ("convolutions", "residual").
        students: presets that are trained in the same steps, on the same clips.
        teaching: weight of the teacher's probabilities in the students' targets; the labels have
            the rest.
        epochs: number of epochs. The model of the last one is saved.
        steps: batches in an epoch.
        batch_size: clips in a batch.
        gpu_batch_size: clips in a batch with `--batch auto` on a GPU. `with_batch_size` scales the
            other settings.
        learning_rate: highest learning rate of AdamW. It rises to this over the first 500 steps
            and falls to zero along a cosine.
        weight_decay: weight decay of AdamW.
        clip_norm: greatest norm of all gradients of a model together.
        average: momentum of an exponential moving average of the weights; 0 disables it.
        label_smoothing: probability that targets spread over all labels.
        unknown_share: share of "unknown" in each batch.
        silence_share: share of "silence" in each batch. Commands share the rest equally.
        spliced_share: share of "unknown" that joins the halves of two commands.
        negative_share: share of negative speech in what is drawn of "unknown", if there is any.
        synthetic_weight: how often a synthetic clip is drawn for each time a real one is.
        synthetic_share: least share of synthetic clips in what is drawn of a label.
        state_carry_probability: probability that a clip starts from the state that a clip of the
            step before left, as in a stream; the others start from zeros.
        window_seconds: length of a clip and of the audio that the model takes, 1 to 3 seconds;
            "auto": 1, or the next of 1.2, 1.4, ... into which 95 % of the words fit.
        scene_seconds: seconds in a scene. Above 1, batches are scenes of several clips instead of
            single clips, and the networks learn to detect commands in streams.
        stream_weight: weight of what a network pays in a scene for missed and wrong commands.
        seed: seed of all random draws.
        front_end: settings of the MFCC front end.
        augment: settings of the augmentation.

    Raises:
        pydantic.ValidationError: a value is outside its limits. It is a ``ValueError``.
    """

    preset: Preset = "medium"
    students: tuple[Preset, ...] = ()
    teaching: Share = 0.8
    epochs: Annotated[int, Field(ge=1)] = 40
    steps: Annotated[int, Field(ge=1)] = 400
    batch_size: BatchSize = 128
    gpu_batch_size: BatchSize = 512
    learning_rate: Annotated[float, Field(gt=0, le=1)] = 2e-3
    weight_decay: Share = 1e-2
    clip_norm: Annotated[float, Field(gt=0, le=1e6)] = 1.0
    average: Annotated[float, Field(ge=0, lt=1)] = 0.0
    label_smoothing: BelowHalf = 0.0
    unknown_share: BelowHalf = 0.2
    silence_share: BelowHalf = 0.06
    spliced_share: BelowHalf = 0.1
    negative_share: Share = 0.25
    synthetic_weight: Annotated[float, Field(ge=0, le=1000)] = 0.15
    synthetic_share: BelowHalf = 0.2
    state_carry_probability: Share = 0.5
    window_seconds: WindowSeconds = "auto"
    scene_seconds: Annotated[int, Field(ge=1, le=30)] = 1
    stream_weight: Annotated[float, Field(ge=0, le=100)] = 0.5
    seed: Annotated[int, Field(ge=0, lt=2**31 - 1)] = 0
    front_end: MFCCConfig = MFCCConfig()
    augment: Augment = Augment()

    @property
    def windows(self) -> tuple[int, ...]:
        """The windows to choose from, in samples, ascending: one unless `window_seconds` is "auto".

        Those of "auto" are whole numbers of hops.
        """
        if self.window_seconds != "auto":
            return (window_samples(self.window_seconds, self.front_end),)
        hop = HOP_FRAMES * self.front_end.hop_length
        longest = int(MAX_WINDOW_SECONDS * SAMPLE_RATE) // hop * hop
        tenths = range(10, 31, 2)
        windows = (min(-(-n * SAMPLE_RATE // 10 // hop) * hop, longest) for n in tenths)
        return tuple(dict.fromkeys(windows))

    @model_validator(mode="after")
    def _check_together(self) -> "Recipe":
        """Check what depends on several values.

        Raises:
            ValueError: the message starts with the key.
        """
        if len({self.preset, *self.students}) <= len(self.students):
            raise ValueError(
                f"`students`: expected presets that differ from the preset {self.preset!r} and "
                f"from each other, found {list(self.students)}"
            )
        if self.epochs * self.steps > MAX_STEPS:
            raise ValueError(
                f"`epochs`: expected at most {MAX_STEPS // self.steps} with {self.steps} steps, "
                f"found {self.epochs}"
            )
        shares = self.negative_share, self.synthetic_share, self.spliced_share
        if sum(shares) > 0.95:
            raise ValueError(
                "`spliced_share`: expected at most 0.95 together with `negative_share` and "
                f"`synthetic_share`, found {sum(shares):g}"
            )
        if self.scene_seconds > 1:
            self._check_scenes()
        _check_front_end(self.front_end)
        self._check_window()
        for key, limit in (
            ("time_mask_frames", self.front_end.frames(SAMPLE_RATE)),
            ("mel_mask_bands", self.front_end.n_mels),
        ):
            if (found := getattr(self.augment, key)) > limit:
                raise ValueError(
                    f"`augment.{key}`: expected at most {limit}, the size of the spectrogram of "
                    f"one second, found {found}"
                )
        return self

    def _check_window(self) -> None:
        try:
            _ = self.windows
        except ValueError as error:
            raise ValueError(f"`window_seconds`: {error}") from None

    def _check_scenes(self) -> None:
        if self.preset in CLIP_PRESETS:
            raise ValueError(
                f"`scene_seconds`: expected 1 with the preset {self.preset!r}, which takes single "
                f"clips, found {self.scene_seconds}"
            )
        if self.augment.mixup_share:
            raise ValueError(
                f"`augment.mixup_share`: expected 0 with scenes, found {self.augment.mixup_share}"
            )


def _check_front_end(front_end: MFCCConfig) -> None:
    """Check a front end against what the presets can take.

    Raises:
        ValueError: the message starts with the key.
    """
    for key, least, most in (
        ("sample_rate", SAMPLE_RATE, SAMPLE_RATE),
        ("hop_length", SAMPLE_RATE // 200, SAMPLE_RATE // 10),  # 10 to 200 frames a second
        ("n_fft", 64, 8192),
        ("n_mels", 9, 256),
        ("n_mfcc", 9, 256),  # two convolutions leave nothing of fewer
    ):
        found = getattr(front_end, key)
        if not least <= found <= most:
            expected = f"{least}" if least == most else f"{least} to {most}"
            raise ValueError(f"`front_end.{key}`: expected {expected}, found {_shown(found)}")


def load_recipe(name_or_path: str) -> Recipe:
    """Read a recipe.

    Args:
        name_or_path: a name in `training/recipes/`, or the path of a TOML file or of the
            `recipe.json` of a run.

    Raises:
        RecipeError: there is no such recipe, or it has an unknown key or a value outside its
            limits.
    """
    path = RECIPES / f"{name_or_path}.toml"
    try:
        if not path.is_file():
            path = Path(name_or_path)
        if not path.is_file():
            raise RecipeError(_not_found(name_or_path))
        with open(path, "rb") as file:
            content = file.read(MAX_BYTES + 1)
    except OSError as error:
        raise RecipeError(f"no recipe {_shown(name_or_path)}: {error.strerror}") from error
    try:
        return _build(_parse(content, is_json=path.suffix.lower() == ".json"))
    except ValidationError as error:
        raise RecipeError(f"{path}: {_describe(error)}") from error
    except (ValueError, ArithmeticError, RecursionError) as error:
        raise RecipeError(f"{path}: {error}") from error


def override(recipe: Recipe, **options: int | None) -> Recipe:
    """Return a recipe with values from the command line in place of its own.

    Args:
        recipe: the recipe.
        **options: values by key; None leaves the recipe's.

    Raises:
        RecipeError: a value is outside its limits; the message names the option.
    """
    given: dict[str, Any] = {key: value for key, value in options.items() if value is not None}
    try:
        return dataclasses.replace(recipe, **given)
    except ValidationError as error:
        message = _describe(error)
        key = next((key for key in given if message.startswith(f"`{key}`")), None)
        raise RecipeError(message.replace(f"`{key}`", f"--{key}", 1)) from error


def with_batch_size(recipe: Recipe, batch_size: int) -> Recipe:
    """Return a recipe with another batch size that trains on as many clips, equally well.

    With batches that are k times as large, an epoch has a kth of the steps. The learning rate and
    the weight decay grow by the square root of k (Malladi 2022, arXiv:2205.10287, for Adam; the
    product of both, by which a step shrinks the weights, then grows by k).

    Args:
        recipe: the recipe.
        batch_size: clips in a batch.

    Raises:
        RecipeError: a value is outside its limits; the message names `--batch`.
    """
    factor = batch_size / recipe.batch_size
    try:
        return dataclasses.replace(
            recipe,
            batch_size=batch_size,
            steps=max(1, round(recipe.steps / factor)),
            learning_rate=recipe.learning_rate * math.sqrt(factor),
            weight_decay=recipe.weight_decay * math.sqrt(factor),
        )
    except (ValidationError, ArithmeticError) as error:
        reason = _describe(error) if isinstance(error, ValidationError) else str(error)
        raise RecipeError(f"--batch {batch_size}: {reason}") from error


def _not_found(name_or_path: str) -> str:
    known = ", ".join(sorted(path.stem for path in RECIPES.glob("*.toml")))
    path = Path(name_or_path)
    found = "a folder" if path.is_dir() else "no file" if path.exists() else "nothing"
    return f"no recipe {name_or_path!r}: expected a TOML file or one of {known}, found {found}"


def _parse(content: bytes, *, is_json: bool) -> Any:
    if len(content) > MAX_BYTES:
        raise ValueError(f"expected a recipe of at most {MAX_BYTES:,} bytes, found more")
    try:
        text = content.decode("utf-8-sig").replace("\r\n", "\n")
        return json.loads(text, object_pairs_hook=_unique) if is_json else tomllib.loads(text)
    except (ValueError, RecursionError) as error:
        kind = "JSON" if is_json else "TOML"
        raise ValueError(f"expected {kind}, found: {error}") from error


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    values = dict(pairs)
    if len(values) < len(pairs):
        raise ValueError("a key twice in one object")
    return values


def _build(values: Any) -> Recipe:
    # From JSON, pydantic takes lists for tuples and objects for dataclasses, and is strict else.
    try:
        text = json.dumps(values, default=str)
    except ValueError as error:  # a hexadecimal number of more than 4300 decimal digits
        key = next(key for key, value in values.items() if _shown(value) == TOO_LONG)
        raise ValueError(f"`{key}`: expected a shorter number, found {TOO_LONG}") from error
    return TypeAdapter(Recipe).validate_json(text)


TOO_LONG = "a value that is too long to show"
EXPECTED = {  # by pydantic's type of the error
    "int_type": "a whole number",
    "float_type": "a number",
    "finite_number": "a finite number",
    "greater_than": "more than {gt}",
    "greater_than_equal": "at least {ge}",
    "less_than": "less than {lt}",
    "less_than_equal": "at most {le}",
    "literal_error": "one of {expected}",
    "tuple_type": "a list",
    "missing": "a list of two numbers",
    "too_long": "a list of two numbers",
    "dataclass_type": "a table",
}


def _describe(error: ValidationError) -> str:
    """Return the first of pydantic's errors as "`key`: expected ..., found ..."."""
    first = error.errors(include_url=False)[0]
    keys = [part for part in first["loc"] if isinstance(part, str)]
    found = _shown(first["input"])
    if first["type"] == "unexpected_keyword_argument":
        return _describe_unknown(keys)
    if first["type"] != "value_error":
        values = {**first.get("ctx", {}), "msg": first["msg"]}
        reason = "expected " + EXPECTED.get(first["type"], "{msg}").format_map(values)
    else:
        reason = str(first["ctx"]["error"])
        if not keys:  # `_check_together` names the key
            return reason
    where = f"`{'.'.join(keys)}`: " if keys else ""
    return f"{where}{reason}" + ("" if "Received" in reason else f", found {found}")


def _describe_unknown(keys: list[str]) -> str:
    tables = {"": Recipe, "front_end.": MFCCConfig, "augment.": Augment}
    names = {table: [f.name for f in dataclasses.fields(kind)] for table, kind in tables.items()}
    *parents, key = keys
    own = "".join(f"{parent}." for parent in parents)
    elsewhere = [table + key for table, known in names.items() if key in known]
    close = [own + name for name in difflib.get_close_matches(key, names[own], 1)]
    renamed = [RENAMED[key]] if key in RENAMED else []
    for suggestion in (*renamed, *elsewhere, *close):
        return f"unknown key `{one_line(own + key)}`: did you mean `{suggestion}`?"
    return f"unknown key `{one_line(own + key)}`: expected one of {', '.join(names[own])}"


def _shown(value: Any, longest: int = 80) -> str:
    try:
        text = repr(value)
    except (ValueError, RecursionError):  # Python writes no number of more than 4300 digits
        return TOO_LONG
    return text if len(text) <= longest else f"{text[: longest - 3]}..."
