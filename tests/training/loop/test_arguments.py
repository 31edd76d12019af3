"""Tests of training/loop/arguments.py."""

from pathlib import Path

import pytest

from training.loop.arguments import UsageError, parse_arguments


def test_options_that_are_not_given_have_their_defaults():
    options = parse_arguments([])
    assert (options.data, options.recipe, options.words) == (None, "medium", None)
    assert (options.features, options.device, options.strategy) == ("graph", "auto", "none")
    assert options.teachers == ()
    assert options.out.parent == Path("runs")


def test_options_are_read_and_the_command_is_recorded():
    command = ["--words", "yes", "no", "--teachers", "a", "b", "--seed", "-1", "--out", "run"]
    options = parse_arguments(command)
    assert options.words == ("yes", "no")
    assert options.teachers == (Path("a"), Path("b"))
    assert (options.seed, options.out) == (-1, Path("run"))
    assert options.command == tuple(command)


def test_paths_can_be_made_independent_of_the_current_folder():
    options = parse_arguments(
        ["--data", "d", "--start", "/s", "--teachers", "t", "--negative", "n", "/m", "--out", "o"]
    )
    moved = options.from_folder(Path("/home/me"))
    assert (moved.data, moved.start) == (Path("/home/me/d"), Path("/s"))
    assert moved.teachers == (Path("/home/me/t"),)
    assert moved.negative == (Path("/home/me/n"), Path("/m"))
    assert (moved.noise, moved.out) == (None, Path("/home/me/o"))


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--batch", "big"], "--batch: expected a number of clips or auto, found 'big'"),
        (["--batch", "0"], "--batch: expected a number of clips or auto, found '0'"),
        (["--batch", "-4"], "--batch: expected a number of clips or auto, found '-4'"),
        (
            ["--batch", "9" * 5000],
            f"--batch: expected a number of clips or auto, found '{'9' * 40}'",
        ),
        (["--epochs", "three"], "--epochs: expected a whole number, found 'three'"),
        (["--epochs", "1.5"], "--epochs: expected a whole number, found '1.5'"),
        (["--epochs", ""], "--epochs: expected a whole number, found ''"),
        (["--seed", "9" * 5000], "--seed: expected a whole number, found '99999"),
        (["--seed"], "--seed: expected one argument"),
        (["--words"], "--words: expected at least one argument"),
        (["--words", ""], "--words: expected a word, found ''"),
        (["--words", "yes", " "], "--words: expected a word, found ' '"),
        (["--out", ""], "--out: expected a path, found ''"),
        (["--teachers", ""], "--teachers: expected a path, found ''"),
        (["--device", "tpu"], "--device: invalid choice: 'tpu'"),
        (["--speed", "2"], "unrecognized arguments: --speed 2"),
        (["data"], "unrecognized arguments: data"),
        (["--resume"], "--resume: expected --out"),
    ],
)
def test_wrong_usage_is_one_line_that_names_the_option(arguments, message):
    with pytest.raises(UsageError) as caught:
        parse_arguments(arguments)
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)
