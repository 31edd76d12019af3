"""Recipes of streams."""

import dataclasses

import pytest

from training.evaluate import DEFAULT_STREAMS
from training.evaluation.streams.recipe import StreamRecipe, load_stream_recipe
from training.recipes.recipe import RecipeError


def test_the_file_of_the_repository_states_the_defaults():
    assert load_stream_recipe(DEFAULT_STREAMS) == StreamRecipe()


def test_a_file_may_state_some_settings(tmp_path):
    path = tmp_path / "streams.toml"
    path.write_text("snrs = [5]\nseed = 3\n")
    assert load_stream_recipe(path) == dataclasses.replace(StreamRecipe(), snrs=(5,), seed=3)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("snr = [5]", "unknown key `snr`"),
        ("snrs = [500]", "`snrs.0`"),
        ("snrs = 5", "`snrs`"),
        ("pause_seconds = [2, 1]", "expected the shortest pause first"),
        ("pause_seconds = [1, inf]", "pause_seconds"),
        ("words_per_stream = 0", "`words_per_stream`"),
        ("seed = -1", "`seed`"),
        ("seed = 1979-05-27", "`seed`"),
        ("=", "expected TOML"),
        ("\xff", "expected TOML"),
    ],
)
def test_wrong_settings_are_named(tmp_path, text, message):
    path = tmp_path / "streams.toml"
    path.write_bytes(text.encode("latin-1"))
    with pytest.raises(RecipeError) as error:
        load_stream_recipe(path)
    assert str(error.value).startswith(f"{path}: ")
    assert message in str(error.value)
