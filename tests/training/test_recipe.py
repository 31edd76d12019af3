"""Recipes: every file in the repository is good, and a bad one is refused by name."""

import pytest

from speechgru import MFCCConfig
from training.recipes.recipe import RECIPES, RecipeError, load_recipe


@pytest.mark.parametrize("path", sorted(RECIPES.glob("*.toml")), ids=lambda p: p.stem)
def test_every_recipe_of_the_repository_loads_and_names_its_command(path):
    assert load_recipe(path.stem) == load_recipe(str(path))
    assert f"#     python training/train.py --recipe {path.stem} " in path.read_text()


def test_a_recipe_may_set_the_front_end_and_the_augmentation(tmp_path):
    path = tmp_path / "mine.toml"
    path.write_text(
        "learning_rate = 1\n[front_end]\nn_mfcc = 20\n[augment]\nsnr_db = [0, 10]\n",
    )
    recipe = load_recipe(str(path))
    assert recipe.front_end == MFCCConfig(n_mfcc=20)
    assert recipe.augment.snr_db == (0.0, 10.0)
    assert recipe.learning_rate == 1.0


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("epoch = 3", "unknown key 'epoch'"),
        ("preset = 'small'\nstudents = ['small']", "`students` must be presets other than 'small'"),
        ("students = ['huge']", "`students` must be presets"),
        ("students = 'small'", "'students' must be of type tuple"),
        ("students = [1]", "'students' must be a list of strings"),
        ("teaching = 1.5", "`teaching` must be from 0 to 1: 1.5"),
        ("[augment]\npitch = 1", "unknown key 'augment.pitch'"),
        ("epochs = 'three'", "'epochs' must be of type int: 'three'"),
        ("epochs = true", "'epochs' must be of type int: True"),
        ("epochs = 0", "`epochs` must be at least 1"),
        ("preset = 'huge'", "`preset` must be one of small, medium, large"),
        ("[augment]\ntelephone_share = 1.5", "`augment.telephone_share` is out of range: 1.5"),
        ("[augment]\nmixup_share = -0.1", "`augment.mixup_share` is out of range: -0.1"),
        ("[augment]\nmixup_alpha = 0", "`augment.mixup_alpha` must be at least 0.05: 0"),
        ("[augment]\nspeed = 0.6", "`augment.speed` must be at most 0.5: 0.6"),
        ("augment = 3", "'augment' must be of type Augment"),
        ("[augment]\nsnr_db = [1]", "'augment.snr_db' must be 2 numbers"),
        ("[front_end]\nn_fft = 600", "`n_fft` must be"),
        ("epochs =", "Invalid value"),
    ],
)
def test_a_bad_recipe_is_refused_by_file_and_key(text, message, tmp_path):
    path = tmp_path / "bad.toml"
    path.write_text(text)
    with pytest.raises(RecipeError, match=message) as caught:
        load_recipe(str(path))
    assert str(path) in str(caught.value)


def test_an_unknown_recipe_names_the_known_ones():
    with pytest.raises(RecipeError, match=r"no recipe 'enormous': .* medium"):
        load_recipe("enormous")
