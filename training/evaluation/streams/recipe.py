"""The settings of the streams of an evaluation, read from a TOML file and checked."""

import json
import tomllib
from pathlib import Path
from typing import Annotated

from pydantic import Field, TypeAdapter, ValidationError
from pydantic.dataclasses import dataclass

from training.augmentation.settings import CHECKED
from training.recipes.recipe import MAX_BYTES, RecipeError

Seconds = Annotated[float, Field(ge=0, le=60)]


@dataclass(frozen=True, kw_only=True, config=CHECKED)
class StreamRecipe:
    """What the streams consist of. The same recipe and clips give the same streams.

    Args:
        pause_seconds: shortest and longest pause from the end of a word to the next word.
        snrs: signal-to-noise ratios of the streams of words, in dB. There is one in quiet, too.
        words_per_stream: words in a stream of words; each stream starts anew.
        noise_minutes: length of the stream of noise alone. 0: no such stream.
        late_seconds: a detection belongs to a word until so long after its end, or until the next
            word begins.
        seed: seed of all random draws.

    Raises:
        pydantic.ValidationError: a value is outside its limits. It is a ``ValueError``.
    """

    pause_seconds: tuple[Seconds, Seconds] = (1.0, 2.0)
    snrs: Annotated[tuple[Annotated[int, Field(ge=-30, le=60)], ...], Field(max_length=20)] = (
        *(20, 10, 0),
    )
    words_per_stream: Annotated[int, Field(ge=1, le=10_000)] = 100
    noise_minutes: Annotated[float, Field(ge=0, le=600)] = 20.0
    late_seconds: Seconds = 1.0
    seed: Annotated[int, Field(ge=0, lt=2**31 - 1)] = 0

    def __post_init__(self) -> None:
        if self.pause_seconds[0] > self.pause_seconds[1]:
            raise ValueError("`pause_seconds`: expected the shortest pause first")


def load_stream_recipe(path: Path) -> StreamRecipe:
    """Read a recipe of streams from a TOML file.

    Raises:
        RecipeError: the file is not a recipe of streams; the message names the file and the key.
        OSError: the file cannot be read.
    """
    with open(path, "rb") as file:
        content = file.read(MAX_BYTES + 1)
    try:
        if len(content) > MAX_BYTES:
            raise ValueError(f"expected a recipe of at most {MAX_BYTES:,} bytes, found more")
        values = tomllib.loads(content.decode("utf-8-sig"))
        # From JSON, pydantic takes lists for tuples, and is strict else.
        return TypeAdapter(StreamRecipe).validate_json(json.dumps(values, default=str))
    except ValidationError as error:
        raise RecipeError(f"{path}: {_describe(error)}") from error
    except (ValueError, RecursionError) as error:
        raise RecipeError(f"{path}: expected TOML, found: {error}") from error


def _describe(error: ValidationError) -> str:
    first = error.errors(include_url=False)[0]
    key = ".".join(map(str, first["loc"]))
    if first["type"] == "unexpected_keyword_argument":
        return f"unknown key `{key}`"
    reason = str(first["ctx"]["error"]) if first["type"] == "value_error" else first["msg"]
    return f"`{key}`: {reason}, found {first['input']!r}"[:300] if key else reason
