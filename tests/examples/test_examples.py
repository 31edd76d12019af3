"""The examples with less data and fewer epochs: each is better than its baseline."""

import numpy as np

from examples import forecast, text


def test_a_series_is_forecast_better_than_by_its_last_value(capsys):
    assert forecast.main(["--length", "3000", "--epochs", "2"]) < 0.6
    assert "10 ahead: network" in capsys.readouterr().out


def test_the_target_is_ahead_of_the_last_input():
    x, y = forecast.windows(np.arange(300.0))
    np.testing.assert_array_equal(x[:, -1] + forecast.AHEAD, y)


def test_the_targets_of_text_are_the_next_characters():
    x, y = text.blocks(np.arange(250))
    assert x.shape == y.shape == (2, text.STEPS)
    np.testing.assert_array_equal(y, x + 1)


def test_text_is_predicted_better_than_by_pairs(capsys):
    network, pairs = text.main(["--characters", "60000", "--epochs", "4"])
    assert network < pairs
    assert "The " in capsys.readouterr().out


def test_pairs_predict_a_repeating_text_without_bits():
    codes = np.tile([0, 1, 2], 2000)
    assert text.bits_of_pairs(codes, codes, 3) < 0.01
