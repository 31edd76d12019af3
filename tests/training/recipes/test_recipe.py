"""Tests of training/recipes/recipe.py."""

import dataclasses
import json
import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from speechgru import MFCCConfig
from training.recipes.recipe import (
    PRESETS,
    RECIPES,
    Recipe,
    RecipeError,
    load_recipe,
    override,
    with_batch_size,
)

HUGE = "0x" + "f" * 5000


@pytest.mark.parametrize("path", sorted(RECIPES.glob("*.toml")), ids=lambda p: p.stem)
def test_every_recipe_of_the_repository_loads_and_names_its_command(path):
    assert load_recipe(path.stem) == load_recipe(str(path))
    assert f"#     python training/train.py --recipe {path.stem} " in path.read_text()


def test_presets_are_those_of_the_models_and_the_teachers():
    from speechgru.architectures import PRESETS as MODELS
    from training.loop.teachers import TEACHERS

    assert (*MODELS, *TEACHERS) == PRESETS


def test_a_recipe_may_set_the_front_end_and_the_augmentation(tmp_path):
    path = tmp_path / "mine.toml"
    path.write_text(
        "learning_rate = 1\n[front_end]\nn_mfcc = 20\n[augment]\nsnr_db = [0, 10]\n",
    )
    recipe = load_recipe(str(path))
    assert recipe.front_end == MFCCConfig(n_mfcc=20)
    assert type(recipe.front_end) is MFCCConfig
    assert recipe.augment.snr_db == (0.0, 10.0)
    assert recipe.learning_rate == 1.0


def test_the_json_of_a_run_gives_its_recipe_again(tmp_path):
    recipe = Recipe(preset="small", students=("medium",), front_end=MFCCConfig(n_mfcc=20))
    path = tmp_path / "recipe.json"
    path.write_text(json.dumps(dataclasses.asdict(recipe)))
    assert load_recipe(str(path)) == recipe


def test_a_byte_order_mark_and_windows_line_ends_are_accepted(tmp_path):
    path = tmp_path / "windows.toml"
    path.write_bytes(b"\xef\xbb\xbfepochs = 3\r\nsteps = 4\r\n")
    recipe = load_recipe(str(path))
    assert (recipe.epochs, recipe.steps) == (3, 4)


def refused(path):
    with pytest.raises(RecipeError) as caught:
        load_recipe(str(path))
    message = str(caught.value)
    assert "\n" not in message
    assert str(path) in message
    return message


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("epoch = 3", "unknown key `epoch`: did you mean `epochs`?"),
        ("colour = 3", "unknown key `colour`: expected one of preset, students, "),
        ("carried_share = 1", "`carried_share`: did you mean `state_carry_probability`?"),
        ("speed = 0.1", "unknown key `speed`: did you mean `augment.speed`?"),
        ("[augment]\nepochs = 1", "unknown key `augment.epochs`: did you mean `epochs`?"),
        ("[augment]\npitch = 1", "unknown key `augment.pitch`: expected one of shift_ms, "),
        ("[front_end]\nn_mfc = 20", "`front_end.n_mfc`: did you mean `front_end.n_mfcc`?"),
        ("[recipe]\nepochs = 1", "unknown key `recipe`"),
        ('"a\\nb" = 1', "unknown key `a b`"),
        ("preset = 'huge'", "`preset`: expected one of 'small', 'medium', 'large'"),
        ("preset = 'small'\nstudents = ['small']", "differ from the preset 'small'"),
        ("students = ['small', 'small']", "`students`: expected presets that differ"),
        ("students = ['huge']", "`students`: expected one of 'small', "),
        ("students = 'small'", "`students`: expected a list, found 'small'"),
        ("students = [1]", "`students`: expected one of 'small', "),
        ("teaching = 1.5", "`teaching`: expected at most 1.0, found 1.5"),
        ("epochs = 'three'", "`epochs`: expected a whole number, found 'three'"),
        ("epochs = true", "`epochs`: expected a whole number, found True"),
        ("epochs = 1.5", "`epochs`: expected a whole number, found 1.5"),
        ("epochs = 2.0", "`epochs`: expected a whole number, found 2.0"),
        ("epochs = 0", "`epochs`: expected at least 1, found 0"),
        ("epochs = 2000-01-01", "`epochs`: expected a whole number"),
        ("epochs = 100000\nsteps = 100000", "`epochs`: expected at most 21474"),
        (f"epochs = {HUGE}", "`epochs`: expected a shorter number"),
        ("batch_size = 1000000000000", "`batch_size`: expected at most 16384"),
        ("learning_rate = true", "`learning_rate`: expected a number, found True"),
        ("learning_rate = nan", "`learning_rate`: expected a finite number, found nan"),
        ("learning_rate = inf", "`learning_rate`: expected a finite number, found inf"),
        ("learning_rate = 1e999", "`learning_rate`: expected a finite number, found inf"),
        ("learning_rate = 1e30", "`learning_rate`: expected at most 1.0, found 1e+30"),
        (f"learning_rate = {'9' * 400}", "`learning_rate`: expected a"),
        ("learning_rate = 0", "`learning_rate`: expected more than 0.0, found 0"),
        ("weight_decay = -0.1", "`weight_decay`: expected at least 0.0, found -0.1"),
        ("average = 1", "`average`: expected less than 1.0, found 1"),
        ("unknown_share = 0.5", "`unknown_share`: expected less than 0.5, found 0.5"),
        ("spliced_share = 0.4\nsynthetic_share = 0.4", "at most 0.95 together"),
        ('scene_seconds = 3\npreset = "residual"', "expected 1 with the preset 'residual'"),
        ("scene_seconds = 3\n[augment]\nmixup_share = 0.1", "`augment.mixup_share`: expected 0"),
        ("window_seconds = 0.9", '`window_seconds`: expected 1 to 3 seconds or "auto", found 0.9'),
        ("window_seconds = 3.1", '`window_seconds`: expected 1 to 3 seconds or "auto", found 3.1'),
        ("window_seconds = nan", '`window_seconds`: expected 1 to 3 seconds or "auto", found nan'),
        ("window_seconds = true", '`window_seconds`: expected 1 to 3 seconds or "auto"'),
        ("window_seconds = 'long'", '`window_seconds`: expected 1 to 3 seconds or "auto"'),
        ("window_seconds = 1.01", "`window_seconds`: expected a window of a whole number of hops"),
        ("seed = -1", "`seed`: expected at least 0, found -1"),
        ("seed = 99999999999999999999", "`seed`: expected less than 2147483647"),
        ("augment = 3", "`augment`: expected a table, found 3"),
        ("augment = 'None'", "`augment`: expected a table, found 'None'"),
        ("front_end = []", "`front_end`: expected a table, found []"),
        ("[[augment]]\nspeed = 0", "`augment`: expected a table"),
        ("[augment]\ntelephone_share = 1.5", "`augment.telephone_share`: expected at most 1.0"),
        ("[augment]\nmixup_share = -0.1", "`augment.mixup_share`: expected at least 0.0"),
        ("[augment]\nmixup_alpha = 0", "`augment.mixup_alpha`: expected at least 0.05, found 0"),
        ("[augment]\nspeed = 0.6", "`augment.speed`: expected at most 0.5, found 0.6"),
        ("[augment]\nsnr_db = [1]", "`augment.snr_db`: expected a list of two numbers, found [1]"),
        ("[augment]\nsnr_db = [1, 2, 3]", "expected a list of two numbers, found [1, 2, 3]"),
        ("[augment]\nsnr_db = [10, 0]", "`augment.snr_db`: expected the lower limit first"),
        ("[augment]\nsnr_db = [0, true]", "`augment.snr_db`: expected a number, found True"),
        ("[augment]\nsnr_db = [0, 300]", "`augment.snr_db`: expected at most 100.0, found 300"),
        ("[augment]\neq_db = 1000", "`augment.eq_db`: expected at most 30.0, found 1000"),
        ("[augment]\nshift_ms = 1001", "`augment.shift_ms`: expected at most 1000.0, found 1001"),
        ("[augment]\ntime_masks = 1.0", "`augment.time_masks`: expected a whole number"),
        ("[augment]\ntime_mask_frames = 200", "`augment.time_mask_frames`: expected at most 50"),
        ("[augment]\nmel_mask_bands = 41", "`augment.mel_mask_bands`: expected at most 40"),
        ("[front_end]\nn_fft = 600", "`front_end`: `n_fft` must be"),
        ("[front_end]\nfmax = 9000", "`front_end`: `fmin` and `fmax` must satisfy"),
        ("[front_end]\nfmin = '20'", "`front_end.fmin`: expected a number, found '20'"),
        ("[front_end]\nn_mfcc = true", "`front_end.n_mfcc`: expected a whole number, found True"),
        ("[front_end]\nn_mfcc = 8", "`front_end.n_mfcc`: expected 9 to 256, found 8"),
        ("[front_end]\nhop_length = 1", "`front_end.hop_length`: expected 80 to 1600, found 1"),
        ("[front_end]\nsample_rate = 48000", "`front_end.sample_rate`: expected 16000"),
        (f"[front_end]\nsample_rate = {'9' * 400}", ""),
        ("epochs =", "expected TOML, found: Invalid value"),
        ("epochs = 1\nepochs = 2", "expected TOML, found: "),
        ("x = " + "[" * 5000, "expected TOML, found: "),
        ("a." * 5000 + "b = 1", ""),
        ("epochs = " + "9" * 5000, "expected TOML, found: "),
        ("#" * (1 << 20) + "\n", "at most 1,048,576 bytes"),
    ],
    ids=lambda text: text[:30],
)
def test_a_bad_recipe_is_refused_by_file_and_key(text, message, tmp_path):
    path = tmp_path / "bad.toml"
    path.write_text(text)
    assert message in refused(path)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[]", "expected a table, found []"),
        ("null", "expected a table, found None"),
        ('{"augment": null}', "`augment`: expected a table, found None"),
        ('{"epochs": NaN}', "`epochs`: expected a whole number, found nan"),
        ('{"learning_rate": -Infinity}', "`learning_rate`: expected a finite number, found -inf"),
        ('{"epochs": 1, "epochs": 2}', "expected JSON, found: a key twice"),
        ('{"epochs": 1', "expected JSON, found: "),
        ("[" * 100_000, "expected JSON, found: "),
    ],
)
def test_a_bad_recipe_json_is_refused_by_file_and_key(text, message, tmp_path):
    path = tmp_path / "recipe.json"
    path.write_text(text)
    assert message in refused(path)


def test_a_binary_file_is_refused(tmp_path):
    path = tmp_path / "model.tflite"
    path.write_bytes(bytes(range(256)))
    assert "expected TOML" in refused(path)


def test_a_folder_is_refused(tmp_path):
    assert "found a folder" in refused(tmp_path)


def test_an_unknown_recipe_names_the_known_ones():
    with pytest.raises(RecipeError, match=r"no recipe 'enormous': .* medium"):
        load_recipe("enormous")


@pytest.mark.parametrize("name", ["", "\0", "n" * 5000])
def test_a_name_that_cannot_be_a_file_is_refused(name):
    with pytest.raises(RecipeError, match="no recipe"):
        load_recipe(name)


def test_a_recipe_is_checked_whenever_one_is_made():
    with pytest.raises(ValueError, match="epochs"):
        Recipe(epochs=0)
    with pytest.raises(ValueError, match="seed"):
        dataclasses.replace(Recipe(), seed=-1)


def test_options_override_the_recipe():
    recipe = override(Recipe(seed=3), epochs=5, seed=None)
    assert (recipe.epochs, recipe.seed) == (5, 3)


@pytest.mark.parametrize(
    ("batch_size", "steps", "learning_rate", "weight_decay"),
    [(512, 100, 4e-3, 2e-2), (128, 400, 2e-3, 1e-2), (32, 1600, 1e-3, 5e-3)],
)
def test_another_batch_size_scales_steps_and_learning_rate(
    batch_size, steps, learning_rate, weight_decay
):
    recipe = Recipe(batch_size=128, steps=400, learning_rate=2e-3, weight_decay=1e-2)
    scaled = with_batch_size(recipe, batch_size)
    assert (scaled.batch_size, scaled.steps) == (batch_size, steps)
    assert scaled.learning_rate == pytest.approx(learning_rate)
    assert scaled.weight_decay == pytest.approx(weight_decay)
    names = ("batch_size", "steps", "learning_rate", "weight_decay")
    assert dataclasses.replace(scaled, **{name: getattr(recipe, name) for name in names}) == recipe


def test_a_batch_that_cannot_be_used_names_its_option():
    assert with_batch_size(Recipe(steps=1), 16_384).steps == 1
    with pytest.raises(RecipeError, match=r"^--batch 16385: `batch_size`: expected at most 16384"):
        with_batch_size(Recipe(), 16_385)
    with pytest.raises(RecipeError, match=r"^--batch 512: `learning_rate`: expected at most 1"):
        with_batch_size(Recipe(learning_rate=0.9), 512)
    with pytest.raises(RecipeError, match=r"^--batch 1: `epochs`: expected at most"):
        with_batch_size(Recipe(batch_size=128, epochs=10**6, steps=2000), 1)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"epochs": 0}, "--epochs: expected at least 1, found 0"),
        ({"epochs": -3}, "--epochs: expected at least 1, found -3"),
        ({"epochs": 10**12}, "--epochs: expected at most"),
        ({"seed": 2**31}, "--seed: expected less than 2147483647, found 2147483648"),
    ],
)
def test_a_bad_override_names_its_option(options, message):
    with pytest.raises(RecipeError, match=message):
        override(Recipe(), **options)


def test_the_window_is_one_second_or_the_next_that_is_needed():
    second = 16_000
    windows = Recipe().windows
    assert windows == tuple(round(n * second / 10) for n in range(10, 31, 2))
    assert Recipe(window_seconds=2).windows == (2 * second,)
    assert Recipe(window_seconds=1.24).windows == (31 * 640,)


@given(hop_length=st.integers(80, 512))
def test_windows_are_whole_hops_with_every_front_end(hop_length):
    windows = Recipe(front_end=MFCCConfig(hop_length=hop_length)).windows
    assert list(windows) == sorted(set(windows))
    assert all(samples % (2 * hop_length) == 0 for samples in windows)
    assert 16_000 <= windows[0] < 16_000 + 2 * hop_length
    assert 48_000 - 2 * hop_length < windows[-1] <= 48_000


NUMBERS = st.integers() | st.floats() | st.integers(-3, 60) | st.floats(-1, 2)
VALUES = st.recursive(
    NUMBERS | st.booleans() | st.none() | st.text(max_size=5) | st.sampled_from(PRESETS),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner),
    max_leaves=5,
)


def table_of(kind, **tables):
    keys = [field.name for field in dataclasses.fields(kind) if field.name not in tables]
    optional = {key: NUMBERS | VALUES for key in keys} | tables
    return st.fixed_dictionaries({}, optional=optional)


FILES = table_of(
    Recipe,
    front_end=table_of(MFCCConfig) | VALUES,
    augment=table_of(type(Recipe().augment)) | VALUES,
)


@settings(max_examples=300, deadline=None)
@given(values=FILES | VALUES)
def test_random_values_give_a_recipe_or_a_recipe_error(values, tmp_path_factory):
    path = tmp_path_factory.getbasetemp() / "random.json"
    path.write_text(json.dumps(values))
    assert_usable_or_refused(path)


@settings(max_examples=200, deadline=None)
@given(content=st.binary(max_size=60) | st.text(max_size=60).map(str.encode))
def test_random_bytes_give_a_recipe_or_a_recipe_error(content, tmp_path_factory):
    path = tmp_path_factory.getbasetemp() / "random.toml"
    path.write_bytes(content)
    assert_usable_or_refused(path)


def assert_usable_or_refused(path):
    try:
        recipe = load_recipe(str(path))
    except RecipeError as error:
        message = str(error)
    else:
        return assert_usable(recipe)
    assert message.startswith(f"{path}: ")


def assert_usable(recipe):
    numbers = [v for v in vars(recipe).values() if isinstance(v, int | float)]
    assert all(math.isfinite(number) for number in numbers)
    assert recipe.epochs >= 1
    assert 9 <= recipe.front_end.n_mfcc <= recipe.front_end.n_mels
    assert recipe.augment.time_mask_frames <= recipe.front_end.frames(16_000)
    assert recipe.augment.snr_db[0] <= recipe.augment.snr_db[1]
