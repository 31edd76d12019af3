"""A task, recipes and a runner for the tests of the training loop."""

import dataclasses
import json

import pytest

from training.data.task import make_task
from training.recipes.recipe import load_recipe

PLAIN_RECIPE = """
preset = "small"
state_carry_probability = 1
epochs = 2
steps = 10
batch_size = 16
silence_share = 0
[augment]
shift_ms = 0
speed_share = 0
noise_share = 0
reverb_share = 0
band_limit_share = 0
telephone_share = 0
eq_db = 0
gain_db = [0, 0]
time_masks = 0
mel_masks = 0
"""


@pytest.fixture(scope="session", autouse=True)
def tasks_have_short_noises(short_noises):
    pass


@pytest.fixture(scope="session")
def task(word_folder):
    """The task of `word_folder` with the commands yes and no."""
    return make_task(
        word_folder,
        words=["yes", "no"],
        negative=(),
        synthetic=None,
        synthetic_weight=0.2,
        synthetic_share=0.0,
        seed=0,
    )


@pytest.fixture(scope="session")
def recipe(recipe_file):
    """The recipe that learns `word_folder` in seconds."""
    return load_recipe(str(recipe_file))


@pytest.fixture(scope="session")
def family_recipe(recipe):
    """The same with a student."""
    return dataclasses.replace(recipe, students=("medium",))


@pytest.fixture
def family_file(recipe_file, tmp_path):
    """The file of a recipe with a student."""
    path = tmp_path / "family.toml"
    path.write_text('students = ["medium"]\n' + recipe_file.read_text())
    return path


@pytest.fixture
def short_family_file(family_file):
    """The same with epochs of a few steps, too short to learn."""
    family_file.write_text(family_file.read_text().replace("steps = 40", "steps = 4"))
    return family_file


@pytest.fixture
def plain_file(tmp_path):
    """The file of a recipe without augmentation."""
    path = tmp_path / "plain.toml"
    path.write_text(PLAIN_RECIPE)
    return path


@pytest.fixture
def read_json():
    """Read a JSON file."""
    return lambda path: json.loads(path.read_text())
